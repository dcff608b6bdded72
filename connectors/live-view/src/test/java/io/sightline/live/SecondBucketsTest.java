// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class SecondBucketsTest {

    private final SecondBuckets buckets = new SecondBuckets();

    @Test
    void shouldHoldTheRunningSecondLast() {
        buckets.add(10_000, 2);
        buckets.add(10_999, 1);
        buckets.add(11_000, 5);
        int[] values = buckets.values(11_500);
        assertThat(values).hasSize(60);
        assertThat(values[59]).isEqualTo(5);
        assertThat(values[58]).isEqualTo(3);
        assertThat(Arrays.stream(values).sum()).isEqualTo(8);
    }

    @Test
    void shouldForgetWhatIsAMinuteOld() {
        buckets.add(10_000, 2);
        assertThat(buckets.values(69_999)[0]).isEqualTo(2);
        assertThat(buckets.isEmpty(70_000)).isTrue();
    }

    @Test
    void shouldCountToTheLastSecondWhereTheClockWasSetBack() {
        buckets.add(10_000, 1);
        buckets.add(3_000, 1);
        assertThat(buckets.values(10_000)[59]).isEqualTo(2);
    }

    @Test
    void shouldNotRunOver() {
        buckets.add(10_000, 5);
        buckets.add(10_000, Long.MAX_VALUE);
        buckets.add(10_000, 5);
        assertThat(buckets.values(10_000)[59]).isEqualTo(Integer.MAX_VALUE);
    }

    @Property(tries = 200)
    void shouldSumUpTheLastSixtySeconds(
            @ForAll @Size(max = 200) List<@IntRange(max = 3000) Integer> steps) {
        SecondBuckets tested = new SecondBuckets();
        long now = 5_000;
        long[] times = new long[steps.size()];
        for (int i = 0; i < steps.size(); i++) {
            now += steps.get(i);
            times[i] = now;
            tested.add(now, 1);
        }
        long second = now / 1000;
        long expected = Arrays.stream(times).filter(time -> time / 1000 > second - 60).count();
        assertThat(Arrays.stream(tested.values(now)).sum()).isEqualTo((int) expected);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.live.JobAccount.Counts;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class JobAccountTest {

    private long now = 1_000_000;
    private long checkpoint;
    private final JobAccount account = new JobAccount();

    @Test
    void shouldSayNothingWhereTheJobDoesNot() {
        assertThat(account.state(now)).isNull();
    }

    @Test
    void shouldTellTheLastCheckpointFromTheLastMinute() {
        status(50, 40);
        status(50, 20);
        JobAccount.State state = account.state(now + 3_000);
        assertThat(state.heardMillis()).isEqualTo(now);
        assertThat(state.now()).isEqualTo(new Counts(50, 20, Map.of("superseded", 30L)));
        assertThat(state.lastMinute()).isEqualTo(new Counts(100, 60, Map.of("superseded", 40L)));
    }

    @Test
    void shouldNameNoReasonAnyMoreWhenDropsStop() {
        status(50, 40);
        status(50, 50);
        assertThat(account.state(now).now().dropped()).isEmpty();
        assertThat(account.state(now).lastMinute().dropped()).containsEntry("superseded", 10L);
        for (int i = 0; i < 6; i++) {
            status(50, 50);
        }
        assertThat(account.state(now).lastMinute()).isEqualTo(new Counts(300, 300, Map.of()));
    }

    @Test
    void shouldCountManyDropsToTheCheckpointThatFollows() {
        now += 8_000;
        account.add(now, TestFrames.status("c", null, 70, 0, Map.of("superseded", 70L), 5L, null));
        now += 1_000;
        account.add(now, TestFrames.status("c", 1L, 30, 25, Map.of("too-old", 5L), 5L, null));
        assertThat(account.state(now).now())
                .isEqualTo(new Counts(100, 25, Map.of("superseded", 70L, "too-old", 5L)));
    }

    @Test
    void shouldForgetAJobThatSaysNothingAnyMore() {
        status(50, 40);
        assertThat(account.state(now + 60_000)).isNotNull();
        assertThat(account.state(now + 60_001)).isNull();
    }

    @Test
    void shouldWaitForAJobThatSaysLittle() {
        for (int i = 0; i < 2; i++) {
            now += 290_000;
            status(1_500, 1_000);
        }
        assertThat(account.state(now + 600_000).now().framesIn()).isEqualTo(1_500);
        assertThat(account.state(now + 600_001)).isNull();
    }

    @Test
    void shouldTakeTheWordOfTheSubtaskThatHasTheCamera() {
        account.add(now, TestFrames.status("c", 1L, 5, 5, Map.of(), 20L, null));
        account.add(now, TestFrames.status("c", 1L, 0, 0, Map.of(), 99L, 400_000L));
        assertThat(account.state(now).silentSinceMillis()).isNull();
        assertThat(account.state(now).lagMillis()).isEqualTo(20);
        now += 10_000;
        account.add(now, TestFrames.status("c", 2L, 0, 0, Map.of(), 99L, 400_000L));
        account.add(now, TestFrames.status("c", 2L, 0, 0, Map.of(), 20L, 900_000L));
        assertThat(account.state(now).silentSinceMillis()).isEqualTo(900_000);
        now += 10_000;
        account.add(now, TestFrames.status("c", 3L, 0, 0, Map.of(), 99L, 400_000L));
        account.add(now, TestFrames.status("c", 3L, 1, 1, Map.of(), 30L, null));
        assertThat(account.state(now).silentSinceMillis()).isNull();
        assertThat(account.state(now).lagMillis()).isEqualTo(30);
    }

    @Property(tries = 100)
    void shouldAddUpWhateverIsSaid(
            @ForAll @Size(min = 1, max = 100) List<@IntRange(max = 20_000) Integer> steps) {
        JobAccount tested = new JobAccount();
        long time = 0;
        long before = 0;
        for (int step : steps) {
            time += step;
            tested.add(time, TestFrames.status("c", step, step, step / 2));
            JobAccount.State state = tested.state(time + before % 60_000);
            assertThat(state.heardMillis()).isEqualTo(time);
            for (Counts counts : List.of(state.now(), state.lastMinute())) {
                long dropped = counts.dropped().values().stream().mapToLong(Long::longValue).sum();
                assertThat(counts.events() + dropped).isEqualTo(counts.framesIn());
            }
            assertThat(state.now().framesIn())
                    .isBetween((long) step, state.lastMinute().framesIn());
            before = step;
        }
    }

    private void status(long framesIn, long events) {
        now += 10_000;
        account.add(now, TestFrames.status("c", ++checkpoint, framesIn, events));
    }
}

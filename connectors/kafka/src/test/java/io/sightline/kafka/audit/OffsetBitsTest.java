// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class OffsetBitsTest {

    private static final long FIRST = 1_000_000_000_007L;
    private static final long END = FIRST + 200_000;

    @Property(tries = 200)
    void shouldBeASetOfOffsets(
            @ForAll @Size(max = 50) Set<@LongRange(min = FIRST, max = END - 1) Long> offsets,
            @ForAll @LongRange(min = FIRST, max = END - 1) long from) {
        OffsetBits bits = new OffsetBits(FIRST, END);
        OffsetBits even = new OffsetBits(FIRST, END);
        for (long offset : offsets) {
            assertThat(bits.add(offset)).isTrue();
            assertThat(bits.add(offset)).isFalse();
            if (offset % 2 == 0) {
                even.add(offset);
            }
        }
        TreeSet<Long> sorted = new TreeSet<>(offsets);
        assertThat(bits.count()).isEqualTo(sorted.size());
        assertThat(bits.countCommon(even)).isEqualTo(even.count());
        Long present = sorted.ceiling(from);
        assertThat(bits.nextPresent(from)).isEqualTo(present == null ? END : present);
        long absent = from;
        while (sorted.contains(absent)) {
            absent++;
        }
        assertThat(bits.nextAbsent(from)).isEqualTo(absent);
        assertThat(bits.contains(from)).isEqualTo(sorted.contains(from));
    }

    @Test
    void shouldFindTheEndWhereAllAreThere() {
        OffsetBits bits = new OffsetBits(FIRST, END);
        for (long offset = FIRST; offset < END; offset++) {
            bits.add(offset);
        }
        assertThat(bits.nextAbsent(FIRST)).isEqualTo(END);
        assertThat(bits.nextPresent(END)).isEqualTo(END);
        assertThat(bits.inRange(END)).isFalse();
        assertThat(bits.inRange(FIRST - 1)).isFalse();
    }
}

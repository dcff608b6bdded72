// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.audit;

import java.util.BitSet;

/** A set of offsets from a range: a bit each, in pages that are made when they are needed. */
final class OffsetBits {

    private static final int PAGE = 1 << 16;

    private final long first;
    private final long end;
    private final BitSet[] pages;
    private long count;

    /** Of offsets from the first up to, but not including, the end. */
    OffsetBits(long first, long end) {
        this.first = first;
        this.end = end;
        this.pages = new BitSet[Math.toIntExact((end - first + PAGE - 1) / PAGE)];
    }

    boolean inRange(long offset) {
        return offset >= first && offset < end;
    }

    /**
     * @return whether it is new
     */
    boolean add(long offset) {
        int index = (int) ((offset - first) / PAGE);
        if (pages[index] == null) {
            pages[index] = new BitSet(PAGE);
        }
        int bit = (int) ((offset - first) % PAGE);
        if (pages[index].get(bit)) {
            return false;
        }
        pages[index].set(bit);
        count++;
        return true;
    }

    boolean contains(long offset) {
        BitSet page = pages[(int) ((offset - first) / PAGE)];
        return page != null && page.get((int) ((offset - first) % PAGE));
    }

    long count() {
        return count;
    }

    /** How many offsets are in both; the other must be of the same range. */
    long countCommon(OffsetBits other) {
        long common = 0;
        for (int i = 0; i < pages.length; i++) {
            if (pages[i] != null && other.pages[i] != null) {
                BitSet both = (BitSet) pages[i].clone();
                both.and(other.pages[i]);
                common += both.cardinality();
            }
        }
        return common;
    }

    /** The first offset, at or after this one, that is not in the set; the end where all are. */
    long nextAbsent(long from) {
        long at = Math.max(from, first);
        while (at < end) {
            BitSet page = pages[(int) ((at - first) / PAGE)];
            int bit = (int) ((at - first) % PAGE);
            int clear = page == null ? bit : page.nextClearBit(bit);
            if (clear < PAGE) {
                return Math.min(end, at - bit + clear);
            }
            at += PAGE - bit;
        }
        return end;
    }

    /** The first offset, at or after this one, that is in the set; the end where there is none. */
    long nextPresent(long from) {
        long at = Math.max(from, first);
        while (at < end) {
            BitSet page = pages[(int) ((at - first) / PAGE)];
            int bit = (int) ((at - first) % PAGE);
            int set = page == null ? -1 : page.nextSetBit(bit);
            if (set >= 0) {
                return at - bit + set;
            }
            at += PAGE - bit;
        }
        return end;
    }
}

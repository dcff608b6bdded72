// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.util.Arrays;

/** Counts of the last {@value #SECONDS} seconds, a number for each. */
final class SecondBuckets {

    static final int SECONDS = 60;

    private final int[] counts = new int[SECONDS];
    private long newest = Long.MIN_VALUE;

    /** A time before the last one counts to the last one's second; what is too much is cut off. */
    void add(long millis, long count) {
        advance(Math.floorDiv(millis, 1000));
        int bucket = (int) Math.floorMod(newest, (long) SECONDS);
        counts[bucket] += (int) Math.min(Integer.MAX_VALUE - counts[bucket], count);
    }

    /** Oldest first; the last is the second that is running. */
    int[] values(long millis) {
        advance(Math.floorDiv(millis, 1000));
        int[] values = new int[SECONDS];
        for (int i = 0; i < SECONDS; i++) {
            values[i] = counts[(int) Math.floorMod(newest + 1 + i, (long) SECONDS)];
        }
        return values;
    }

    boolean isEmpty(long millis) {
        return Arrays.stream(values(millis)).allMatch(count -> count == 0);
    }

    private void advance(long second) {
        if (newest == Long.MIN_VALUE || second - newest >= SECONDS) {
            Arrays.fill(counts, 0);
            newest = second;
        }
        while (newest < second) {
            newest++;
            counts[(int) Math.floorMod(newest, (long) SECONDS)] = 0;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The ranges of batch sizes that an engine is tuned for, one after the other without gaps: 1 alone,
 * up to 8, up to 32, up to the largest. TensorRT chooses its kernels for a profile's best size, so
 * a single frame does not run on what suits 32.
 *
 * @param ranges in order; the first begins at 1
 */
record BatchProfiles(List<Range> ranges) {

    private static final List<Integer> STEPS = List.of(1, 8, 32);

    /**
     * One profile.
     *
     * @param min fewest frames
     * @param max most frames, which it is tuned for
     */
    record Range(int min, int max) {
        @Override
        public String toString() {
            return min == max ? Integer.toString(min) : min + "-" + max;
        }
    }

    BatchProfiles {
        ranges = List.copyOf(ranges);
    }

    /**
     * @throws IllegalArgumentException if there is no such batch
     */
    static BatchProfiles upTo(int maxBatch) {
        if (maxBatch < 1) {
            throw new IllegalArgumentException("maxBatch=" + maxBatch + ": expected 1 or more");
        }
        List<Range> ranges = new ArrayList<>();
        int next = 1;
        for (int step : STEPS) {
            if (step < maxBatch) {
                ranges.add(new Range(next, step));
                next = step + 1;
            }
        }
        ranges.add(new Range(next, maxBatch));
        return new BatchProfiles(ranges);
    }

    int maxBatch() {
        return ranges.get(ranges.size() - 1).max();
    }

    /**
     * Index of the profile for that many frames.
     *
     * @throws IllegalArgumentException if none is for so many
     */
    int indexFor(int frames) {
        for (int i = 0; i < ranges.size(); i++) {
            if (frames >= 1 && frames <= ranges.get(i).max()) {
                return i;
            }
        }
        throw new IllegalArgumentException("frames=" + frames + " maxBatch=" + maxBatch());
    }

    /** {@code 1,2-8,9-32}. */
    @Override
    public String toString() {
        return ranges.stream().map(Range::toString).collect(Collectors.joining(","));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * How often a tensor took which values. The range follows the values: where one lies outside, the
 * bins are merged two by two and cover twice as much, so that one pass over the pictures is enough
 * and at least half of all bins lie within twice the largest magnitude. Smallest and largest value
 * are exact.
 */
public final class Histogram {

    /** Even, so that zero is an edge; as fine on each side as the usual calibrators are. */
    static final int BINS = 8192;

    private static final int CHUNK = 4096;

    private final long[] counts;

    /** Bins cover −limit to +limit; 0 while only zeros were seen. */
    private double limit;

    private double min = Double.POSITIVE_INFINITY;
    private double max = Double.NEGATIVE_INFINITY;
    private long zeros;
    private final float[] chunk = new float[CHUNK];

    public Histogram() {
        counts = new long[BINS];
    }

    Histogram(double limit, double min, double max, long zeros, long[] counts) {
        if (counts.length != BINS) {
            throw new IllegalArgumentException(counts.length + " bins, expected " + BINS);
        }
        this.limit = limit;
        this.min = min;
        this.max = max;
        this.zeros = zeros;
        this.counts = counts.clone();
    }

    /**
     * Adds all values of the buffer.
     *
     * @throws IllegalArgumentException if one is not finite: an engine's failure must not become a
     *     scale
     */
    public void add(FloatBuffer values) {
        int size = values.limit();
        for (int from = 0; from < size; from += CHUNK) {
            int count = Math.min(CHUNK, size - from);
            values.get(from, chunk, 0, count);
            add(count);
        }
    }

    private void add(int count) {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        boolean finite = true;
        for (int i = 0; i < count; i++) {
            low = Math.min(low, chunk[i]);
            high = Math.max(high, chunk[i]);
            finite &= Math.abs(chunk[i]) <= Float.MAX_VALUE;
        }
        if (!finite) {
            throw new IllegalArgumentException("a value is not a finite number");
        }
        min = Math.min(min, low);
        max = Math.max(max, high);
        cover(Math.max(Math.abs(low), Math.abs(high)));
        double scale = limit == 0 ? 0 : BINS / 2 / limit;
        for (int i = 0; i < count; i++) {
            // Rectified tensors are mostly zeros, which no rounding error comes from.
            if (chunk[i] == 0) {
                zeros++;
            } else {
                counts[Math.min(BINS - 1, (int) (chunk[i] * scale + BINS / 2))]++;
            }
        }
    }

    private void cover(float magnitude) {
        if (limit == 0) {
            limit = magnitude;
        }
        while (magnitude > limit) {
            for (int bin = 0; bin < BINS / 4; bin++) {
                // From the middle outwards, so that nothing is overwritten before it is read.
                int right = BINS / 2 + 2 * bin;
                counts[BINS / 2 + bin] = counts[right] + counts[right + 1];
                int left = BINS / 2 - 1 - 2 * bin;
                counts[BINS / 2 - 1 - bin] = counts[left] + counts[left - 1];
            }
            Arrays.fill(counts, 0, BINS / 4, 0);
            Arrays.fill(counts, BINS - BINS / 4, BINS, 0);
            limit *= 2;
        }
    }

    /** Smallest value seen; 0 where nothing was. */
    public double min() {
        return min > max ? 0 : min;
    }

    /** Largest value seen; 0 where nothing was. */
    public double max() {
        return min > max ? 0 : max;
    }

    /** How many values were exactly zero; they are in no bin. */
    public long zeros() {
        return zeros;
    }

    /** How many values there were. */
    public long total() {
        return zeros + Arrays.stream(counts).sum();
    }

    double limit() {
        return limit;
    }

    double binWidth() {
        return 2 * limit / BINS;
    }

    /** The value in the middle of a bin. */
    double centre(int bin) {
        return (bin - BINS / 2 + 0.5) * binWidth();
    }

    /** Of bin −limit first. */
    long count(int bin) {
        return counts[bin];
    }

    long[] counts() {
        return counts.clone();
    }

    /** Counts of magnitudes, the bin at zero first. */
    long[] magnitudes() {
        long[] folded = new long[BINS / 2];
        for (int i = 0; i < folded.length; i++) {
            folded[i] = counts[BINS / 2 + i] + counts[BINS / 2 - 1 - i];
        }
        return folded;
    }
}

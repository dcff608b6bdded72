// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/**
 * How the range of a tensor is chosen from its histogram: what lies outside is clipped, what lies
 * inside is rounded, and less of the one is more of the other.
 *
 * @param kind which trade
 * @param percentile of the values to keep, for {@link Kind#PERCENTILE}; 0..100
 */
public record RangeMethod(Kind kind, double percentile) {

    /** The usual calibrators. */
    public enum Kind {
        /** Everything seen. */
        MAX,
        /** All but a share of the outermost values. */
        PERCENTILE,
        /** What makes the mean squared error of rounding and clipping least. */
        MSE,
        /** What loses least information: least KL divergence of the rounded from the true. */
        ENTROPY
    }

    public static final double DEFAULT_PERCENTILE = 99.99;

    public static final RangeMethod MAX = new RangeMethod(Kind.MAX, DEFAULT_PERCENTILE);
    public static final RangeMethod PERCENTILE =
            new RangeMethod(Kind.PERCENTILE, DEFAULT_PERCENTILE);
    public static final RangeMethod MSE = new RangeMethod(Kind.MSE, DEFAULT_PERCENTILE);
    public static final RangeMethod ENTROPY = new RangeMethod(Kind.ENTROPY, DEFAULT_PERCENTILE);

    /** Levels of magnitude that the entropy calibrator quantises to: signed 8 bits. */
    private static final int ENTROPY_LEVELS = 128;

    private static final int ENTROPY_BINS = 2048;

    /** Candidates are this share of the whole range apart. */
    private static final int MSE_STEPS = 128;

    public RangeMethod {
        if (!(percentile > 50 && percentile <= 100)) {
            throw new IllegalArgumentException(
                    "percentile " + percentile + ": expected more than 50, at most 100");
        }
    }

    /**
     * For numbers with a zero point: both ends are chosen.
     *
     * @param steps between the ends: 255 for 8 bits
     * @param seen what the network sees of the tensor: rounding errors count only as far as they
     *     come through
     */
    public Range asymmetric(Histogram histogram, int steps, Seen seen) {
        Range all = new Range(Math.min(histogram.min(), 0), Math.max(histogram.max(), 0));
        if (all.amax() == 0) {
            return all;
        }
        return switch (kind) {
            case MAX -> all;
            case PERCENTILE -> {
                double outside = outside(histogram) / 2;
                if (isMostlyZeros(histogram)) {
                    yield all;
                }
                yield new Range(
                        Math.max(all.low(), Math.min(0, quantile(histogram, outside, false))),
                        Math.min(all.high(), Math.max(0, quantile(histogram, outside, true))));
            }
            case MSE -> leastError(histogram, all, steps, seen);
            case ENTROPY -> {
                double amax = leastDivergence(histogram);
                yield new Range(Math.max(all.low(), -amax), Math.min(all.high(), amax));
            }
        };
    }

    /**
     * For numbers without a zero point: the largest magnitude.
     *
     * @param steps on each side of zero: 127 for 8 bits
     */
    public double symmetric(Histogram histogram, int steps) {
        double all = Math.max(-histogram.min(), histogram.max());
        if (all <= 0) {
            return 0;
        }
        return switch (kind) {
            case MAX -> all;
            case PERCENTILE -> {
                if (isMostlyZeros(histogram)) {
                    yield all;
                }
                long[] magnitudes = histogram.magnitudes();
                double outside = outside(histogram);
                long seen = 0;
                int bin = magnitudes.length;
                while (bin > 1 && seen + magnitudes[bin - 1] <= outside) {
                    seen += magnitudes[--bin];
                }
                yield Math.min(all, bin * histogram.binWidth());
            }
            case MSE -> {
                double[] targets = targets(histogram, Seen.AS_IS);
                yield argmin(
                        all,
                        amax ->
                                squaredError(
                                        histogram,
                                        targets,
                                        new Range(-amax, amax),
                                        2 * steps,
                                        Seen.AS_IS));
            }
            case ENTROPY -> Math.min(all, leastDivergence(histogram));
        };
    }

    /** How many of all values may be clipped. */
    private double outside(Histogram histogram) {
        return histogram.total() * (100 - percentile) / 100;
    }

    /** Whether the share to keep is zeros alone: of the other values nothing would be left. */
    private boolean isMostlyZeros(Histogram histogram) {
        return histogram.total() - histogram.zeros() <= outside(histogram);
    }

    private static double quantile(Histogram histogram, double outside, boolean upper) {
        long seen = 0;
        for (int i = 0; i < Histogram.BINS; i++) {
            int bin = upper ? Histogram.BINS - 1 - i : i;
            seen += histogram.count(bin);
            if (seen > outside) {
                return histogram.centre(bin)
                        + (upper ? histogram.binWidth() : -histogram.binWidth()) / 2;
            }
        }
        return 0;
    }

    /** One end after the other, twice: the error has one valley along each. */
    private static Range leastError(Histogram histogram, Range all, int steps, Seen seen) {
        double[] targets = targets(histogram, seen);
        Range[] best = {all};
        for (int round = 0; round < 2; round++) {
            if (all.high() > 0) {
                double high =
                        argmin(
                                all.high(),
                                end ->
                                        squaredError(
                                                histogram,
                                                targets,
                                                new Range(best[0].low(), end),
                                                steps,
                                                seen));
                best[0] = new Range(best[0].low(), high);
            }
            if (all.low() < 0) {
                double low =
                        -argmin(
                                -all.low(),
                                end ->
                                        squaredError(
                                                histogram,
                                                targets,
                                                new Range(-end, best[0].high()),
                                                steps,
                                                seen));
                best[0] = new Range(low, best[0].high());
            }
        }
        return best[0];
    }

    private static double[] targets(Histogram histogram, Seen seen) {
        double[] targets = new double[Histogram.BINS];
        for (int bin = 0; bin < Histogram.BINS; bin++) {
            targets[bin] = seen.of(histogram.centre(bin));
        }
        return targets;
    }

    private static double squaredError(
            Histogram histogram, double[] targets, Range range, int steps, Seen seen) {
        double scale = (range.high() - range.low()) / steps;
        double zeroPoint = Math.rint(-range.low() / scale);
        double[] levels = new double[steps + 1];
        for (int level = 0; level <= steps; level++) {
            levels[level] = seen.of((level - zeroPoint) * scale);
        }
        double sum = 0;
        for (int bin = 0; bin < Histogram.BINS; bin++) {
            long count = histogram.count(bin);
            if (count > 0) {
                double level = Math.rint(histogram.centre(bin) / scale) + zeroPoint;
                double error = targets[bin] - levels[(int) Math.max(0, Math.min(steps, level))];
                sum += count * error * error;
            }
        }
        return sum;
    }

    private static double argmin(double whole, DoubleUnaryOperator error) {
        double best = whole;
        double least = Double.POSITIVE_INFINITY;
        for (int step = MSE_STEPS; step > 0; step--) {
            double candidate = whole * step / MSE_STEPS;
            double value = error.applyAsDouble(candidate);
            if (value < least) {
                least = value;
                best = candidate;
            }
        }
        return best;
    }

    /**
     * The entropy calibrator of pytorch-quantization 2.1: magnitudes in 2048 bins; for each
     * candidate the tail's mass goes to the last bin kept, the bins are merged to 128 levels and
     * spread again over those that were not empty, and the divergence of the two decides.
     */
    private static double leastDivergence(Histogram histogram) {
        double amax = Math.max(-histogram.min(), histogram.max());
        double[] counts = rebinned(histogram, amax);
        // Zeros are no news.
        counts[0] = counts[1];
        double total = Arrays.stream(counts).sum();
        if (total == 0) {
            return amax;
        }
        int best = ENTROPY_BINS;
        double least = Double.POSITIVE_INFINITY;
        double tail = total - Arrays.stream(counts, 0, ENTROPY_LEVELS).sum();
        for (int kept = ENTROPY_LEVELS; kept <= ENTROPY_BINS; kept++) {
            double divergence = divergence(counts, kept, tail);
            if (divergence <= least) {
                least = divergence;
                best = kept;
            }
            tail -= kept < ENTROPY_BINS ? counts[kept] : 0;
        }
        return best * amax / ENTROPY_BINS;
    }

    /**
     * Each bin is shared out by its overlap with the new ones: thrown in whole, some new bins would
     * get two and their neighbours one, which looks like information.
     */
    private static double[] rebinned(Histogram histogram, double amax) {
        long[] magnitudes = histogram.magnitudes();
        double[] counts = new double[ENTROPY_BINS];
        double width = histogram.binWidth() / amax * ENTROPY_BINS;
        for (int i = 0; i < magnitudes.length; i++) {
            // Nothing lies beyond the largest magnitude.
            double end = Math.min(ENTROPY_BINS, snapped((i + 1) * width));
            double begin = Math.min(end, snapped(i * width));
            if (begin == end) {
                counts[ENTROPY_BINS - 1] += magnitudes[i];
            }
            for (int bin = (int) begin; bin < end; bin++) {
                double overlap = Math.min(end, bin + 1) - Math.max(begin, bin);
                counts[bin] += magnitudes[i] * overlap / (end - begin);
            }
        }
        return counts;
    }

    /** Rounding must not fill an empty neighbour with next to nothing. */
    private static double snapped(double edge) {
        return Math.abs(edge - Math.rint(edge)) < 1e-3 ? Math.rint(edge) : edge;
    }

    private static double divergence(double[] counts, int kept, double tail) {
        double reference = 0;
        double approximation = 0;
        double[] levelSum = new double[ENTROPY_LEVELS];
        int[] levelFilled = new int[ENTROPY_LEVELS];
        for (int bin = 0; bin < kept; bin++) {
            int level = (int) ((long) bin * ENTROPY_LEVELS / kept);
            levelSum[level] += counts[bin];
            levelFilled[level] += counts[bin] > 0 ? 1 : 0;
            reference += counts[bin];
            approximation += counts[bin];
        }
        reference += Math.max(0, tail);
        double divergence = 0;
        for (int bin = 0; bin < kept; bin++) {
            double p = (counts[bin] + (bin == kept - 1 ? Math.max(0, tail) : 0)) / reference;
            if (p > 0) {
                int level = (int) ((long) bin * ENTROPY_LEVELS / kept);
                double q =
                        counts[bin] > 0 ? levelSum[level] / levelFilled[level] / approximation : 0;
                if (q == 0) {
                    return Double.POSITIVE_INFINITY;
                }
                divergence += p * Math.log(p / q);
            }
        }
        return divergence;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.toolchain.calibrate.RangeMethod.Kind;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class RangeMethodTest {

    private static final int SIZE = 5000;

    /** Entropy looks at how full single bins are. */
    private static final int LARGE = 400_000;

    /** What the values of tensors look like. */
    private enum Shape {
        NORMAL,
        LAPLACE,
        UNIFORM,
        RECTIFIED,
        SILU,
        HEAVY_TAIL;

        float[] values(long seed) {
            return values(SIZE, seed);
        }

        float[] values(int size, long seed) {
            Random random = new Random(seed);
            float[] values = new float[size];
            for (int i = 0; i < size; i++) {
                values[i] = (float) (3 * value(random));
            }
            return values;
        }

        private double value(Random random) {
            double normal = random.nextGaussian();
            return switch (this) {
                case NORMAL -> normal;
                case LAPLACE -> Math.signum(normal) * -Math.log(1 - random.nextDouble());
                case UNIFORM -> 2 * random.nextDouble() - 0.7;
                case RECTIFIED -> Math.max(0, normal);
                case SILU -> 2 * normal / (1 + Math.exp(-2 * normal));
                case HEAVY_TAIL -> normal * Math.exp(1.2 * random.nextGaussian());
            };
        }
    }

    private static Histogram histogram(float... values) {
        Histogram histogram = new Histogram();
        histogram.add(FloatBuffer.wrap(values));
        return histogram;
    }

    private static double seen(Seen seen, double value) {
        return switch (seen) {
            case AS_IS -> value;
            case THROUGH_SIGMOID -> 1 / (1 + Math.exp(-value));
            case THROUGH_SILU -> value / (1 + Math.exp(-value));
        };
    }

    /** Of the values themselves, rounded as an engine rounds them. */
    private static double error(float[] values, double low, double high, int steps, Seen seen) {
        double scale = (high - low) / steps;
        double zeroPoint = Math.rint(-low / scale);
        double sum = 0;
        for (float value : values) {
            double number = Math.max(0, Math.min(steps, Math.rint(value / scale) + zeroPoint));
            double difference = seen(seen, value) - seen(seen, (number - zeroPoint) * scale);
            sum += difference * difference;
        }
        return sum / values.length;
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void shouldTakeEverythingSeenWithMax(Shape shape) {
        float[] values = shape.values(1);
        Histogram histogram = histogram(values);
        double min = Math.min(0, histogram.min());
        double max = Math.max(0, histogram.max());
        assertThat(RangeMethod.MAX.asymmetric(histogram, 255, Seen.AS_IS))
                .isEqualTo(new Range(min, max));
        assertThat(RangeMethod.MAX.symmetric(histogram, 127)).isEqualTo(Math.max(-min, max));
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void shouldHaveZeroInEveryRange(Kind kind) {
        RangeMethod method = new RangeMethod(kind, 99.99);
        Histogram positive = histogram(5, 6, 7);
        assertThat(method.asymmetric(positive, 255, Seen.AS_IS).low()).isZero();
        assertThat(method.asymmetric(positive, 255, Seen.AS_IS).high()).isGreaterThan(4.9);
        Histogram negative = histogram(-5, -6, -7);
        assertThat(method.asymmetric(negative, 255, Seen.AS_IS).high()).isZero();
        assertThat(method.asymmetric(negative, 255, Seen.AS_IS).low()).isLessThan(-4.9);
        assertThat(method.symmetric(negative, 127)).isBetween(4.9, 7.0);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void shouldHaveNoRangeForZerosAlone(Kind kind) {
        RangeMethod method = new RangeMethod(kind, 99.99);
        Histogram zeros = histogram(0, 0, 0);
        assertThat(method.asymmetric(zeros, 255, Seen.AS_IS)).isEqualTo(new Range(0, 0));
        assertThat(method.symmetric(zeros, 127)).isZero();
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void shouldKeepWhatIsSeldomAnythingButZero(Kind kind) {
        float[] values = new float[100_000];
        values[77] = 3;
        values[78] = 2;
        RangeMethod method = new RangeMethod(kind, 99.99);
        assertThat(method.asymmetric(histogram(values), 255, Seen.AS_IS).high()).isGreaterThan(1.9);
        assertThat(method.symmetric(histogram(values), 127)).isGreaterThan(1.9);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void shouldNeverGoBeyondWhatWasSeen(Kind kind) {
        RangeMethod method = new RangeMethod(kind, 99.5);
        for (Shape shape : Shape.values()) {
            Histogram histogram = histogram(shape.values(3));
            double amax = Math.max(-histogram.min(), histogram.max());
            Range range = method.asymmetric(histogram, 255, Seen.AS_IS);
            assertThat(range.low()).isBetween(Math.min(0, histogram.min()), 0.0);
            assertThat(range.high()).isBetween(0.0, Math.max(0, histogram.max()));
            assertThat(method.symmetric(histogram, 127)).isGreaterThan(0).isLessThanOrEqualTo(amax);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {50, 0, -1, 100.01, Double.NaN})
    void shouldRefusePercentilesThatAreNone(double percentile) {
        assertThatThrownBy(() -> new RangeMethod(Kind.PERCENTILE, percentile))
                .hasMessageContaining("expected more than 50, at most 100");
    }

    /** At least that share stays inside, and hardly more: a bin's worth. */
    @Property(tries = 60)
    void shouldKeepTheStatedShare(
            @ForAll long seed,
            @ForAll Shape shape,
            @ForAll @DoubleRange(min = 80, max = 100) double percentile) {
        float[] values = shape.values(seed);
        Histogram histogram = histogram(values);
        RangeMethod method = new RangeMethod(Kind.PERCENTILE, percentile);
        double slack = histogram.binWidth() * 1.001;
        double allowed = SIZE * (1 - percentile / 100);

        double amax = method.symmetric(histogram, 127);
        assertThat(outside(values, -amax - 1e-6 * amax, amax + 1e-6 * amax))
                .isLessThanOrEqualTo((long) Math.ceil(allowed));
        assertThat(outside(values, -amax + slack, amax - slack))
                .isGreaterThanOrEqualTo((long) Math.floor(allowed));

        Range range = method.asymmetric(histogram, 255, Seen.AS_IS);
        assertThat(outside(values, range.low() * 1.000001, Double.POSITIVE_INFINITY))
                .isLessThanOrEqualTo((long) Math.ceil(allowed / 2));
        assertThat(outside(values, Double.NEGATIVE_INFINITY, range.high() * 1.000001))
                .isLessThanOrEqualTo((long) Math.ceil(allowed / 2));
        if (range.low() < 0) {
            assertThat(outside(values, range.low() + slack, Double.POSITIVE_INFINITY))
                    .isGreaterThanOrEqualTo((long) Math.floor(allowed / 2));
        }
        assertThat(outside(values, Double.NEGATIVE_INFINITY, range.high() - slack))
                .isGreaterThanOrEqualTo((long) Math.floor(allowed / 2));
    }

    private static long outside(float[] values, double low, double high) {
        long count = 0;
        for (float value : values) {
            count += value < low || value > high ? 1 : 0;
        }
        return count;
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void shouldErrLeastWithMse(Shape shape) {
        float[] values = shape.values(11);
        Histogram histogram = histogram(values);
        double low = Math.min(0, histogram.min());
        double high = Math.max(0, histogram.max());
        for (int bits : new int[] {8, 4}) {
            int steps = (1 << bits) - 1;
            for (Seen seen : Seen.values()) {
                Range range = RangeMethod.MSE.asymmetric(histogram, steps, seen);
                double found = error(values, range.low(), range.high(), steps, seen);
                double least = Double.POSITIVE_INFINITY;
                for (double top = high / 16; top <= high * 1.001; top += high / 16) {
                    for (double bottom = low; bottom <= 0; bottom -= low / 10) {
                        least = Math.min(least, error(values, bottom, top, steps, seen));
                        if (low == 0) {
                            break;
                        }
                    }
                }
                // One end after the other is no search of all pairs, but close to one.
                assertThat(found).as("%d bits %s", bits, seen).isLessThan(1.05 * least);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void shouldErrLeastWithSymmetricMse(Shape shape) {
        float[] values = shape.values(12);
        Histogram histogram = histogram(values);
        double amax = Math.max(-histogram.min(), histogram.max());
        for (int bits : new int[] {8, 4}) {
            int steps = (1 << (bits - 1)) - 1;
            DoubleUnaryOperator error = end -> error(values, -end, end, 2 * steps, Seen.AS_IS);
            double found = error.applyAsDouble(RangeMethod.MSE.symmetric(histogram, steps));
            for (int i = 1; i <= 200; i++) {
                assertThat(found).isLessThan(1.02 * error.applyAsDouble(amax * i / 200));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Seen.class,
            names = {"THROUGH_SIGMOID", "THROUGH_SILU"})
    void shouldNotSpendNumbersOnWhatDoesNotComeThrough(Seen seen) {
        Random random = new Random(5);
        float[] values = new float[SIZE];
        for (int i = 0; i < SIZE; i++) {
            values[i] = (float) (random.nextGaussian() - (i % 2 == 0 ? 30 : 0));
        }
        Histogram histogram = histogram(values);
        assertThat(RangeMethod.MSE.asymmetric(histogram, 255, Seen.AS_IS).low()).isLessThan(-28);
        assertThat(RangeMethod.MSE.asymmetric(histogram, 255, seen).low()).isGreaterThan(-16);
    }

    /**
     * The calibrator as it is described, written plainly: a histogram of magnitudes of its own,
     * 2048 bins up to the largest. The divergence for each number of bins kept.
     */
    private static double[] plainEntropy(float[] values) {
        double amax = 0;
        for (float value : values) {
            amax = Math.max(amax, Math.abs(value));
        }
        int bins = 2048;
        int levels = 128;
        double[] counts = new double[bins];
        for (float value : values) {
            if (value != 0) {
                counts[(int) Math.min(bins - 1, Math.abs(value) / amax * bins)]++;
            }
        }
        counts[0] = counts[1];
        double[] divergences = new double[bins + 1];
        Arrays.fill(divergences, 0, levels, Double.POSITIVE_INFINITY);
        for (int kept = levels; kept <= bins; kept++) {
            double[] truth = Arrays.copyOf(counts, kept);
            for (int bin = kept; bin < bins; bin++) {
                truth[kept - 1] += counts[bin];
            }
            double[] rounded = new double[kept];
            for (int level = 0; level < levels; level++) {
                int from = (level * kept + levels - 1) / levels;
                int to = ((level + 1) * kept + levels - 1) / levels;
                double mass = 0;
                int filled = 0;
                for (int bin = from; bin < to; bin++) {
                    mass += counts[bin];
                    filled += counts[bin] > 0 ? 1 : 0;
                }
                for (int bin = from; bin < to; bin++) {
                    rounded[bin] = counts[bin] > 0 ? mass / filled : 0;
                }
            }
            divergences[kept] = divergence(truth, rounded);
        }
        return divergences;
    }

    private static double divergence(double[] truth, double[] rounded) {
        double truthSum = Arrays.stream(truth).sum();
        double roundedSum = Arrays.stream(rounded).sum();
        double divergence = 0;
        for (int i = 0; i < truth.length; i++) {
            if (truth[i] > 0) {
                divergence +=
                        truth[i]
                                / truthSum
                                * Math.log((truth[i] / truthSum) / (rounded[i] / roundedSum));
            }
        }
        return divergence;
    }

    @ParameterizedTest
    @EnumSource(Shape.class)
    void shouldLoseLeastInformationWithEntropy(Shape shape) {
        float[] values = shape.values(LARGE, 21);
        double[] divergences = plainEntropy(values);
        double least = Arrays.stream(divergences).min().getAsDouble();
        // However far the histogram reaches beyond the largest value.
        for (double beyond : new double[] {1, 1.01, 1.37, 1.6, 1.99}) {
            Histogram histogram = grownTo(values, beyond);
            double amax = Math.max(-histogram.min(), histogram.max());
            double found = RangeMethod.ENTROPY.symmetric(histogram, 127) / amax * 2048;
            // A bin's edge decides whether it is empty, which makes its divergence infinite.
            double near =
                    Arrays.stream(
                                    divergences,
                                    (int) Math.max(0, found - 5),
                                    (int) Math.min(2049, found + 6))
                            .min()
                            .getAsDouble();
            assertThat(near).as("limit %s", beyond).isLessThan(1.1 * least + 1e-6);
        }
    }

    /** A histogram whose limit is about that many times the largest magnitude. */
    private static Histogram grownTo(float[] values, double beyond) {
        double amax = 0;
        for (float value : values) {
            amax = Math.max(amax, Math.abs(value));
        }
        Histogram histogram = new Histogram();
        float first = (float) (amax * beyond / 4);
        histogram.add(FloatBuffer.wrap(new float[] {first}));
        histogram.add(FloatBuffer.wrap(values));
        return histogram;
    }

    @Test
    void shouldTakeBothEndsFromTheSameMagnitudeWithEntropy() {
        Histogram histogram = histogram(Shape.SILU.values(4));
        double amax = RangeMethod.ENTROPY.symmetric(histogram, 127);
        Range range = RangeMethod.ENTROPY.asymmetric(histogram, 255, Seen.AS_IS);
        assertThat(range.high()).isEqualTo(amax);
        assertThat(range.low()).isEqualTo(histogram.min());
    }

    @Test
    void shouldRefuseRangesWithoutZero() {
        assertThatThrownBy(() -> new Range(0.1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Range(-1, -0.1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new Range(Double.NaN, 1))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(new Range(-2, 1).union(new Range(-1, 3))).isEqualTo(new Range(-2, 3));
        assertThat(new Range(-2, 1).amax()).isEqualTo(2);
    }
}

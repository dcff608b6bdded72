// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HistogramTest {

    /** Values one call each, so that the range has to grow. */
    static Histogram of(float... values) {
        Histogram histogram = new Histogram();
        for (float value : values) {
            histogram.add(FloatBuffer.wrap(new float[] {value}));
        }
        return histogram;
    }

    private static long inBins(Histogram histogram) {
        return Arrays.stream(histogram.counts()).sum();
    }

    @Test
    void shouldPutValuesWhereTheyBelong() {
        Histogram histogram = new Histogram();
        histogram.add(FloatBuffer.wrap(new float[] {-4, -2.0005f, 0, -0.0f, 1.0005f, 4}));

        assertThat(histogram.limit()).isEqualTo(4);
        assertThat(histogram.binWidth()).isEqualTo(1.0 / 1024);
        assertThat(histogram.zeros()).isEqualTo(2);
        assertThat(histogram.total()).isEqualTo(6);
        assertThat(histogram.count(0)).isEqualTo(1);
        assertThat(histogram.count(2 * 1024 - 1)).isEqualTo(1);
        assertThat(histogram.count(5 * 1024)).isEqualTo(1);
        assertThat(histogram.count(Histogram.BINS - 1)).isEqualTo(1);
        assertThat(inBins(histogram)).isEqualTo(4);
        assertThat(histogram.centre(5 * 1024)).isEqualTo(1 + 0.5 / 1024);
    }

    @Test
    void shouldFoldBothSignsIntoMagnitudes() {
        Histogram histogram = of(-4, 4, 0.0001f, -0.0001f, 0, 2.0001f);
        long[] magnitudes = histogram.magnitudes();
        assertThat(magnitudes).hasSize(Histogram.BINS / 2);
        assertThat(magnitudes[0]).isEqualTo(2);
        assertThat(magnitudes[Histogram.BINS / 4]).isEqualTo(1);
        assertThat(magnitudes[Histogram.BINS / 2 - 1]).isEqualTo(2);
    }

    @Test
    void shouldBeEmptyBeforeItSawAnything() {
        Histogram histogram = new Histogram();
        assertThat(histogram.min()).isZero();
        assertThat(histogram.max()).isZero();
        assertThat(histogram.total()).isZero();
        assertThat(RangeMethod.MSE.asymmetric(histogram, 255, Seen.AS_IS))
                .isEqualTo(new Range(0, 0));
        assertThat(RangeMethod.ENTROPY.symmetric(histogram, 127)).isZero();
    }

    @Test
    void shouldCountZerosBeforeItKnowsItsRange() {
        Histogram histogram = new Histogram();
        histogram.add(FloatBuffer.wrap(new float[5000]));
        assertThat(histogram.limit()).isZero();
        assertThat(histogram.zeros()).isEqualTo(5000);
        histogram.add(FloatBuffer.wrap(new float[] {0.25f}));
        assertThat(histogram.limit()).isEqualTo(0.25);
        assertThat(histogram.total()).isEqualTo(5001);
        assertThat(histogram.min()).isZero();
    }

    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void shouldRefuseWhatIsNoNumber(float value) {
        float[] values = new float[9000];
        values[8500] = value;
        assertThatThrownBy(() -> new Histogram().add(FloatBuffer.wrap(values)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("finite");
    }

    @Property(tries = 100)
    void shouldKnowSmallestLargestAndHowMany(
            @ForAll @Size(min = 1, max = 40) List<@FloatRange(min = -1e6f, max = 1e6f) Float> all) {
        Histogram histogram = new Histogram();
        all.forEach(value -> histogram.add(FloatBuffer.wrap(new float[] {value})));

        assertThat(histogram.min())
                .isEqualTo(all.stream().mapToDouble(Float::doubleValue).min().getAsDouble());
        assertThat(histogram.max())
                .isEqualTo(all.stream().mapToDouble(Float::doubleValue).max().getAsDouble());
        assertThat(histogram.total()).isEqualTo(all.size());
        assertThat(histogram.zeros()).isEqualTo(all.stream().filter(v -> v == 0).count());
        assertThat(histogram.limit())
                .isGreaterThanOrEqualTo(Math.max(-histogram.min(), histogram.max()));
    }

    /** Growing merges whole bins: what comes out is what the final range would have counted. */
    @Property(tries = 60)
    void shouldGrowIntoWhatTheFinalRangeWouldHaveCounted(
            @ForAll long seed, @ForAll @IntRange(min = 0, max = 6) int doublings) {
        Random random = new Random(seed);
        float limit = 0.5f + random.nextFloat();
        float[][] parts = new float[doublings + 1][];
        for (int i = 0; i <= doublings; i++) {
            float reach = limit * (1 << i);
            parts[i] = new float[200];
            for (int j = 1; j < parts[i].length; j++) {
                parts[i][j] = reach * (2 * random.nextFloat() - 1);
            }
            parts[i][0] = -reach;
        }
        Histogram grown = new Histogram();
        Histogram once = new Histogram();
        once.add(FloatBuffer.wrap(parts[doublings]));
        for (float[] part : parts) {
            grown.add(FloatBuffer.wrap(part));
        }
        for (int i = 0; i < doublings; i++) {
            once.add(FloatBuffer.wrap(parts[i]));
        }

        assertThat(grown.limit()).isEqualTo(once.limit());
        assertThat(grown.counts()).isEqualTo(once.counts());
    }

    /** From any first value, not only powers of two below the last: equal up to a bin's width. */
    @Property(tries = 60)
    void shouldHoldTheSameDistributionHoweverItGrew(@ForAll long seed) {
        Random random = new Random(seed);
        float[] values = new float[500];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * Math.exp(random.nextGaussian()));
        }
        Histogram grown = of(values);
        Histogram once = new Histogram();
        once.add(FloatBuffer.wrap(values));

        assertThat(grown.limit()).isLessThan(2 * Math.max(-grown.min(), grown.max()) * 1.0001);
        double width = Math.max(grown.binWidth(), once.binWidth());
        for (double at : new double[] {-3, -1, -0.3, 0.01, 0.2, 0.9, 2.5}) {
            long below = IntStream.range(0, values.length).filter(i -> values[i] < at).count();
            long near =
                    IntStream.range(0, values.length)
                            .filter(i -> Math.abs(values[i] - at) <= width)
                            .count();
            for (Histogram histogram : List.of(grown, once)) {
                long counted =
                        IntStream.range(0, Histogram.BINS)
                                .filter(bin -> histogram.centre(bin) < at)
                                .mapToLong(histogram::count)
                                .sum();
                long zerosBelow = at > 0 ? histogram.zeros() : 0;
                assertThat(Math.abs(counted + zerosBelow - below)).isLessThanOrEqualTo(near);
            }
        }
    }
}

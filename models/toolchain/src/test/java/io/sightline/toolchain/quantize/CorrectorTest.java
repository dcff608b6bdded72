// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.testing.NoisePictures;
import io.sightline.vision.Interpolation;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class CorrectorTest {

    private static final int CHANNELS = 5;
    private static final int AREA = 36;
    private static final int PICTURES = 3;

    /** A float's rounding in all that goes into a sum. */
    private static final float EXACT = 1e-4f;

    @TempDir Path folder;

    private static float[] noise(Random random) {
        float[] values = new float[CHANNELS * AREA];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    @Property(tries = 100)
    void shouldRecoverAnErrorThatIsAffineInEachChannel(
            @ForAll @LongRange(min = 0, max = 100_000) long seed) {
        Random random = new Random(seed);
        float[] scale = new float[CHANNELS];
        float[] shift = new float[CHANNELS];
        for (int c = 0; c < CHANNELS; c++) {
            scale[c] = 0.7f + 0.7f * random.nextFloat();
            shift[c] = 4 * random.nextFloat() - 2;
        }
        Corrector.Channels channels = new Corrector.Channels(CHANNELS);
        for (int picture = 0; picture < PICTURES; picture++) {
            float[] values = noise(random);
            float[] truth = new float[values.length];
            for (int i = 0; i < truth.length; i++) {
                truth[i] = scale[i / AREA] * values[i] + shift[i / AREA];
            }
            channels.add(FloatBuffer.wrap(truth), FloatBuffer.wrap(values));
        }
        ChannelCorrection found = channels.fit();
        assertThat(found.scale()).containsExactly(scale, within(EXACT));
        assertThat(found.shift()).containsExactly(shift, within(EXACT));
    }

    @Test
    void shouldLeaveTheScaleOfAChannelWithHardlyAnySignal() {
        Random random = new Random(1);
        float[] values = noise(random);
        float[] truth = values.clone();
        for (int i = 0; i < AREA; i++) {
            // Nothing; a constant; a constant but for the last bit; opposed to the truth.
            values[i] = 0;
            truth[i] = 0.25f;
            values[AREA + i] = 3;
            truth[AREA + i] = 2.5f;
            values[2 * AREA + i] = i % 2 == 0 ? 8 : Math.nextUp(8f);
            truth[2 * AREA + i] = i % 3;
            values[3 * AREA + i] = -truth[3 * AREA + i];
        }
        Corrector.Channels channels = new Corrector.Channels(CHANNELS);
        channels.add(FloatBuffer.wrap(truth), FloatBuffer.wrap(values));
        ChannelCorrection found = channels.fit();
        assertThat(found.scale()[0]).isEqualTo(1);
        assertThat(found.shift()[0]).isEqualTo(0.25f);
        assertThat(found.scale()[1]).isEqualTo(1);
        assertThat(found.shift()[1]).isEqualTo(-0.5f);
        assertThat(found.scale()[2]).isEqualTo(1);
        assertThat(found.shift()[2]).isCloseTo(-7, within(EXACT));
        assertThat(found.scale()[3]).as("not turned round").isPositive();
        assertThat(found.scale()[4]).isCloseTo(1, within(EXACT));
        assertThat(found.shift()[4]).isCloseTo(0, within(EXACT));
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldBringANetworkOfFewBitsNearerToTheFloatOne(Target target) throws Exception {
        SmallNet net = SmallNet.ofBytes();
        Graph graph =
                net.decoded(net.convSilu("c", net.convSilu("b", net.convSilu("a", "pixels"))));
        CalibrationTable table = SmallNet.observed(graph);
        QuantizePlan plan =
                QuantizePlan.of(target, RangeMethod.MSE).withBits(3, 8, Set.of("a.conv"));
        List<Path> pictures = NoisePictures.write(folder, "noise", 4, SmallNet.SIDE, 8);

        QuantizePlan corrected =
                Corrector.correct(
                        graph,
                        table,
                        plan,
                        SmallNet.spec(SmallNet.SIDE, 3),
                        pictures,
                        Interpolation.LINEAR,
                        Progress.SILENT);

        assertThat(corrected.corrections().keySet())
                .containsExactlyInAnyOrderElementsOf(Quantizer.layers(graph));
        assertThat(corrected.withCorrections(plan.corrections())).isEqualTo(plan);
        // On other pictures than those that it was fitted to.
        float[] truth = SmallNet.values(graph, "head", false);
        double before = error(truth, graph, table, plan);
        double after = error(truth, graph, table, corrected);
        assertThat(after).isLessThan(0.8 * before);
    }

    private static double error(
            float[] truth, Graph graph, CalibrationTable table, QuantizePlan plan) {
        Graph quantized = Quantizer.quantize(graph, table, plan).graph();
        return SmallNet.agreement(truth, SmallNet.values(quantized, "head", false)).mse();
    }
}

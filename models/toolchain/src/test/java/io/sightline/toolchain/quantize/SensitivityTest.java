// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.Histogram;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.quantize.QuantizeSettings.Metric;
import io.sightline.toolchain.testing.NoisePictures;
import io.sightline.vision.Interpolation;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SensitivityTest {

    @TempDir Path folder;

    /** Four layers, the last of which is decoded. */
    private static Graph chain() {
        SmallNet net = SmallNet.ofBytes();
        return net.decoded(net.convSilu("c", net.convSilu("b", net.convSilu("a", "pixels"))));
    }

    /** As if a value had been seen that is far beyond all others: what is rounded is coarse. */
    private static CalibrationTable withOutlier(CalibrationTable table, String tensor) {
        Map<String, Histogram> tensors = new HashMap<>();
        table.tensors().forEach(name -> tensors.put(name, table.of(name)));
        Histogram wide = new Histogram();
        wide.add(FloatBuffer.wrap(new float[] {-1, 400}));
        tensors.put(tensor, wide);
        return new CalibrationTable(table.graphSha256(), table.pictures(), tensors);
    }

    private List<Sensitivity.OfLayer> analyse(Graph graph, CalibrationTable table, Target target)
            throws Exception {
        return new Sensitivity(
                        graph,
                        table,
                        QuantizePlan.of(target, RangeMethod.MAX),
                        SmallNet.spec(SmallNet.SIDE, 3),
                        Progress.SILENT)
                .analyse(
                        NoisePictures.write(folder, "noise", 2, SmallNet.SIDE, 4),
                        Interpolation.LINEAR,
                        null,
                        Double.NaN,
                        null);
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldFindTheLayerThatWasMadeBad(Target target) throws Exception {
        Graph graph = chain();
        CalibrationTable table = withOutlier(SmallNet.observed(graph), "b");
        List<Sensitivity.OfLayer> found = analyse(graph, table, target);

        assertThat(found)
                .extracting(Sensitivity.OfLayer::layer)
                .containsExactlyElementsOf(Quantizer.layers(graph));
        for (Metric metric : List.of(Metric.MSE, Metric.SNR, Metric.COSINE)) {
            assertThat(found.stream().sorted(Sensitivity.mostSensitive(metric)).findFirst())
                    .get()
                    .extracting(Sensitivity.OfLayer::layer)
                    .as(metric.toString())
                    .isEqualTo("c.conv");
        }
        for (Sensitivity.OfLayer layer : found) {
            for (Agreement agreement : List.of(layer.output(), layer.network())) {
                assertThat(agreement.mse()).isFinite().isPositive();
                assertThat(agreement.snr()).isFinite();
                assertThat(agreement.cosine()).isBetween(-1.0, 1.0);
            }
            if (!layer.layer().equals("c.conv")) {
                assertThat(layer.output().snr()).as(layer.layer()).isGreaterThan(25);
            }
            assertThat(layer.apLoss()).isNull();
        }
    }

    @Test
    void shouldCompareWithTheFloatNetworkItself() throws Exception {
        Graph graph = chain();
        CalibrationTable table = SmallNet.observed(graph);
        List<Sensitivity.OfLayer> found = analyse(graph, table, Target.ONNXRUNTIME);
        // The last layer's error is all that the network's output has, but for the decoding.
        Sensitivity.OfLayer last = found.get(found.size() - 1);
        assertThat(last.layer()).isEqualTo("head");
        assertThat(last.network().snr()).isGreaterThan(last.output().snr());
    }

    @Test
    void shouldAnalyseAConvolutionThatGivesTheOutputItself() throws Exception {
        SmallNet net = SmallNet.ofBytes();
        net.conv("outputs", net.convSilu("a", "pixels"));
        Graph graph = net.endingIn("outputs");
        List<Sensitivity.OfLayer> found =
                analyse(graph, SmallNet.observed(graph), Target.ONNXRUNTIME);
        assertThat(found).hasSize(2);
        assertThat(found).allSatisfy(layer -> assertThat(layer.network().snr()).isGreaterThan(25));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sightline.inference.ModelFile;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SyntheticModelTest {

    @TempDir Path folder;

    /** Drawing 58 million weights takes longer than all that is looked at here. */
    private static final class NoWeights extends Random {
        @Override
        public double nextGaussian() {
            return 0;
        }
    }

    private record Layer(
            Node node, boolean transposed, int kernel, int stride, int in, int out, int size) {

        double macs() {
            double outputs = (double) size * size * out;
            return transposed
                    // Each output sees one input pixel.
                    ? outputs * in
                    : outputs * in * kernel * kernel;
        }
    }

    private static SyntheticModel model(String name, String version, int size) {
        return new SyntheticModel(YoloV6.of(name, version), BlockForm.INFERENCE, size, size, 80, 1);
    }

    /** The convolutions of a square network, sizes followed from the input through the graph. */
    private static List<Layer> layers(Graph graph, int inputSize) {
        Map<String, Integer> sizes = new HashMap<>();
        sizes.put("images", inputSize);
        List<Layer> layers = new ArrayList<>();
        for (Node node : graph.sorted()) {
            Integer size = sizes.get(node.input(0));
            if (size == null || node.is("Reshape")) {
                continue;
            }
            boolean transposed = node.is("ConvTranspose");
            if (node.is("Conv") || transposed) {
                Tensor weight = graph.constant(node.input(1));
                int stride = (int) node.longsAttribute("strides", 1, 1)[0];
                size = transposed ? size * stride : size / stride;
                layers.add(
                        new Layer(
                                node,
                                transposed,
                                (int) weight.dim(2),
                                stride,
                                (int) weight.dim(transposed ? 0 : 1),
                                (int) weight.dim(transposed ? 1 : 0),
                                size));
            }
            sizes.put(node.output(), size);
        }
        return layers;
    }

    private static String describe(Graph graph, Layer layer) {
        List<Node> next = graph.consumers(layer.node.output());
        String activation =
                next.stream().anyMatch(n -> n.is("Mul"))
                        ? "silu"
                        : next.get(0).is("Relu") || next.get(0).is("Sigmoid")
                                ? next.get(0).opType().toLowerCase(Locale.ROOT)
                                : "-";
        return "%s %sconv%d/%d %d>%d @%d %s"
                .formatted(
                        layer.node.name(),
                        layer.transposed ? "de" : "",
                        layer.kernel,
                        layer.stride,
                        layer.in,
                        layer.out,
                        layer.size,
                        activation);
    }

    private static List<String> published(String heading) throws IOException {
        try (InputStream in = SyntheticModelTest.class.getResourceAsStream("layers.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .dropWhile(line -> !line.equals("[" + heading + "]"))
                    .skip(1)
                    .takeWhile(line -> !line.startsWith("["))
                    .toList();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "yolov6n, 2.0, 4.317, 11.04",
        "yolov6t, 2.0, 9.70, 24.7",
        "yolov6s, 2.0, 17.220, 43.87",
        "yolov6m, 2.0, 34.29, 81.5",
        "yolov6l, 2.0, 58.54, 142.8",
        "yolov6n, 3.0, 4.647, 11.32",
        "yolov6s, 3.0, 18.537, 44.97",
        "yolov6m, 3.0, 34.86, 85.1",
        "yolov6l, 3.0, 59.61, 149.5",
    })
    void shouldHaveThePublishedSize(String name, String version, double millions, double gflops) {
        Graph graph = model(name, version, 640).graph(new NoWeights());
        List<Layer> layers = layers(graph, 640);
        long parameters = 0;
        for (Layer layer : layers) {
            for (String constant : layer.node.inputs().subList(1, layer.node.inputs().size())) {
                parameters += graph.constant(constant).size();
            }
        }
        assertThat(parameters / 1e6).isCloseTo(millions, within(0.001 * millions));
        double macs = layers.stream().mapToDouble(Layer::macs).sum();
        assertThat(2 * macs / 1e9).isCloseTo(gflops, within(0.01 * gflops));
    }

    @ParameterizedTest
    @CsvSource({"yolov6n, 2.0", "yolov6s, 2.0", "yolov6n, 3.0", "yolov6s, 3.0"})
    void shouldHaveThePublishedLayers(String name, String version) throws IOException {
        Graph graph = model(name, version, 640).graph(new NoWeights());
        assertThat(layers(graph, 640).stream().map(layer -> describe(graph, layer)))
                .containsExactlyInAnyOrderElementsOf(published(name + " " + version));
    }

    @ParameterizedTest
    @CsvSource({"yolov6n, 2.0", "yolov6n, 3.0", "yolov6m, 2.0"})
    void shouldRunAndGiveRowsOfBoxesAndScores(String name, String version) {
        Graph graph = model(name, version, 64).graph();
        float[] rows = run(graph);
        assertThat(rows).hasSize((64 + 16 + 4) * 85);
        double scores = 0;
        for (int row = 0; row < rows.length; row += 85) {
            assertThat(rows[row + 4]).isEqualTo(1f);
            for (int c = 5; c < 85; c++) {
                assertThat(rows[row + c]).isBetween(0f, 1f);
                scores += rows[row + c] / (80.0 * rows.length / 85);
            }
        }
        assertThat(scores).isBetween(0.001, 0.1);
    }

    @Test
    void shouldPutBoxesWhereTheirAnchorsAre() {
        Graph graph =
                new SyntheticModel(YoloV6.of("yolov6n", "2.0"), BlockForm.INFERENCE, 96, 64, 3, 1)
                        .graph(new NoWeights());
        float[] rows = run(graph);
        assertThat(rows).hasSize((96 + 24 + 6) * 8);
        // Without weights each side is one stride away, the bias.
        assertThat(rows).startsWith(4, 4, 16, 16, 1);
        int second = 8;
        assertThat(rows[second]).isEqualTo(12f);
        int secondRow = 12 * 8;
        assertThat(rows[secondRow]).isEqualTo(4f);
        assertThat(rows[secondRow + 1]).isEqualTo(12f);
        int last = rows.length - 8;
        assertThat(rows[last]).isEqualTo(80f);
        assertThat(rows[last + 1]).isEqualTo(48f);
        assertThat(rows[last + 2]).isEqualTo(64f);
        assertThat(rows[last + 5]).isCloseTo(0.01f, within(1e-4f));
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepActivationsAtAScaleThatComputes(BlockForm form) {
        Graph graph =
                new SyntheticModel(YoloV6.of("yolov6n", "3.0"), form, 128, 128, 80, 3).graph();
        List<String> stages =
                List.of("ER3.rep.3.relu_out", "ER5.rep.1.relu_out", "Rep_n4.3.relu_out");
        try (GraphSession session =
                GraphSession.open(
                        TensorShapes.exposing(graph, stages).toBytes(),
                        SessionSettings.serving(2))) {
            session.run(
                    TensorShapes.randomInputs(graph, 1, new Random(1)),
                    (name, value) ->
                            assertThat(meanSquare(value.floats())).as(name).isBetween(0.02, 10.0));
        }
    }

    private static double meanSquare(FloatBuffer values) {
        double sum = 0;
        for (int i = 0; i < values.limit(); i++) {
            sum += values.get(i) * values.get(i);
        }
        return sum / values.limit();
    }

    @Test
    void shouldHaveTheBranchesOfItsTrainingForm() {
        YoloV6 n = YoloV6.of("yolov6n", "2.0");
        assertThat(count(n, BlockForm.INFERENCE, "BatchNormalization")).isZero();
        // Stem, 4 that halve the size, 14 in the backbone, 16 in the neck; 28 keep shape.
        assertThat(count(n, BlockForm.REPVGG, "Conv"))
                .isEqualTo(count(n, BlockForm.INFERENCE, "Conv") + 35);
        assertThat(count(n, BlockForm.QAREPVGG, "AveragePool")).isZero();
        assertThat(count(n, BlockForm.QAREPVGG_V2, "AveragePool")).isEqualTo(28);
        // Nothing in L is a block of parallel branches.
        YoloV6 l = YoloV6.of("yolov6l", "2.0");
        assertThat(count(l, BlockForm.REPVGG, "Conv"))
                .isEqualTo(count(l, BlockForm.INFERENCE, "Conv"));
    }

    private static long count(YoloV6 architecture, BlockForm form, String opType) {
        return new SyntheticModel(architecture, form, 64, 64, 80, 1)
                .graph(new NoWeights()).nodes().stream().filter(node -> node.is(opType)).count();
    }

    @Test
    void shouldWriteTheSameFileForTheSameSeedAndDescribeIt() {
        SyntheticModel model = model("yolov6n", "2.0", 64);
        Path file = folder.resolve("n.onnx");
        model.write(file);
        assertThat(model.graph().toBytes()).isEqualTo(Graph.read(file).toBytes());
        assertThat(run(model.graph()))
                .isNotEqualTo(
                        run(
                                new SyntheticModel(
                                                model.architecture(),
                                                BlockForm.INFERENCE,
                                                64,
                                                64,
                                                80,
                                                2)
                                        .graph()));
        assertThat(folder.resolve("n.json"))
                .content()
                .contains("\"border\" : 2", "Apache-2.0", OutputLayout.ANCHORS_OBJ.label());
        assertThat(ModelFile.read(file).name()).isEqualTo("yolov6n-2.0-random");
    }

    @Test
    void shouldSayWhatItCannotBuild() {
        assertThatThrownBy(() -> YoloV6.of("yolov6t", "3.0"))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("2.0 only");
        assertThatThrownBy(() -> YoloV6.of("yolov6x", "3.0")).hasMessageContaining("yolov6n");
        assertThatThrownBy(() -> YoloV6.of("yolov6n", "4.0")).hasMessageContaining("2.0 or 3.0");
        assertThatThrownBy(() -> model("yolov6n", "2.0", 650))
                .hasMessageContaining("multiples of 32");
        assertThat(YoloV6.of("yolov6s", "2.0").border()).isEqualTo(3);
        assertThat(YoloV6.of("yolov6l", "3.0").border()).isEqualTo(2);
    }

    private static float[] run(Graph graph) {
        try (GraphSession session =
                GraphSession.open(graph.toBytes(), SessionSettings.serving(2))) {
            FloatBuffer out =
                    session.run(TensorShapes.randomInputs(graph, 1, new Random(1)))
                            .get("outputs")
                            .floats();
            float[] values = new float[out.remaining()];
            out.get(values);
            return values;
        }
    }
}

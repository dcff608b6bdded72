// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.events.testing.SharedFiles;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.check.CheckReport.Layer;
import io.sightline.toolchain.check.Finding.About;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CheckerTest {

    @TempDir Path folder;

    /** A convolution, a depthwise one, a transposed one, and a matrix. */
    private static Graph layers() {
        Graph graph = new Graph("layers", 13);
        graph.inputs().add(ValueInfo.of("images", ElementType.FLOAT, 1, 3, 16, 16));
        constant(graph, "w1", 8, 3, 3, 3);
        constant(graph, "b1", 8);
        graph.add("Conv", "plain", List.of("images", "w1", "b1"), "a")
                .with("strides", new long[] {2, 2})
                .with("pads", new long[] {1, 1, 1, 1});
        constant(graph, "w2", 8, 1, 3, 3);
        graph.add("Conv", "depthwise", List.of("a", "w2"), "b")
                .with("group", 8)
                .with("pads", new long[] {1, 1, 1, 1});
        constant(graph, "w3", 8, 4, 2, 2);
        graph.add("ConvTranspose", "up", List.of("b", "w3"), "c")
                .with("strides", new long[] {2, 2});
        graph.add("HardSwish", "", List.of("c"), "d");
        graph.requireOpset("", 14);
        constant(graph, "w4", 16, 5);
        graph.add("MatMul", "matrix", List.of("d", "w4"), "out");
        graph.outputs().add(ValueInfo.of("out", ElementType.FLOAT, 1, 4, 16, 5));
        return graph;
    }

    private static void constant(Graph graph, String name, long... dims) {
        int size = 1;
        for (long dim : dims) {
            size *= (int) dim;
        }
        graph.initializers().put(name, Tensor.floats(dims, new float[size]));
    }

    private CheckReport check(Graph graph) {
        Path file = folder.resolve("model.onnx");
        graph.write(file);
        return Checker.check(file);
    }

    @Test
    void shouldCountWhatEachLayerDoes() {
        CheckReport report = check(layers());

        assertThat(report.layers())
                .extracting(Layer::kind)
                .containsExactly("3x3/2", "depthwise 3x3/1", "transposed 2x2/2", "matrix");
        assertThat(report.layers())
                .extracting(Layer::macs)
                .containsExactly(
                        8L * 8 * 8 * 27, 8L * 8 * 8 * 9, 8L * 8 * 8 * 4 * 4, 4L * 16 * 5 * 16);
        assertThat(report.layers())
                .extracting(Layer::parameters)
                .containsExactly(224L, 72L, 128L, 80L);
        assertThat(report.parameters()).isEqualTo(504);
        assertThat(report.gflops()).isCloseTo(2e-9 * (13824 + 4608 + 8192 + 5120), within(1e-12));
        Layer plain = report.layers().get(0);
        assertThat(plain.elements()).isEqualTo(3 * 256 + 224 + 512);
        assertThat(plain.input()).containsExactly(1L, 3L, 16L, 16L);
        assertThat(report.layers().get(1).memoryBound()).isTrue();
        assertThat(report.layers().get(1).int8Millis())
                .isEqualTo(report.layers().get(1).floatMillis());
        assertThat(report.unnamed()).isEqualTo(1);
        assertThat(report.quantisation()).isEqualTo("none");
        assertThat(report.detector()).isNull();
        assertThat(report.findings())
                .anyMatch(f -> f.about() == About.INT8 && f.what().startsWith("1 depthwise"))
                .anyMatch(f -> f.about() == About.INT8 && f.what().startsWith("1 HardSwish"))
                .anyMatch(f -> f.about() == About.GRAPH && f.what().startsWith("1 nodes have no"))
                .anyMatch(f -> f.about() == About.DETECTOR && f.blocks())
                .noneMatch(f -> f.about() == About.TENSORRT && f.blocks())
                .noneMatch(f -> f.about() == About.ONNXRUNTIME);
    }

    @Test
    void shouldTellTheSameToProgramsAndToPeople() throws Exception {
        CheckReport report = check(layers());

        JsonNode json = new ObjectMapper().readTree(report.toJson());
        assertThat(json.get("opsets").get("ai.onnx").asInt()).isEqualTo(14);
        assertThat(json.get("layers").get(0).get("float_millis").asDouble()).isPositive();
        assertThat(json.get("sha256").asText()).hasSize(64);
        assertThat(json.get("findings").get(0).get("about").asText()).isEqualTo("graph");
        assertThat(CheckText.of(report))
                .contains("written by  sightline, opset 14", "depthwise 3x3/1", "8x8x8", "all")
                .doesNotContain("null");
    }

    @Test
    void shouldSayWhatQuantizeDoesWithAnOldOpset() {
        Graph graph = new Graph("old", 12);
        graph.inputs().add(ValueInfo.of("images", ElementType.FLOAT, 1, 3, 16, 16));
        constant(graph, "w", 8, 3, 3, 3);
        graph.add("Conv", "conv", List.of("images", "w"), "out");
        graph.outputs().add(ValueInfo.of("out", ElementType.FLOAT, 1, 8, 14, 14));
        assertThat(check(graph).findings())
                .contains(
                        new Finding(
                                About.INT8,
                                false,
                                "opset 12, where scales per channel need 13",
                                "quantize raises it"));
        graph.opsets().put("", 10L);
        assertThat(check(graph).findings())
                .contains(
                        new Finding(
                                About.INT8,
                                true,
                                "opset 10, where scales per channel need 13",
                                "export again, with --opset 13"));
        assertThat(check(layers()).findings()).noneMatch(f -> f.what().startsWith("opset"));
    }

    @Test
    void shouldReportWhatAPluginLeaves() {
        Graph graph = layers();
        graph.add("EfficientNMS_TRT", "nms", List.of("out"), "num_dets")
                .outputs()
                .addAll(List.of("det_boxes", "det_scores", "det_classes"));
        graph.outputs().clear();
        graph.outputs().add(ValueInfo.of("num_dets", ElementType.INT32, 1, 1));
        graph.outputs().add(ValueInfo.of("det_boxes", ElementType.FLOAT, 1, 100, 4));
        graph.outputs().add(ValueInfo.of("det_scores", ElementType.FLOAT, 1, 100));
        graph.outputs().add(ValueInfo.of("det_classes", ElementType.INT32, 1, 100));

        CheckReport report = check(graph);

        assertThat(report.detector().layout()).isEqualTo("end2end");
        assertThat(report.shapesKnown()).isTrue();
        assertThat(report.gflops()).isPositive();
        assertThat(report.findings())
                .anyMatch(
                        f ->
                                f.about() == About.ONNXRUNTIME
                                        && f.blocks()
                                        && f.what().contains("EfficientNMS_TRT")
                                        && f.remedy().contains("without NMS"))
                .anyMatch(f -> f.about() == About.TENSORRT && !f.blocks())
                .anyMatch(f -> f.what().startsWith("costs are of 5 nodes only"))
                .anyMatch(f -> f.about() == About.INT8 && f.what().contains("suppressions"));
    }

    @Test
    void shouldReportAGraphThatTheToolsCannotWorkOn() {
        Graph graph = layers();
        graph.nodes().get(4).inputs().set(0, "nowhere");
        CheckReport report = check(graph);
        assertThat(report.shapesKnown()).isFalse();
        assertThat(report.parameters()).isEqualTo(504);
        assertThat(report.findings())
                .anyMatch(
                        f -> f.about() == About.GRAPH && f.blocks() && f.what().contains("nowhere"))
                .anyMatch(f -> f.about() == About.GRAPH && f.what().contains("costs are unknown"));
        assertThat(CheckText.of(report)).contains("nowhere").doesNotContain("GFLOPs a frame");
    }

    @Test
    void shouldNameWhatTensorRtDoesNotTake() {
        Graph graph = layers();
        graph.initializers().put("s", Tensor.scalar(0.1f));
        graph.initializers().put("z", Tensor.bytes(ElementType.UINT8, new long[0], (byte) 3));
        graph.initializers().put("z8", Tensor.bytes(ElementType.INT8, new long[0], (byte) 3));
        graph.add("QuantizeLinear", "q", List.of("out", "s", "z"), "q");
        graph.add("DequantizeLinear", "dq", List.of("q", "s", "z"), "e");
        graph.add("QuantizeLinear", "q8", List.of("e", "s", "z8"), "q8");
        graph.add("DequantizeLinear", "dq8", List.of("q8", "s", "z8"), "f");
        graph.add(
                "Reshape", "flat", List.of("f", graph.addConstant("d", Tensor.longs(1, 320))), "g");
        graph.initializers().put("k", Tensor.longs(4000));
        graph.add("TopK", "top", List.of("g", "k"), "h").outputs().add("i");
        graph.add("Compress", "compress", List.of("h", "condition"), "j");
        graph.initializers()
                .put("condition", Tensor.bytes(ElementType.BOOL, new long[] {1}, (byte) 1));
        graph.outputs().set(0, ValueInfo.of("j", ElementType.FLOAT, 1));
        graph.requireOpset("", 24);

        CheckReport report = check(graph);

        assertThat(report.quantisation()).isEqualTo("static");
        assertThat(
                        report.findings().stream()
                                .filter(f -> f.about() == About.TENSORRT && f.blocks())
                                .map(Finding::what))
                .containsExactly(
                        "opset 24 is outside of 9 to 22",
                        "1 Compress: not in its parser",
                        "1 TopK: more than 3840 rows",
                        "1 QuantizeLinear, 1 DequantizeLinear: uint8, where it takes int8 only",
                        "1 QuantizeLinear, 1 DequantizeLinear: zero points other than 0");
        assertThat(report.findings())
                .allMatch(f -> !f.blocks() || f.about() != About.TENSORRT || !f.remedy().isEmpty());
    }

    @Test
    void shouldSayThatAFileIsNoModel() throws Exception {
        Path text = Files.writeString(folder.resolve("text.onnx"), "this is text");
        assertThatThrownBy(() -> Checker.check(text))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining(text.toString());
        assertThatThrownBy(() -> Checker.check(folder.resolve("none.onnx")))
                .isInstanceOf(ToolchainException.class);
        Path empty = Files.createFile(folder.resolve("empty.onnx"));
        assertThatThrownBy(() -> Checker.check(empty)).hasMessageContaining("no graph with nodes");
    }

    @ParameterizedTest
    @CsvSource({
        "yolov5n-640,               anchors-obj,    none,    1.867, 4.5",
        "yolov6-lite-s-320,         anchors-obj,    none,    0.53,  0.5",
        "yolov10n-640-dynamic-int8, pairs,          dynamic, 2.3,   6.7",
        "yolov8n-320-qdq-int8,      channels-first, static,  3.15,  2.2"
    })
    void shouldRecogniseARealModel(
            String model, String layout, String quantisation, double millions, double gflops) {
        CheckReport report = Checker.check(SharedFiles.require("models/" + model + ".onnx"));
        System.out.println(CheckText.of(report));
        assertThat(report.detector().layout()).isEqualTo(layout);
        assertThat(report.detector().borderStated()).isFalse();
        assertThat(report.quantisation()).isEqualTo(quantisation);
        assertThat(report.parameters() / 1e6).isCloseTo(millions, within(0.05 * millions));
        assertThat(report.gflops()).isCloseTo(gflops, within(0.1 * gflops));
    }
}

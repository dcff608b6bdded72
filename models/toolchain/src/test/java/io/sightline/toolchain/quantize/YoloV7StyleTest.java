// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.check.CheckReport;
import io.sightline.toolchain.check.Checker;
import io.sightline.toolchain.check.Finding;
import io.sightline.toolchain.fuse.FuseResult;
import io.sightline.toolchain.fuse.Fuser;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.prepare.PrepareSettings;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.prepare.Preparer;
import io.sightline.toolchain.testing.FoundObjects;
import io.sightline.toolchain.testing.NoisePictures;
import io.sightline.toolchain.testing.YoloV7Graph;
import io.sightline.vision.Detections;
import io.sightline.vision.NmsSettings;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A detector that decodes anchor boxes itself, from check to INT8. */
class YoloV7StyleTest {

    @TempDir Path folder;

    private Path model;
    private Graph graph;

    @BeforeEach
    void writeModel() {
        graph = YoloV7Graph.make();
        model = folder.resolve("model.onnx");
        graph.write(model);
    }

    private Prepared prepare(Target target, OptionalInt topK) {
        Graph fused = Fuser.fuse(graph, false).graph();
        ModelSpec spec = Preparer.specOf(model, graph, ModelOptions.NONE);
        return Preparer.prepare(
                fused, spec, new PrepareSettings(target, OptionalInt.empty(), topK));
    }

    @Test
    void shouldBeRecognised() {
        CheckReport report = Checker.check(model);
        assertThat(report.findings()).noneMatch(Finding::blocks);
        assertThat(report.detector().layout()).isEqualTo("anchors-obj");
        assertThat(report.detector().classes()).isEqualTo(YoloV7Graph.CLASSES);
        assertThat(report.detector().suppress()).isTrue();
        assertThat(report.quantisation()).isEqualTo("none");
        assertThat(report.shapesKnown()).isTrue();
        ModelSpec spec = Preparer.specOf(model, graph, ModelOptions.NONE);
        assertThat(spec.layout()).isEqualTo(OutputLayout.ANCHORS_OBJ);
        assertThat(spec.border()).as("its objectness is computed: no YOLOv6").isZero();
    }

    @Test
    void shouldBeFused() {
        FuseResult fused = Fuser.fuse(graph, false);
        assertThat(fused.worstRelativeError()).isLessThan(1e-4);
        assertThat(Quantizer.layers(fused.graph()))
                .isEqualTo(Quantizer.layers(graph))
                .contains("stem.conv", "detect.0", "detect.1", "detect.2");
    }

    @ParameterizedTest
    @CsvSource({"ONNXRUNTIME, 0", "ONNXRUNTIME, 1000", "TENSORRT, 0", "TENSORRT, 1000"})
    void shouldFindThePreparedWhatItFoundBefore(Target target, int topK) throws Exception {
        Prepared prepared = prepare(target, topK == 0 ? OptionalInt.empty() : OptionalInt.of(topK));
        Path written = folder.resolve("prepared.onnx");
        prepared.write(written);

        assertThat(prepared.spec().inputFormat()).isEqualTo(InputFormat.BYTES_NHWC_BGR);
        assertThat(prepared.spec().dynamicBatch()).isTrue();
        List<Path> pictures =
                NoisePictures.write(folder.resolve("pictures"), "n", 3, YoloV7Graph.SIDE, 2);
        List<Detections> before = detect(pictures, model, 1, true);
        List<Detections> after = detect(pictures, written, 3, target == Target.ONNXRUNTIME);
        assertThat(before).allSatisfy(found -> assertThat(found.size()).isBetween(5, 250));
        for (int i = 0; i < before.size(); i++) {
            FoundObjects.assertSame(before.get(i), after.get(i), "picture " + i);
        }
    }

    private static List<Detections> detect(
            List<Path> pictures, Path onnx, int batch, boolean optimise) throws Exception {
        NmsSettings nms = new NmsSettings(0.6f, 0.65f, 30_000, 300, false);
        return FoundObjects.in(pictures, onnx, ModelOptions.NONE, batch, optimise, nms);
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldBeQuantisedButForItsDecoding(Target target) {
        CalibrationTable table =
                SmallNet.observed(prepare(Target.ONNXRUNTIME, OptionalInt.empty()).graph());
        Graph prepared = prepare(target, OptionalInt.empty()).graph();
        Quantizer.Result result =
                Quantizer.quantize(prepared, table, QuantizePlan.of(target, RangeMethod.MAX));

        result.graph().validate();
        assertThat(result.int8Layers()).isEqualTo(Quantizer.layers(graph));
        for (String head : List.of("detect.0", "detect.1", "detect.2")) {
            List<String> rounded =
                    behind(result.graph(), head).stream()
                            .filter(node -> node.is("QuantizeLinear"))
                            .map(node -> node.input(0))
                            .toList();
            // ONNX Runtime's kernel gives its output rounded; that is the last of it.
            assertThat(rounded).isEqualTo(target == Target.ONNXRUNTIME ? List.of(head) : List.of());
        }
        assertThat(
                        SmallNet.agreement(
                                        SmallNet.values(prepared, "output", false),
                                        SmallNet.values(
                                                result.graph(),
                                                "output",
                                                target == Target.ONNXRUNTIME))
                                .snr())
                .isGreaterThan(20);
    }

    private static List<Node> behind(Graph graph, String layer) {
        Deque<String> tensors = new ArrayDeque<>(List.of(layer));
        Set<Node> found = new HashSet<>();
        List<Node> order = new ArrayList<>();
        while (!tensors.isEmpty()) {
            for (Node node : graph.consumers(tensors.remove())) {
                if (found.add(node)) {
                    order.add(node);
                    tensors.addAll(node.outputs());
                }
            }
        }
        return order;
    }
}

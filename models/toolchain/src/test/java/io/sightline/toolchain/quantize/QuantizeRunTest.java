// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.Metric;
import io.sightline.toolchain.report.QuantizeReport;
import io.sightline.toolchain.report.QuantizeReport.Gate;
import io.sightline.toolchain.report.ReportWriter;
import io.sightline.toolchain.testing.NoisePictures;
import io.sightline.toolchain.testing.RandomGraphs;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on a network of a few layers with random weights: it finds nothing. */
class QuantizeRunTest {

    @TempDir Path folder;

    private Path output;
    private Path int8;
    private Path int8Json;

    @BeforeEach
    void writeData() throws Exception {
        Path labels = Files.createDirectory(folder.resolve("labels"));
        for (Path picture : NoisePictures.write(folder.resolve("images"), "n", 12, 48, 5)) {
            String name = picture.getFileName().toString().replace(".png", ".txt");
            Files.writeString(labels.resolve(name), "0 0.02 0.02 0.01 0.01\n");
        }
        RandomGraphs.detector(2).write(folder.resolve("net.onnx"));
        output = folder.resolve("out");
        int8 = output.resolve("net-onnxruntime.onnx");
        int8Json = output.resolve("net-onnxruntime.json");
    }

    private QuantizeSettings.Builder settings() {
        return QuantizeSettings.builder()
                .model(folder.resolve("net.onnx"))
                .images(folder, Optional.empty())
                .output(output)
                .layout(OutputLayout.ANCHORS_OBJ)
                .engines(List.of(Engine.ONNXRUNTIME))
                .calibrateCount(4)
                .selectCount(2)
                .sensitivity(new QuantizeSettings.Sensitivity(Metric.MSE, 1, false))
                .variants(false)
                .lowBits(List.of())
                .minSpeedup(0)
                .speedRounds(1);
    }

    private static QuantizeReport run(QuantizeSettings settings) {
        return QuantizeRun.run(settings, Progress.SILENT, Clock.systemUTC());
    }

    @Test
    void shouldNotHoldALossToAModelThatFindsNothing() {
        QuantizeReport gated = run(settings().build());
        assertThat(gated.floatAccuracy().map()).isLessThan(0.01);
        assertThat(gated.passed()).isFalse();
        assertThat(ReportWriter.failures(gated))
                .singleElement()
                .asString()
                .startsWith(
                        "onnxruntime: float mAP 50-95, which a loss needs, above 0.01: found 0");
        assertThat(ReportWriter.summary(gated))
                .contains("held           loss of mAP 50-95, at most 0.01: found 0\n");
        assertThat(gated.warnings())
                .anyMatch(text -> text.contains("check classes, layout, border and labels"));
        assertThat(int8).doesNotExist();

        QuantizeReport forSpeed = run(settings().maxLoss(1).build());
        assertThat(forSpeed.passed()).isTrue();
        assertThat(forSpeed.warnings()).noneMatch(text -> text.contains("no loss can show"));
        assertThat(int8).exists();
    }

    @Test
    void shouldLeaveNoInt8FileOfAnEarlierRunBesideAReportThatRefusesIt() {
        assertThat(run(settings().maxLoss(1).build()).targets().get(0).file())
                .isEqualTo("net-onnxruntime.onnx");
        assertThat(int8).exists();
        assertThat(int8Json).exists();

        QuantizeReport refused = run(settings().maxLoss(1).minSpeedup(999).build());
        assertThat(refused.targets().get(0).gates())
                .filteredOn(gate -> !gate.passed())
                .extracting(Gate::what)
                .containsExactly("times as fast as float, at least");
        assertThat(int8).doesNotExist();
        assertThat(int8Json).doesNotExist();
        assertThat(output.resolve("net-float.onnx")).exists();
    }

    @Test
    void shouldTakeAnExportOfOpset12AndRefuseOlderOnesAtOnce() {
        Graph graph = asOfOpset12(RandomGraphs.detector(2));
        graph.write(folder.resolve("net.onnx"));
        QuantizeReport report = run(settings().maxLoss(1).build());
        assertThat(report.model().preparation())
                .contains("opset 12 raised to 13, as INT8 needs it");
        assertThat(Graph.read(int8).opset()).isEqualTo(13);

        graph.opsets().put("", 10L);
        graph.write(folder.resolve("net.onnx"));
        List<String> steps = new ArrayList<>();
        assertThatThrownBy(
                        () ->
                                QuantizeRun.run(
                                        settings().build(),
                                        (what, done, total) -> steps.add(what),
                                        Clock.systemUTC()))
                .isInstanceOf(ToolchainException.class)
                .hasMessageStartingWith("model " + folder.resolve("net.onnx") + ": is of opset 10")
                .hasMessageContaining("--opset 13");
        assertThat(steps).isEmpty();
    }

    private static Graph asOfOpset12(Graph graph) {
        graph.opsets().put("", 12L);
        graph.initializers().put("region", Tensor.floats(new long[] {0}));
        for (Node node : graph.nodes()) {
            if (node.is("Resize")) {
                node.inputs().set(1, "region");
            } else if (node.is("Split")) {
                node.with("split", graph.constant(node.inputs().remove(1)).toLongs());
            }
        }
        return graph;
    }

    @Test
    void shouldRefuseWhatIsQuantisedAlreadyBeforeItCalibrates() {
        run(settings().maxLoss(1).build());
        List<String> steps = new ArrayList<>();
        assertThatThrownBy(
                        () ->
                                QuantizeRun.run(
                                        settings().model(int8).build(),
                                        (what, done, total) -> steps.add(what),
                                        Clock.systemUTC()))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("is quantised already");
        assertThat(steps).containsOnly("fuse");
    }
}

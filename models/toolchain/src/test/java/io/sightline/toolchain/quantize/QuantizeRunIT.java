// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.events.testing.SharedFiles;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.evaluate.EvaluationSettings;
import io.sightline.toolchain.evaluate.LabelledImages;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.LayerRule;
import io.sightline.toolchain.quantize.QuantizeSettings.Metric;
import io.sightline.toolchain.report.QuantizeReport;
import io.sightline.toolchain.report.QuantizeReport.TargetResult;
import io.sightline.toolchain.report.QuantizeReport.Variant;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole runs on real models and pictures. No speed is asserted: a busy machine has any. */
class QuantizeRunIT {

    @TempDir Path folder;

    private QuantizeSettings.Builder settings(String model) {
        return QuantizeSettings.builder()
                .model(SharedFiles.require("models/" + model + ".onnx"))
                .images(SharedFiles.require("data/coco-val-dev"), Optional.empty())
                .output(folder)
                .calibrateCount(32)
                .selectCount(32)
                .sensitivity(new QuantizeSettings.Sensitivity(Metric.MSE, 1, false))
                .variants(false)
                .lowBits(List.of())
                .minSpeedup(0)
                .speedRounds(5);
    }

    private static QuantizeReport run(QuantizeSettings settings) {
        QuantizeReport report = QuantizeRun.run(settings, Progress.SILENT, Clock.systemUTC());
        report.targets()
                .forEach(target -> System.out.println(report.model().name() + " " + target));
        return report;
    }

    /**
     * With the layers in float that a quiet machine is faster with, and a share that leaves no room
     * for others: which those are must not depend on how busy this one is.
     */
    @Test
    void shouldKeepTheAccuracyOfYoloV5() {
        QuantizeReport report =
                run(
                        settings("yolov5n-640")
                                .engines(List.of(Engine.ONNXRUNTIME))
                                .selectCount(48)
                                .layer(LayerRule.floating("Conv_t3"))
                                .layer(LayerRule.floating("Conv_t8"))
                                .minInt8Share(0.865)
                                .build());

        TargetResult onnxRuntime = report.targets().get(0);
        assertThat(onnxRuntime.passed()).as(onnxRuntime.toString()).isTrue();
        assertThat(onnxRuntime.int8Share()).isGreaterThanOrEqualTo(0.865);
        assertThat(-onnxRuntime.loss().delta()).isLessThanOrEqualTo(0.010);
        Path file = folder.resolve(onnxRuntime.file());
        assertThat(ModelFile.read(file).target()).contains("onnxruntime");
        try (OnnxRuntimeBackend backend = OnnxRuntimeBackend.open(file, ModelOptions.NONE, 4, 1)) {
            assertThat(backend.spec().precision()).isEqualTo("int8");
            assertThat(backend.spec().maxBatch()).isEqualTo(4);
            assertThat(backend.spec().sha256()).isEqualTo(onnxRuntime.sha256());
        }
    }

    @Test
    void shouldMeasureOtherWaysToQuantiseAndTheTrapOfTheDecoding() {
        QuantizeSettings settings =
                settings("yolov5n-640")
                        .engines(List.of(Engine.ONNXRUNTIME))
                        .calibrateCount(20)
                        .selectCount(4)
                        .report(pictures(24))
                        .build();
        FloatNetwork network = FloatNetwork.observe(settings, Progress.SILENT);
        try (Trials trials = trials()) {
            network.evaluate(trials);
            List<Variant> variants =
                    new Comparison(network, settings, trials, Progress.SILENT).variants();
            assertThat(variants)
                    .extracting(Variant::name)
                    .containsExactly(
                            "naive",
                            "all layers, percentile",
                            "all layers, mse",
                            "all layers, entropy",
                            "decode too");
            double whole = network.onReport().map();
            assertThat(variants.subList(0, 4))
                    .allSatisfy(variant -> assertThat(variant.map()).isGreaterThan(whole / 2));
            assertThat(variants.get(4).map()).isLessThan(0.01);
        }
    }

    private static QuantizeSettings.ImageSet pictures(int count) {
        return new QuantizeSettings.ImageSet(
                SharedFiles.require("data/coco-val-dev"), Optional.empty(), OptionalInt.of(count));
    }

    private static Trials trials() {
        return new Trials(EvaluationSettings.standard(FloatNetwork.INTERPOLATION), Progress.SILENT);
    }

    /** Made float again, prepared, and quantised for both engines; nothing is left to suppress. */
    @Test
    void shouldTakeADynamicallyQuantisedModelToStaticInt8() {
        QuantizeSettings settings =
                settings("yolov10n-640-dynamic-int8").calibrateCount(12).selectCount(12).build();
        FloatNetwork network = FloatNetwork.observe(settings, Progress.SILENT);

        assertThat(network.fused().nodes())
                .noneMatch(node -> node.opType().equals("ConvInteger"))
                .noneMatch(node -> node.opType().equals("DynamicQuantizeLinear"));
        assertThat(network.warnings()).anyMatch(text -> text.contains("quantised dynamically"));
        assertThat(network.sourceSpec().suppress()).isFalse();
        assertThat(network.sourceSpec().precision()).isEqualTo("fp32");
        try (Trials trials = trials()) {
            LabelledImages findings =
                    trials.findings(
                            network.fused(), network.sourceSpec(), network.images().select());
            assertThat(findings.objects()).isGreaterThan(12);
            for (Engine engine : settings.engines()) {
                Prepared prepared = network.prepared(engine.target());
                assertThat(prepared.spec().layout()).isEqualTo(OutputLayout.PAIRS);
                assertThat(prepared.spec().suppress()).isFalse();
                assertThat(prepared.spec().dynamicBatch()).isTrue();
                Set<String> floating = new HashSet<>(network.predictions());
                QuantizePlan plan =
                        LayerChoice.basePlan(network, settings, engine).withFloatLayers(floating);
                Quantizer.Result result =
                        Quantizer.quantize(prepared.graph(), network.table(), plan);
                double share = network.convolutions().share(result.int8Layers());
                double agreement =
                        trials.evaluate(result.graph(), prepared.spec(), engine.target(), findings)
                                .map();
                System.out.printf(
                        "yolov10n %s: %.3f of MACs, agreement %.3f%n",
                        engine.label(), share, agreement);
                assertThat(share).isGreaterThan(0.8);
                assertThat(agreement).isGreaterThan(0.85);
                if (engine == Engine.TENSORRT) {
                    assertRefused(result.graph(), prepared.spec());
                }
            }
        }
    }

    /** What is for the other engine is refused by name. */
    private void assertRefused(Graph graph, ModelSpec spec) {
        Path file = folder.resolve("other.onnx");
        graph.write(file);
        ModelFile.write(
                file, spec.withPrecision("int8"), Optional.of("tensorrt"), OptionalInt.of(8));
        assertThatThrownBy(() -> OnnxRuntimeBackend.open(file, ModelOptions.NONE, 1, 1))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("quantised for tensorrt");
    }

    @Test
    void shouldKeepYoloV6LiteInFloat() {
        QuantizeReport report =
                run(
                        settings("yolov6-lite-l-320")
                                .calibrateCount(20)
                                .selectCount(8)
                                .engines(List.of(Engine.ONNXRUNTIME))
                                .report(pictures(40))
                                .correction(QuantizeSettings.Correction.OFF)
                                .partial(QuantizeSettings.Partial.NONE)
                                .build());

        TargetResult result = report.targets().get(0);
        assertThat(report.passed()).isFalse();
        assertThat(result.file()).isNull();
        assertThat(result.kept()).startsWith("float, because INT8 does not hold the gate");
        assertThat(-result.loss().delta()).isGreaterThan(0.010);
        assertThat(folder.resolve("yolov6-lite-l-320-onnxruntime.onnx")).doesNotExist();
        assertThat(Files.exists(folder.resolve("yolov6-lite-l-320-float.onnx"))).isTrue();
    }
}

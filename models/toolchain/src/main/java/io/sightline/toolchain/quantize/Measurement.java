// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelSpec;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.PairedBootstrap;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.report.QuantizeReport.Accuracy;
import io.sightline.toolchain.report.QuantizeReport.Difference;
import io.sightline.toolchain.report.QuantizeReport.FloatLayer;
import io.sightline.toolchain.report.QuantizeReport.Gate;
import io.sightline.toolchain.report.QuantizeReport.Speed;
import io.sightline.toolchain.report.QuantizeReport.TargetResult;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Measures what was decided for an engine, and writes it where it holds its gates. */
final class Measurement {

    private final FloatNetwork network;
    private final QuantizeSettings settings;
    private final Trials trials;
    private final Progress progress;

    Measurement(FloatNetwork network, QuantizeSettings settings, Trials trials, Progress progress) {
        this.network = network;
        this.settings = settings;
        this.trials = trials;
        this.progress = progress;
    }

    TargetResult measure(Engine engine, QuantizePlan plan, Map<String, String> reasons) {
        Target target = engine.target();
        Prepared model = network.prepared(target);
        Quantizer.Result result = Quantizer.quantize(model.graph(), network.table(), plan);
        ModelSpec spec = model.spec().withPrecision("int8");
        Evaluation evaluation =
                trials.evaluate(result.graph(), spec, target, network.images().report());
        Difference loss = Difference.of(PairedBootstrap.difference(network.onReport(), evaluation));
        Speed speed = null;
        double share = network.convolutions().share(result.int8Layers());
        if (target == Target.ONNXRUNTIME) {
            speed = speed(result.graph());
            RuntimeProfile profile = trials.profile(List.of(result.graph())).get(0);
            List<String> ran =
                    network.convolutions().names().stream().filter(profile::isInt8).toList();
            List<String> refused = new ArrayList<>(result.int8Layers());
            refused.removeAll(ran);
            if (!refused.isEmpty()) {
                network.warnings()
                        .add(
                                "%s: ONNX Runtime runs %d layers in float that were quantised: %s"
                                        .formatted(engine.label(), refused.size(), refused));
            }
            share = network.convolutions().share(ran);
        }
        List<Gate> gates = gates(loss, speed, share);
        boolean passed = gates.stream().allMatch(Gate::passed);
        String file = null;
        String sha256 = null;
        Long bytes = null;
        String name = network.name() + "-" + engine.label();
        Path onnx = settings.output().resolve(name + ".onnx");
        if (passed) {
            result.graph().write(onnx);
            ModelFile written =
                    ModelFile.write(
                            onnx,
                            spec,
                            Optional.of(target.label()),
                            OptionalInt.of(engine.weightBits()));
            file = onnx.getFileName().toString();
            sha256 = written.sha256();
            bytes = onnx.toFile().length();
        } else {
            // An earlier run's would stand beside a report that refuses it.
            delete(onnx);
            delete(settings.output().resolve(name + ".json"));
        }
        return new TargetResult(
                engine.label(),
                file,
                sha256,
                bytes,
                plan.method().kind().name().toLowerCase(Locale.ROOT),
                plan.weightBits(),
                !plan.corrections().isEmpty(),
                Accuracy.of(evaluation),
                loss,
                share,
                reasons.entrySet().stream()
                        .map(entry -> new FloatLayer(entry.getKey(), entry.getValue()))
                        .toList(),
                speed,
                gates,
                passed,
                kept(passed, loss, speed, share));
    }

    private static String kept(boolean passed, Difference loss, Speed speed, double share) {
        String found =
                String.format(
                        Locale.ROOT,
                        "%s%.1f%% of multiply-accumulates in INT8, mAP 50-95 %+.4f",
                        speed == null
                                ? ""
                                : String.format(
                                        Locale.ROOT,
                                        "%.2f times as fast as float, ",
                                        speed.ratio()),
                        100 * share,
                        loss.delta());
        return (passed ? "INT8: " : "float, because INT8 does not hold the gate: ") + found;
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new ToolchainException(
                    "%s: is of an earlier run and cannot be deleted: %s".formatted(file, e), e);
        }
    }

    private List<Gate> gates(Difference loss, Speed speed, double share) {
        QuantizeSettings.Gate limits = settings.gate();
        List<Gate> gates = new ArrayList<>();
        double lost = 0 - loss.delta();
        gates.add(
                new Gate(
                        "loss of mAP 50-95, at most",
                        lost,
                        limits.maxLoss(),
                        lost <= limits.maxLoss()));
        if (limits.wantsAccuracy()) {
            double most = network.onReport().map();
            gates.add(
                    new Gate(
                            "float mAP 50-95, which a loss needs, above",
                            most,
                            limits.maxLoss(),
                            most > limits.maxLoss()));
        }
        if (speed != null) {
            gates.add(
                    new Gate(
                            "times as fast as float, at least",
                            speed.ratio(),
                            limits.minSpeedup(),
                            speed.ratio() >= limits.minSpeedup()));
        }
        gates.add(
                new Gate(
                        "share of multiply-accumulates in INT8, at least",
                        share,
                        limits.minInt8Share(),
                        share >= limits.minInt8Share()));
        return gates;
    }

    private Speed speed(Graph int8) {
        double[] millis =
                SpeedTrial.medians(
                        List.of(network.fused(), network.graph(), int8), settings.speedRounds());
        progress.step("measure speed", 1, 1);
        return new Speed(
                millis[0],
                millis[1],
                millis[2],
                Math.min(millis[0], millis[1]) / millis[2],
                settings.speedRounds());
    }
}

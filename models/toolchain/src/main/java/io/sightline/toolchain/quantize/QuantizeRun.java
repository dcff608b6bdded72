// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.onnxruntime.CpuFeatures;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.evaluate.EvaluationSettings;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.report.QuantizeReport;
import io.sightline.toolchain.report.QuantizeReport.Accuracy;
import io.sightline.toolchain.report.QuantizeReport.Layer;
import io.sightline.toolchain.report.QuantizeReport.RunNode;
import io.sightline.toolchain.report.QuantizeReport.TargetResult;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * From a float detector to INT8 ones that were measured: fuse, prepare, calibrate, decide which
 * layers pay and which hurt, correct, and measure what came out on pictures that nothing was fitted
 * to. What does not hold its gates is not written: the float model is kept, and the report says
 * why.
 */
public final class QuantizeRun {

    private static final int MOST_NODES = 400;

    /**
     * What {@link #calibrate} wrote.
     *
     * @param table the file
     * @param tensors observed
     * @param pictures that they were observed on
     * @param remarks what was wrong with the pictures, and what a reviewer should know of the model
     */
    public record Calibrated(Path table, int tensors, int pictures, List<String> remarks) {}

    private final QuantizeSettings settings;
    private final Progress progress;
    private final FloatNetwork network;
    private final Trials trials;

    private QuantizeRun(
            QuantizeSettings settings, Progress progress, FloatNetwork network, Trials trials) {
        this.settings = settings;
        this.progress = progress;
        this.network = network;
        this.trials = trials;
    }

    /**
     * Writes, into the settings' folder, for each target that held its gates the ONNX file and its
     * JSON, the calibration table, and the float model as prepared for ONNX Runtime and, where it
     * is a target, for TensorRT.
     *
     * @return what was found out; writing it down is the caller's
     * @throws ToolchainException if something that was given cannot be worked on
     */
    public static QuantizeReport run(QuantizeSettings settings, Progress progress, Clock clock) {
        FloatNetwork network = FloatNetwork.observe(settings, progress);
        try (Trials trials = trials(progress)) {
            return new QuantizeRun(settings, progress, network, trials).run(clock);
        }
    }

    /**
     * Only observes: writes the calibration table, from which {@link #run} can start. A table that
     * the settings name is not used.
     *
     * @throws ToolchainException as {@link #run}
     */
    public static Calibrated calibrate(QuantizeSettings settings, Progress progress) {
        FloatNetwork network =
                FloatNetwork.observe(settings.toBuilder().withoutTable().build(), progress);
        List<String> remarks = new ArrayList<>(network.images().described().get(0).problems());
        remarks.addAll(network.warnings());
        return new Calibrated(
                network.tableFile(),
                network.table().tensors().size(),
                network.images().calibrate().size(),
                remarks);
    }

    /**
     * Only analyses: what each layer costs in accuracy where it alone is INT8.
     *
     * @return each convolution, the most sensitive first as the settings' metric has it; last those
     *     that cannot be INT8, without numbers
     * @throws ToolchainException as {@link #run}
     */
    public static List<Layer> sensitivity(QuantizeSettings settings, Progress progress) {
        FloatNetwork network = FloatNetwork.observe(settings, progress);
        try (Trials trials = trials(progress)) {
            if (settings.sensitivity().averagePrecision()) {
                network.evaluateOnSelect(trials);
            }
            QuantizeRun run = new QuantizeRun(settings, progress, network, trials);
            List<RuntimeProfile> profiles = run.profiles();
            List<Sensitivity.OfLayer> ranked = new ArrayList<>(run.analyse());
            ranked.sort(Sensitivity.mostSensitive(settings.sensitivity().metric()));
            List<String> order = ranked.stream().map(Sensitivity.OfLayer::layer).toList();
            List<Layer> layers =
                    new ArrayList<>(
                            LayerTable.of(
                                    network,
                                    run.whole(),
                                    ranked,
                                    profiles.get(0),
                                    profiles.get(1)));
            layers.sort(
                    Comparator.comparingInt(
                            layer ->
                                    order.contains(layer.name())
                                            ? order.indexOf(layer.name())
                                            : order.size()));
            return layers;
        }
    }

    private static Trials trials(Progress progress) {
        return new Trials(EvaluationSettings.standard(FloatNetwork.INTERPOLATION), progress);
    }

    private QuantizeReport run(Clock clock) {
        network.evaluate(trials);
        List<RuntimeProfile> profiles = profiles();
        List<Sensitivity.OfLayer> sensitivities = analyse();
        LayerChoice choice =
                new LayerChoice(
                        network,
                        settings,
                        sensitivities,
                        profiles.get(0),
                        profiles.get(1),
                        trials,
                        progress);
        Measurement measurement = new Measurement(network, settings, trials, progress);
        List<TargetResult> results = new ArrayList<>();
        Map<Engine, QuantizePlan> plans = new EnumMap<>(Engine.class);
        for (Engine engine : settings.engines()) {
            LayerChoice.Choice chosen = choice.choose(engine);
            plans.put(engine, chosen.plan());
            results.add(measurement.measure(engine, chosen.plan(), chosen.reasons()));
        }
        network.prepared(Target.ONNXRUNTIME)
                .write(settings.output().resolve(network.name() + "-float.onnx"));
        if (plans.keySet().stream().anyMatch(engine -> engine.target() == Target.TENSORRT)) {
            network.prepared(Target.TENSORRT)
                    .write(settings.output().resolve(network.name() + "-float-tensorrt.onnx"));
        }
        return report(clock, results, plans, sensitivities, profiles.get(0));
    }

    private QuantizePlan whole() {
        return LayerChoice.basePlan(network, settings, Engine.ONNXRUNTIME);
    }

    /** Of the float network and of the whole one in INT8. */
    private List<RuntimeProfile> profiles() {
        Graph int8 = Quantizer.quantize(network.graph(), network.table(), whole()).graph();
        List<RuntimeProfile> profiles = trials.profile(List.of(network.graph(), int8));
        progress.step("profile", 1, 1);
        return profiles;
    }

    private List<Sensitivity.OfLayer> analyse() {
        QuantizeSettings.Sensitivity wanted = settings.sensitivity();
        List<Path> pictures =
                network.images()
                        .select()
                        .files()
                        .subList(0, Math.min(wanted.images(), network.images().select().size()));
        return new Sensitivity(
                        network.graph(),
                        network.table(),
                        whole().withFloatLayers(Set.of()),
                        network.spec(Target.ONNXRUNTIME),
                        progress)
                .analyse(
                        pictures,
                        FloatNetwork.INTERPOLATION,
                        wanted.averagePrecision() ? network.images().select() : null,
                        wanted.averagePrecision() ? network.onSelect().map() : Double.NaN,
                        trials);
    }

    private QuantizeReport report(
            Clock clock,
            List<TargetResult> results,
            Map<Engine, QuantizePlan> plans,
            List<Sensitivity.OfLayer> sensitivities,
            RuntimeProfile floatProfile) {
        Engine shown =
                settings.engines().stream()
                        .filter(engine -> engine.target() == Target.ONNXRUNTIME)
                        .findFirst()
                        .orElse(settings.engines().get(0));
        QuantizePlan plan = plans.get(shown);
        RuntimeProfile profile = null;
        List<RunNode> nodes = List.of();
        if (shown.target() == Target.ONNXRUNTIME) {
            Graph int8 = Quantizer.quantize(network.graph(), network.table(), plan).graph();
            profile = trials.profile(List.of(int8)).get(0);
            nodes =
                    profile.runs().stream()
                            .limit(MOST_NODES)
                            .map(
                                    run ->
                                            new RunNode(
                                                    run.name(),
                                                    run.operator(),
                                                    run.precision(),
                                                    run.millis()))
                            .toList();
        }
        Comparison comparison = new Comparison(network, settings, trials, progress);
        return new QuantizeReport(
                Instant.now(clock).truncatedTo(ChronoUnit.SECONDS).toString(),
                model(),
                settings.asMap(),
                machine(),
                network.images().described(),
                Accuracy.of(network.onReport()),
                results,
                LayerTable.of(network, plan, sensitivities, floatProfile, profile),
                settings.variants() ? comparison.variants() : List.of(),
                comparison.lowBits(),
                nodes,
                List.copyOf(network.warnings()),
                results.stream().allMatch(TargetResult::passed));
    }

    private QuantizeReport.Model model() {
        return new QuantizeReport.Model(
                network.sourceSpec().name(),
                settings.model().getFileName().toString(),
                network.sourceSpec().sha256(),
                settings.model().toFile().length(),
                network.sourceSpec().layout().label(),
                network.sourceSpec().inputWidth(),
                network.sourceSpec().inputHeight(),
                network.sourceSpec().border(),
                network.fused().parameters(),
                2e-9 * network.convolutions().total(),
                List.copyOf(network.preparation()));
    }

    private static QuantizeReport.Machine machine() {
        CpuFeatures cpu = CpuFeatures.ofThisMachine();
        return new QuantizeReport.Machine(
                cpu.model(),
                cpu.int8Instructions(),
                Runtime.getRuntime().availableProcessors(),
                Runtime.version().toString(),
                GraphSession.runtimeVersion());
    }
}

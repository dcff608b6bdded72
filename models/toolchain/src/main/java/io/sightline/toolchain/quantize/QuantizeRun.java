// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.onnxruntime.CpuFeatures;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.Calibrator;
import io.sightline.toolchain.calibrate.Pictures;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.EvaluationSettings;
import io.sightline.toolchain.evaluate.ObjectSize;
import io.sightline.toolchain.evaluate.PairedBootstrap;
import io.sightline.toolchain.fuse.FuseResult;
import io.sightline.toolchain.fuse.Fuser;
import io.sightline.toolchain.fuse.PassReport;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.toolchain.prepare.PrepareSettings;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.prepare.Preparer;
import io.sightline.toolchain.quantize.QuantizeSettings.Correction;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.Precision;
import io.sightline.toolchain.report.QuantizeReport;
import io.sightline.toolchain.report.QuantizeReport.Accuracy;
import io.sightline.toolchain.report.QuantizeReport.Difference;
import io.sightline.toolchain.report.QuantizeReport.FloatLayer;
import io.sightline.toolchain.report.QuantizeReport.Gate;
import io.sightline.toolchain.report.QuantizeReport.Layer;
import io.sightline.toolchain.report.QuantizeReport.RunNode;
import io.sightline.toolchain.report.QuantizeReport.Speed;
import io.sightline.toolchain.report.QuantizeReport.TargetResult;
import io.sightline.toolchain.report.QuantizeReport.Variant;
import io.sightline.vision.Interpolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/**
 * From a float detector to INT8 ones that were measured: fuse, prepare, calibrate, decide which
 * layers pay and which hurt, correct, and measure what came out on pictures that nothing was fitted
 * to. What does not hold its gates is not written: the float model is kept, and the report says
 * why.
 */
public final class QuantizeRun {

    /** As the job resizes. */
    private static final Interpolation INTERPOLATION = Interpolation.LINEAR;

    private static final int CORRECTION_PICTURES = 8;
    private static final int PROFILE_ROUNDS = 12;

    /** A layer stays float for speed only where that is more than noise. */
    private static final double WORTH_A_LAYER = 0.01;

    /** How many of the most sensitive layers are tried in float, one after the other. */
    private static final int[] MOST_SENSITIVE = {1, 2, 3, 5, 8, 13, 21, 34};

    private static final int MOST_NODES = 400;

    private final QuantizeSettings settings;
    private final Progress progress;
    private final Clock clock;
    private final List<String> warnings = new ArrayList<>();
    private final List<String> preparation = new ArrayList<>();

    private ModelSpec sourceSpec;
    private FuseResult fused;
    private final Map<Target, Prepared> prepared = new EnumMap<>(Target.class);
    private Graph graph;
    private List<String> layers;
    private Convolutions convolutions;
    private ImageSets images;
    private CalibrationTable table;
    private Trials trials;
    private Evaluation floatSelect;
    private Evaluation floatReport;
    private RuntimeProfile floatProfile;
    private RuntimeProfile wholeProfile;
    private List<Sensitivity.OfLayer> sensitivities = List.of();

    private QuantizeRun(QuantizeSettings settings, Progress progress, Clock clock) {
        this.settings = settings;
        this.progress = progress;
        this.clock = clock;
    }

    /**
     * Writes, into the settings' folder, for each target that held its gates the ONNX file and its
     * JSON, the calibration table, and the prepared float model.
     *
     * @return what was found out; writing it down is the caller's
     * @throws ToolchainException if something that was given cannot be worked on
     */
    public static QuantizeReport run(QuantizeSettings settings, Progress progress, Clock clock) {
        QuantizeRun run = new QuantizeRun(settings, progress, clock);
        try (Trials trials = new Trials(EvaluationSettings.standard(INTERPOLATION), progress)) {
            run.trials = trials;
            return run.run();
        }
    }

    private QuantizeReport run() {
        observe();
        evaluateFloat();
        profile();
        analyse();
        List<TargetResult> results = new ArrayList<>();
        Map<Engine, QuantizePlan> plans = new EnumMap<>(Engine.class);
        for (Engine engine : settings.engines()) {
            results.add(quantize(engine, plans));
        }
        Path floatFile = settings.output().resolve(name() + "-float.onnx");
        prepared.get(Target.ONNXRUNTIME).write(floatFile);
        return report(results, plans);
    }

    private void observe() {
        read();
        prepare();
        images =
                ImageSets.draw(
                        settings.images(), spec(Target.ONNXRUNTIME), INTERPOLATION, progress);
        calibrate();
    }

    private void evaluateFloat() {
        floatSelect =
                trials.evaluate(fused.graph(), sourceSpec, Target.ONNXRUNTIME, images.select());
        floatReport =
                trials.evaluate(fused.graph(), sourceSpec, Target.ONNXRUNTIME, images.report());
    }

    // ---- what is given ----

    private void read() {
        Graph source = Graph.read(settings.model());
        ModelOptions options = new ModelOptions(settings.layout(), settings.border());
        ModelFile file = ModelFile.read(settings.model());
        sourceSpec =
                file.spec(
                        source.inputs().stream().map(ValueInfo::toGraphTensor).toList(),
                        source.outputs().stream().map(ValueInfo::toGraphTensor).toList(),
                        options,
                        1);
        boolean dynamic = source.nodes().stream().anyMatch(node -> node.is("ConvInteger"));
        progress.step("fuse", 0, 1);
        fused = Fuser.fuse(source, dynamic);
        progress.step("fuse", 1, 1);
        if (dynamic) {
            warnings.add(
                    "the model was quantised dynamically and was made float again: what it is compared with is that float model, not the one it came from");
        }
        for (PassReport pass : fused.passes()) {
            if (pass.matches() > 0) {
                preparation.add("fuse: %s, %d".formatted(pass.pass(), pass.matches()));
            }
        }
        preparation.add(
                "fuse: outputs agree within %.1e, relative".formatted(fused.worstRelativeError()));
    }

    private void prepare() {
        for (Engine engine : settings.engines()) {
            prepared.computeIfAbsent(engine.target(), this::prepare);
        }
        prepared.computeIfAbsent(Target.ONNXRUNTIME, this::prepare);
        graph = prepared.get(Target.ONNXRUNTIME).graph();
        layers = Quantizer.layers(graph);
        if (layers.isEmpty()) {
            throw new ToolchainException(
                    "model " + settings.model() + ": holds no convolution with constant weights");
        }
        convolutions = new Convolutions(graph, TensorShapes.of(graph));
        for (String rule : settings.unmatchedRules(layers)) {
            warnings.add("layer rule '" + rule + "' matches no layer");
        }
        for (Node node : graph.nodes()) {
            if (node.is("ConvTranspose") || node.is("MatMul") || node.is("Gemm")) {
                warnings.add(node + " stays float: only Conv is quantised");
            } else if (node.is("Conv") && !layers.contains(node.name())) {
                warnings.add(
                        node
                                + " stays float: it decodes a distribution, or its weights are computed");
            }
        }
    }

    private Prepared prepare(Target target) {
        PrepareSettings standard = PrepareSettings.of(target);
        OptionalInt topK = settings.prepare().topK();
        Prepared result =
                Preparer.prepare(
                        fused.graph(),
                        sourceSpec,
                        new PrepareSettings(
                                target,
                                settings.prepare().batch(),
                                topK.isEmpty()
                                        ? standard.topK()
                                        : topK.getAsInt() == 0 ? OptionalInt.empty() : topK));
        progress.step("prepare for " + target.label(), 1, 1);
        result.steps().forEach(step -> preparation.add(target.label() + ": " + step));
        return result;
    }

    private ModelSpec spec(Target target) {
        return prepared.get(target).spec();
    }

    private String name() {
        String file = settings.model().getFileName().toString();
        return file.endsWith(".onnx") ? file.substring(0, file.length() - 5) : file;
    }

    // ---- what is observed ----

    private void calibrate() {
        if (settings.calibration().table().isPresent()) {
            table = CalibrationTable.read(settings.calibration().table().get());
        } else {
            try (Pictures pictures = new Pictures(spec(Target.ONNXRUNTIME), INTERPOLATION)) {
                table =
                        Calibrator.calibrate(
                                graph,
                                Quantizer.tensors(graph),
                                pictures,
                                images.calibrate(),
                                progress);
            }
        }
        createOutput();
        table.write(tableFile());
    }

    private Path tableFile() {
        return settings.output().resolve(name() + "-calibration.json");
    }

    private void createOutput() {
        try {
            Files.createDirectories(settings.output());
        } catch (IOException e) {
            throw new ToolchainException(
                    "output " + settings.output() + ": cannot be made: " + e, e);
        }
    }

    private void profile() {
        Graph whole = Quantizer.quantize(graph, table, basePlan(Engine.ONNXRUNTIME)).graph();
        List<RuntimeProfile> profiles = profile(List.of(graph, whole));
        floatProfile = profiles.get(0);
        wholeProfile = profiles.get(1);
        progress.step("profile", 1, 1);
    }

    private List<RuntimeProfile> profile(List<Graph> graphs) {
        List<Map<String, GraphSession.Value>> inputs = new ArrayList<>();
        for (Graph each : graphs) {
            inputs.add(TensorShapes.randomInputs(each, 1, new Random(1)));
        }
        return RuntimeProfile.of(graphs, inputs, PROFILE_ROUNDS, trials.folder());
    }

    private void analyse() {
        QuantizeSettings.Sensitivity wanted = settings.sensitivity();
        List<Path> pictures =
                images.select()
                        .files()
                        .subList(0, Math.min(wanted.images(), images.select().size()));
        sensitivities =
                new Sensitivity(
                                graph,
                                table,
                                basePlan(Engine.ONNXRUNTIME).withFloatLayers(Set.of()),
                                spec(Target.ONNXRUNTIME),
                                progress)
                        .analyse(
                                pictures,
                                INTERPOLATION,
                                wanted.averagePrecision() ? images.select() : null,
                                floatSelect.map(),
                                trials);
    }

    /** Most sensitive first. */
    private List<String> ranked() {
        Comparator<Sensitivity.OfLayer> mostSensitive =
                switch (settings.sensitivity().metric()) {
                    case MSE -> Comparator.comparingDouble(layer -> -layer.network().mse());
                    case SNR -> Comparator.comparingDouble(layer -> layer.output().snr());
                    case COSINE -> Comparator.comparingDouble(layer -> layer.output().cosine());
                    case AP ->
                            Comparator.comparingDouble(
                                    layer -> layer.apLoss() == null ? 0 : layer.apLoss());
                };
        return sensitivities.stream()
                .sorted(mostSensitive)
                .map(Sensitivity.OfLayer::layer)
                .toList();
    }

    // ---- one engine ----

    private QuantizePlan basePlan(Engine engine) {
        Set<String> floating = new LinkedHashSet<>();
        Map<String, RangeMethod> methods = new LinkedHashMap<>();
        for (String layer : layers) {
            if (settings.precisionOf(layer).equals(Optional.of(Precision.FLOAT))) {
                floating.add(layer);
            }
            if (!settings.methodOf(layer).equals(settings.calibration().method())) {
                methods.put(layer, settings.methodOf(layer));
            }
        }
        return QuantizePlan.of(engine.target(), settings.calibration().method())
                .withLayerMethods(methods)
                .withBits(engine.weightBits(), 8, Set.of())
                .withFloatLayers(floating);
    }

    private TargetResult quantize(Engine engine, Map<Engine, QuantizePlan> plans) {
        Target target = engine.target();
        Map<String, String> reasons = new LinkedHashMap<>();
        QuantizePlan plan = basePlan(engine);
        plan.floatLayers().forEach(layer -> reasons.put(layer, "the settings say so"));
        if (target == Target.TENSORRT) {
            stem().filter(layer -> !forced(layer))
                    .ifPresent(
                            layer ->
                                    reasons.putIfAbsent(
                                            layer,
                                            "reads the picture, which TensorRT takes as floats"));
        } else {
            reasons.putAll(slowLayers(plan));
        }
        plan = plan.withFloatLayers(reasons.keySet());
        plan = corrected(plan);
        plan = partial(engine, plan, reasons);
        plans.put(engine, plan);
        return measure(engine, plan, reasons);
    }

    private boolean forced(String layer) {
        return settings.precisionOf(layer).equals(Optional.of(Precision.INT8));
    }

    /** The convolution that reads the picture. */
    private Optional<String> stem() {
        Set<String> ofInput = new HashSet<>(Set.of(graph.inputs().get(0).name()));
        for (Node node : graph.sorted()) {
            if (ofInput.contains(node.input(0))) {
                if (node.is("Conv")) {
                    return Optional.of(node.name());
                }
                ofInput.addAll(node.outputs());
            }
        }
        return Optional.empty();
    }

    /**
     * Layers that make the network faster by staying float: found by running it, because a layer's
     * own time says nothing of the conversions around it.
     */
    private Map<String, String> slowLayers(QuantizePlan plan) {
        List<String> free =
                layers.stream()
                        .filter(layer -> !plan.floatLayers().contains(layer) && !forced(layer))
                        .toList();
        List<String> slower =
                free.stream()
                        .filter(
                                layer ->
                                        floatProfile.millis(layer) != null
                                                && wholeProfile.millis(layer) != null
                                                && wholeProfile.millis(layer)
                                                        > floatProfile.millis(layer))
                        .toList();
        List<Set<String>> candidates = new ArrayList<>();
        candidates.add(Set.of());
        for (int first = 1; first <= Math.min(3, free.size()); first++) {
            candidates.add(new LinkedHashSet<>(free.subList(0, first)));
        }
        candidates.add(new LinkedHashSet<>(slower));
        candidates.removeIf(candidate -> !mayBeFloat(plan, candidate));
        List<Set<String>> distinct = new ArrayList<>(new LinkedHashSet<>(candidates));
        if (distinct.size() < 2) {
            return Map.of();
        }
        List<Graph> graphs = new ArrayList<>();
        for (Set<String> candidate : distinct) {
            Set<String> floating = new HashSet<>(plan.floatLayers());
            floating.addAll(candidate);
            graphs.add(Quantizer.quantize(graph, table, plan.withFloatLayers(floating)).graph());
        }
        double[] millis = SpeedTrial.medians(graphs, Math.max(5, settings.speedRounds() / 2));
        progress.step("choose fast layers", 1, 1);
        int best = 0;
        for (int i = 1; i < millis.length; i++) {
            int more = distinct.get(i).size() - distinct.get(best).size();
            double gain = (millis[best] - millis[i]) / millis[best];
            if (gain > (more > 0 ? Math.min(0.05, WORTH_A_LAYER * more) : 0)) {
                best = i;
            }
        }
        Map<String, String> reasons = new LinkedHashMap<>();
        for (String layer : distinct.get(best)) {
            reasons.put(
                    layer,
                    "faster so: the network takes %.2f ms with these layers in float, %.2f ms with all in INT8"
                            .formatted(millis[best], millis[0]));
        }
        return reasons;
    }

    /** Whether the share of INT8 that the gate asks for is left. */
    private boolean mayBeFloat(QuantizePlan plan, Set<String> candidate) {
        Set<String> int8 = new HashSet<>(layers);
        int8.removeAll(plan.floatLayers());
        int8.removeAll(candidate);
        return !int8.isEmpty() && convolutions.share(int8) >= settings.gate().minInt8Share();
    }

    private QuantizePlan corrected(QuantizePlan plan) {
        if (settings.correction() == Correction.OFF) {
            return plan;
        }
        Prepared model = prepared.get(plan.target());
        QuantizePlan corrected = correct(plan);
        if (settings.correction() == Correction.ON) {
            return corrected;
        }
        double without = evaluate(plan, model).map();
        double with = evaluate(corrected, model).map();
        return with > without ? corrected : plan;
    }

    private QuantizePlan correct(QuantizePlan plan) {
        Prepared model = prepared.get(plan.target());
        return Corrector.correct(
                model.graph(),
                table,
                plan,
                model.spec(),
                images.calibrate()
                        .subList(0, Math.min(CORRECTION_PICTURES, images.calibrate().size())),
                INTERPOLATION,
                progress);
    }

    private Evaluation evaluate(QuantizePlan plan, Prepared model) {
        return trials.evaluate(
                Quantizer.quantize(model.graph(), table, plan).graph(),
                model.spec(),
                plan.target(),
                images.select());
    }

    /** Gives up layers, the most sensitive first, until the loss on the select set is allowed. */
    private QuantizePlan partial(Engine engine, QuantizePlan plan, Map<String, String> reasons) {
        List<String> candidates =
                ranked().stream()
                        .filter(layer -> !reasons.containsKey(layer) && !forced(layer))
                        .toList();
        if (!settings.partial().automatic()) {
            List<String> chosen =
                    candidates.subList(0, Math.min(settings.partial().layers(), candidates.size()));
            chosen.forEach(layer -> reasons.put(layer, "among the most sensitive"));
            return plan.withFloatLayers(reasons.keySet());
        }
        Prepared model = prepared.get(engine.target());
        QuantizePlan best = plan;
        Loss whole = loss(plan, model);
        Loss least = whole;
        Set<String> predictions = new LinkedHashSet<>(predictions());
        predictions.removeIf(layer -> reasons.containsKey(layer) || forced(layer));
        if (whole.mean() > settings.gate().maxLoss() / 2 && mayBeFloat(plan, predictions)) {
            QuantizePlan trial = plan.withFloatLayers(union(reasons.keySet(), predictions));
            Loss remaining = loss(trial, model);
            if (remaining.mean() < whole.mean()) {
                least = remaining;
                best = trial;
                for (String layer : predictions) {
                    reasons.put(
                            layer,
                            "predicts boxes: with these in float the loss on the select set falls from %.4f to %.4f"
                                    .formatted(whole.mean(), least.mean()));
                }
            }
        }
        Loss before = least;
        List<String> given = List.of();
        for (int i = 0; i < MOST_SENSITIVE.length && !least.mayHold(settings.gate()); i++) {
            List<String> more =
                    candidates.subList(0, Math.min(MOST_SENSITIVE[i], candidates.size()));
            Set<String> floating = union(reasons.keySet(), more);
            if (!mayBeFloat(plan, floating) || more.size() == given.size()) {
                break;
            }
            QuantizePlan trial = plan.withFloatLayers(floating);
            Loss remaining = loss(trial, model);
            if (remaining.mean() < least.mean()) {
                least = remaining;
                best = trial;
                given = more;
            }
        }
        for (String layer : given) {
            reasons.put(
                    layer,
                    "sensitive: with the %d most sensitive in float the loss on the select set falls from %.4f to %.4f"
                            .formatted(given.size(), before.mean(), least.mean()));
        }
        return best;
    }

    private static Set<String> union(Set<String> some, Collection<String> others) {
        Set<String> union = new LinkedHashSet<>(some);
        union.addAll(others);
        return union;
    }

    /** Of mAP on the select set, with its standard error. */
    private record Loss(double mean, double standardError) {

        /**
         * Few pictures say little: layers are given up only where the gate is missed by more than
         * chance. The report set has the last word.
         */
        boolean mayHold(QuantizeSettings.Gate gate) {
            return mean - standardError <= gate.maxLoss();
        }
    }

    private Loss loss(QuantizePlan plan, Prepared model) {
        PairedBootstrap.Difference difference =
                PairedBootstrap.difference(floatSelect, evaluate(plan, model));
        return new Loss(-difference.delta(), difference.standardError());
    }

    private TargetResult measure(Engine engine, QuantizePlan plan, Map<String, String> reasons) {
        Target target = engine.target();
        Prepared model = prepared.get(target);
        Quantizer.Result result = Quantizer.quantize(model.graph(), table, plan);
        ModelSpec spec = int8(model.spec());
        Evaluation evaluation = trials.evaluate(result.graph(), spec, target, images.report());
        Difference loss = difference(evaluation);
        Speed speed = null;
        double share = convolutions.share(result.int8Layers());
        if (target == Target.ONNXRUNTIME) {
            speed = speed(result.graph());
            RuntimeProfile profile = profile(List.of(result.graph())).get(0);
            List<String> ran = convolutions.names().stream().filter(profile::isInt8).toList();
            List<String> refused = new ArrayList<>(result.int8Layers());
            refused.removeAll(ran);
            if (!refused.isEmpty()) {
                warnings.add(
                        "%s: ONNX Runtime runs %d layers in float that were quantised: %s"
                                .formatted(engine.label(), refused.size(), refused));
            }
            share = convolutions.share(ran);
        }
        List<Gate> gates = gates(loss, speed, share);
        boolean passed = gates.stream().allMatch(Gate::passed);
        String file = null;
        String sha256 = null;
        Long bytes = null;
        if (passed) {
            Path onnx = settings.output().resolve(name() + "-" + engine.label() + ".onnx");
            result.graph().write(onnx);
            ModelFile written =
                    ModelFile.write(
                            onnx,
                            spec,
                            Optional.of(target.label()),
                            OptionalInt.of(engine.weightBits()));
            file = onnx.getFileName().toString();
            sha256 = written.sha256();
            bytes = size(onnx);
        }
        return new TargetResult(
                engine.label(),
                file,
                sha256,
                bytes,
                plan.method().kind().name().toLowerCase(Locale.ROOT),
                plan.weightBits(),
                !plan.corrections().isEmpty(),
                accuracy(evaluation),
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
                "%s%.1f%% of multiply-accumulates in INT8, mAP 50-95 %+.4f"
                        .formatted(
                                speed == null
                                        ? ""
                                        : "%.2f times as fast as float, ".formatted(speed.ratio()),
                                100 * share,
                                loss.delta());
        return (passed ? "INT8: " : "float, because INT8 does not hold the gate: ") + found;
    }

    private List<Gate> gates(Difference loss, Speed speed, double share) {
        QuantizeSettings.Gate limits = settings.gate();
        List<Gate> gates = new ArrayList<>();
        gates.add(
                new Gate(
                        "loss of mAP 50-95, at most",
                        -loss.delta(),
                        limits.maxLoss(),
                        -loss.delta() <= limits.maxLoss()));
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
                SpeedTrial.medians(List.of(fused.graph(), graph, int8), settings.speedRounds());
        progress.step("measure speed", 1, 1);
        return new Speed(
                millis[0],
                millis[1],
                millis[2],
                Math.min(millis[0], millis[1]) / millis[2],
                settings.speedRounds());
    }

    private static ModelSpec int8(ModelSpec spec) {
        return spec.withPrecision("int8");
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new ToolchainException(file + ": cannot be read: " + e, e);
        }
    }

    // ---- what is told ----

    private Difference difference(Evaluation evaluation) {
        PairedBootstrap.Difference found = PairedBootstrap.difference(floatReport, evaluation);
        return new Difference(found.delta(), found.low(), found.high());
    }

    private static Accuracy accuracy(Evaluation evaluation) {
        Map<String, Double> classes = new TreeMap<>();
        for (Evaluation.OfClass each : evaluation.classes()) {
            if (each.objects() > 0) {
                classes.put(each.label(), each.map());
            }
        }
        return new Accuracy(
                evaluation.map(),
                evaluation.map50(),
                evaluation.map75(),
                finite(evaluation.map(ObjectSize.SMALL)),
                finite(evaluation.map(ObjectSize.MEDIUM)),
                finite(evaluation.map(ObjectSize.LARGE)),
                classes);
    }

    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }

    private QuantizeReport report(List<TargetResult> results, Map<Engine, QuantizePlan> plans) {
        Engine shown =
                settings.engines().stream()
                        .filter(engine -> engine.target() == Target.ONNXRUNTIME)
                        .findFirst()
                        .orElse(settings.engines().get(0));
        QuantizePlan plan = plans.get(shown);
        List<Layer> layerRows = List.of();
        List<RunNode> nodes = List.of();
        if (shown.target() == Target.ONNXRUNTIME) {
            RuntimeProfile profile =
                    profile(List.of(Quantizer.quantize(graph, table, plan).graph())).get(0);
            layerRows = layers(plan, profile);
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
        } else {
            layerRows = layers(plan, null);
        }
        return new QuantizeReport(
                Instant.now(clock).truncatedTo(ChronoUnit.SECONDS).toString(),
                model(),
                settings.asMap(),
                machine(),
                images.described(),
                accuracy(floatReport),
                results,
                layerRows,
                settings.variants() ? variants() : List.of(),
                lowBits(),
                nodes,
                List.copyOf(warnings),
                results.stream().allMatch(TargetResult::passed));
    }

    private QuantizeReport.Model model() {
        return new QuantizeReport.Model(
                sourceSpec.name(),
                settings.model().getFileName().toString(),
                sourceSpec.sha256(),
                size(settings.model()),
                sourceSpec.layout().label(),
                sourceSpec.inputWidth(),
                sourceSpec.inputHeight(),
                sourceSpec.border(),
                fused.graph().parameters(),
                2e-9 * convolutions.total(),
                List.copyOf(preparation));
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

    private List<Layer> layers(QuantizePlan plan, RuntimeProfile profile) {
        Map<String, Sensitivity.OfLayer> byName = new LinkedHashMap<>();
        sensitivities.forEach(each -> byName.put(each.layer(), each));
        Quantizer.Result result =
                Quantizer.quantize(prepared.get(plan.target()).graph(), table, plan);
        Map<String, Node> nodes = new LinkedHashMap<>();
        result.graph().nodes().forEach(node -> nodes.put(node.name(), node));
        List<Layer> rows = new ArrayList<>();
        for (String layer : convolutions.names()) {
            Sensitivity.OfLayer sensitivity = byName.get(layer);
            boolean int8 = result.int8Layers().contains(layer);
            rows.add(
                    new Layer(
                            layer,
                            convolutions.shape(layer),
                            convolutions.macs(layer),
                            convolutions.macs(layer) / (double) convolutions.total(),
                            inputType(result.graph(), nodes.get(layer)),
                            outputType(result.graph(), nodes.get(layer)),
                            profile == null ? null : profile.operator(layer),
                            sensitivity == null ? null : sensitivity.output().mse(),
                            sensitivity == null ? null : finite(sensitivity.output().snr()),
                            sensitivity == null ? null : sensitivity.output().cosine(),
                            sensitivity == null ? null : sensitivity.network().cosine(),
                            sensitivity == null ? null : sensitivity.apLoss(),
                            floatProfile.millis(layer),
                            profile == null ? null : profile.millis(layer),
                            int8 ? "int8" : "float"));
        }
        return rows;
    }

    private static String inputType(Graph quantized, Node node) {
        return quantized
                .producer(node.input(0))
                .filter(producer -> producer.is("DequantizeLinear"))
                .map(producer -> producer.input(0))
                .map(tensor -> roundedType(quantized, tensor))
                .orElse("float32");
    }

    private static String outputType(Graph quantized, Node node) {
        List<Node> next = quantized.consumers(node.output());
        if (next.size() == 1 && next.get(0).is("Relu")) {
            next = quantized.consumers(next.get(0).output());
        }
        return next.size() == 1 && next.get(0).is("QuantizeLinear")
                ? roundedType(quantized, next.get(0).output())
                : "float32";
    }

    /** Of the tensor behind a QuantizeLinear: that of its zero point. */
    private static String roundedType(Graph quantized, String tensor) {
        return quantized
                .producer(tensor)
                .filter(node -> node.is("QuantizeLinear"))
                .map(node -> quantized.constant(node.input(2)).type().toString())
                .orElse("uint8")
                .toLowerCase(Locale.ROOT);
    }

    private List<Variant> variants() {
        QuantizePlan plain = QuantizePlan.of(Target.ONNXRUNTIME, settings.calibration().method());
        List<Variant> variants = new ArrayList<>();
        variants.add(
                variant(
                        "naive",
                        "every convolution up to the predictions in INT8, ranges from the largest values seen, decode float",
                        plain.withMethod(RangeMethod.MAX)));
        for (RangeMethod method :
                List.of(RangeMethod.PERCENTILE, RangeMethod.MSE, RangeMethod.ENTROPY)) {
            String label = method.kind().name().toLowerCase(Locale.ROOT);
            variants.add(
                    variant(
                            "all layers, " + label,
                            "the same with ranges by " + label,
                            plain.withMethod(method)));
        }
        variants.add(
                variant(
                        "decode too",
                        "the trap: boxes and scores decoded in INT8, where they share one scale",
                        plain.withDecode()));
        return variants;
    }

    private Variant variant(String name, String what, QuantizePlan plan) {
        Quantizer.Result result = Quantizer.quantize(graph, table, plan);
        Evaluation evaluation =
                trials.evaluate(
                        result.graph(),
                        int8(spec(Target.ONNXRUNTIME)),
                        Target.ONNXRUNTIME,
                        images.report());
        progress.step("variant " + name, 1, 1);
        return new Variant(
                name,
                what,
                evaluation.map(),
                difference(evaluation),
                convolutions.share(result.int8Layers()));
    }

    private List<Variant> lowBits() {
        List<Variant> variants = new ArrayList<>();
        Set<String> ends = firstAndLast();
        for (int bits : settings.lowBits()) {
            for (int activations : new int[] {8, bits}) {
                QuantizePlan plan =
                        QuantizePlan.of(Target.ONNXRUNTIME, RangeMethod.MSE)
                                .withBits(bits, activations, ends);
                String name = "W%dA%d".formatted(bits, activations);
                String what =
                        "weights of %d bits, activations of %d, first and last layers 8"
                                .formatted(bits, activations);
                variants.add(variant(name, what, plan));
                if (settings.correction() != Correction.OFF) {
                    variants.add(
                            variant(
                                    name + " corrected",
                                    what + ", corrected per channel",
                                    correct(plan)));
                }
            }
        }
        return variants;
    }

    private Set<String> firstAndLast() {
        Set<String> ends = new HashSet<>(predictions());
        stem().ifPresent(ends::add);
        return ends;
    }

    /** Convolutions that no other one comes after: what they give is decoded into boxes. */
    private List<String> predictions() {
        List<String> last = new ArrayList<>();
        Set<String> leadingOn = new HashSet<>();
        List<Node> backwards = new ArrayList<>(graph.sorted());
        Collections.reverse(backwards);
        for (Node node : backwards) {
            boolean leadsOn = node.outputs().stream().anyMatch(leadingOn::contains);
            boolean layer = layers.contains(node.name());
            if (layer && !leadsOn) {
                last.add(node.name());
            }
            if (layer || leadsOn) {
                leadingOn.addAll(node.inputs());
            }
        }
        return last;
    }

    // ---- parts of a run ----

    /**
     * Only observes: writes the calibration table, from which {@link #run} can start.
     *
     * @return the table's file
     * @throws ToolchainException as {@link #run}
     */
    public static Path calibrate(QuantizeSettings settings, Progress progress) {
        QuantizeRun run = new QuantizeRun(settings, progress, Clock.systemUTC());
        run.observe();
        return run.tableFile();
    }

    /**
     * Only analyses: what each layer costs in accuracy where it alone is INT8.
     *
     * @return each convolution, in the order it runs
     * @throws ToolchainException as {@link #run}
     */
    public static List<Layer> sensitivity(QuantizeSettings settings, Progress progress) {
        QuantizeRun run = new QuantizeRun(settings, progress, Clock.systemUTC());
        try (Trials trials = new Trials(EvaluationSettings.standard(INTERPOLATION), progress)) {
            run.trials = trials;
            run.observe();
            run.evaluateFloat();
            run.profile();
            run.analyse();
            return run.layers(run.basePlan(Engine.ONNXRUNTIME), run.wholeProfile);
        }
    }
}

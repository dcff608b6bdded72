// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Sha256;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.Calibrator;
import io.sightline.toolchain.calibrate.Pictures;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.LabelledImages;
import io.sightline.toolchain.fuse.FuseResult;
import io.sightline.toolchain.fuse.Fuser;
import io.sightline.toolchain.fuse.Opset13;
import io.sightline.toolchain.fuse.PassReport;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.prepare.PrepareSettings;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.prepare.Preparer;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.report.QuantizeReport;
import io.sightline.vision.Interpolation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The detector before anything is quantised: fused, prepared for each target, and observed on the
 * calibration pictures. The layers of all targets have the same names.
 */
final class FloatNetwork {

    /** As the job resizes. */
    static final Interpolation INTERPOLATION = Interpolation.LINEAR;

    private final QuantizeSettings settings;
    private final Progress progress;
    private final List<String> warnings = new ArrayList<>();
    private final List<String> preparation = new ArrayList<>();
    private final Map<Target, Prepared> prepared = new EnumMap<>(Target.class);

    private ModelSpec sourceSpec;
    private FuseResult fused;
    private Graph graph;
    private List<String> layers;
    private Convolutions convolutions;
    private ImageSets images;
    private CalibrationTable table;
    private Evaluation onSelect;
    private Evaluation onReport;
    private LabelledImages findings;

    private FloatNetwork(QuantizeSettings settings, Progress progress) {
        this.settings = settings;
        this.progress = progress;
    }

    /**
     * Reads, fuses, prepares and calibrates, and writes the calibration table.
     *
     * @throws ToolchainException if something that was given cannot be worked on
     */
    static FloatNetwork observe(QuantizeSettings settings, Progress progress) {
        FloatNetwork network = new FloatNetwork(settings, progress);
        network.table = settings.calibration().table().map(CalibrationTable::read).orElse(null);
        network.read();
        network.prepare();
        network.images =
                ImageSets.draw(
                        settings.images(),
                        network.spec(Target.ONNXRUNTIME),
                        INTERPOLATION,
                        progress);
        network.warnings.addAll(network.images.described().get(1).problems());
        network.images
                .report()
                .unknownClass(network.sourceSpec.labels())
                .ifPresent(
                        name ->
                                network.warnings.add(
                                        "classes of the report set's labels are taken by their order, because the model knows no class "
                                                + name));
        network.calibrate();
        return network;
    }

    private void read() {
        Graph source = source();
        ModelOptions options = new ModelOptions(settings.layout(), settings.border());
        sourceSpec = Preparer.specOf(settings.model(), source, options);
        Preparer.assumedBorder(settings.model(), options, sourceSpec).ifPresent(preparation::add);
        boolean dynamic = source.nodes().stream().anyMatch(node -> node.is("ConvInteger"));
        progress.step("fuse", 0, 1);
        fused = Fuser.fuse(source, dynamic);
        Quantizer.requireFloat(fused.graph());
        progress.step("fuse", 1, 1);
        if (dynamic) {
            sourceSpec = sourceSpec.withPrecision("fp32");
            warnings.add(
                    "the model was quantised dynamically and was made float again: what it is compared with is that float model, not the one it came from");
        }
        for (PassReport pass : fused.passes()) {
            if (pass.matches() > 0) {
                preparation.add("fuse: %s, %d".formatted(pass.pass(), pass.matches()));
            }
        }
        preparation.add(
                String.format(
                        Locale.ROOT,
                        "fuse: outputs agree within %.1e, relative",
                        fused.worstRelativeError()));
    }

    private Graph source() {
        Graph file = Graph.read(settings.model());
        try {
            Graph source = Opset13.raised(file);
            if (source.opset() > file.opset()) {
                preparation.add(
                        "opset %d raised to %d, as INT8 needs it"
                                .formatted(file.opset(), source.opset()));
            }
            return source;
        } catch (ToolchainException e) {
            throw new ToolchainException("model " + settings.model() + ": " + e.getMessage(), e);
        }
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
                                + " stays float: it decodes a distribution, or its weights or bias are computed");
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

    private void calibrate() {
        if (table != null) {
            if (!table.graphSha256().equals(Sha256.of(graph.toBytes()))) {
                throw new ToolchainException(
                        "%s: is of another network, or of this one prepared otherwise: calibrate again"
                                .formatted(settings.calibration().table().get()));
            }
            requireDisjoint();
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

    /** A table of an earlier run may have seen what is a report picture now. */
    private void requireDisjoint() {
        Map<String, String> seen = new HashMap<>();
        table.pictures().forEach((name, sum) -> seen.put(sum, name));
        for (QuantizeReport.ImageSet set : images.described()) {
            List<String> shared =
                    set.pictures().values().stream()
                            .filter(seen::containsKey)
                            .map(seen::get)
                            .toList();
            if (set.purpose().equals("calibrate")) {
                if (shared.size() != seen.size() || shared.size() != set.pictures().size()) {
                    warnings.add(
                            "the calibration table %s was made on other pictures than those of the calibrate set"
                                    .formatted(settings.calibration().table().get()));
                }
            } else if (!shared.isEmpty()) {
                throw new ToolchainException(
                        "%s: was made on %d pictures of the %s set, %s for one: calibrate again, or draw with the seed and counts of then"
                                .formatted(
                                        settings.calibration().table().get(),
                                        shared.size(),
                                        set.purpose(),
                                        shared.get(0)));
            }
        }
    }

    private void createOutput() {
        try {
            Files.createDirectories(settings.output());
        } catch (IOException e) {
            throw new ToolchainException(
                    "output " + settings.output() + ": cannot be made: " + e, e);
        }
    }

    /** Where the calibration table is written to. */
    Path tableFile() {
        return settings.output().resolve(name() + "-calibration.json");
    }

    /** Measures what the float network finds in the pictures that choices are made on. */
    void evaluateOnSelect(Trials trials) {
        onSelect = trials.evaluate(fused.graph(), sourceSpec, Target.ONNXRUNTIME, images.select());
    }

    /** Measures what the float network finds. */
    void evaluate(Trials trials) {
        evaluateOnSelect(trials);
        findings = trials.findings(fused.graph(), sourceSpec, images.select());
        onReport = trials.evaluate(fused.graph(), sourceSpec, Target.ONNXRUNTIME, images.report());
        if (settings.gate().wantsAccuracy() && onReport.map() <= settings.gate().maxLoss()) {
            warnings.add(
                    String.format(
                            Locale.ROOT,
                            "the float model reaches mAP 50-95 %.4f on the report set, so that no loss can show: check classes, layout, border and labels, or give --max-loss 1 where only speed matters",
                            onReport.map()));
        }
    }

    /** Of the model file, without its ending: what is written is called after it. */
    String name() {
        String file = settings.model().getFileName().toString();
        return file.endsWith(".onnx") ? file.substring(0, file.length() - 5) : file;
    }

    /** Of the model as given. */
    ModelSpec sourceSpec() {
        return sourceSpec;
    }

    ModelSpec spec(Target target) {
        return prepared.get(target).spec();
    }

    Prepared prepared(Target target) {
        return prepared.get(target);
    }

    /** Fused, input and output as given. */
    Graph fused() {
        return fused.graph();
    }

    /** Prepared for ONNX Runtime: the one that was calibrated. */
    Graph graph() {
        return graph;
    }

    /** Convolutions that can be INT8, in the order they run. */
    List<String> layers() {
        return layers;
    }

    Convolutions convolutions() {
        return convolutions;
    }

    ImageSets images() {
        return images;
    }

    CalibrationTable table() {
        return table;
    }

    /** Of the float network, on the select set. */
    Evaluation onSelect() {
        return onSelect;
    }

    /** Of the float network, on the report set. */
    Evaluation onReport() {
        return onReport;
    }

    /** The select set's pictures, labelled by what the float network finds in them. */
    LabelledImages findings() {
        return findings;
    }

    /** What a reviewer should know. Live. */
    List<String> warnings() {
        return warnings;
    }

    /** What was done to the model, a line each. */
    List<String> preparation() {
        return preparation;
    }

    /** The convolution that reads the picture. */
    Optional<String> stem() {
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

    /** The stem and the predictions. */
    Set<String> firstAndLast() {
        Set<String> ends = new HashSet<>(predictions());
        stem().ifPresent(ends::add);
        return ends;
    }

    /** Convolutions that no other one comes after: what they give is decoded into boxes. */
    List<String> predictions() {
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
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.toolchain.graph.ValueInfo.Dim;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Makes a detector fit for serving: it takes the letterboxed bytes, any number of frames, and gives
 * few rows instead of all predictions. What the network computes stays the same, and each run
 * proves it.
 */
public final class Preparer {

    /** Colours summed in another order round differently. */
    private static final double INPUT_TOLERANCE = 1e-4;

    private static final double BATCH_TOLERANCE = 1e-5;
    private static final int[] BATCHES = {2, 3};
    private static final int THREADS = 2;

    /** Operators that choose: what is nearly equal may come out in another order. */
    private static final Set<String> CHOOSING =
            Set.of("TopK", "NonMaxSuppression", "ArgMax", "ArgMin", "NonZero");

    private final PrepareSettings settings;
    private final List<String> steps = new ArrayList<>();
    private Graph graph;
    private ModelSpec spec;

    private Preparer(Graph graph, ModelSpec spec, PrepareSettings settings) {
        this.graph = graph;
        this.spec = spec;
        this.settings = settings;
    }

    /**
     * @param options win over the JSON beside the model
     * @throws ToolchainException if the model cannot be prepared as asked, or a proof fails
     * @throws InferenceException if the file is no model that the job could run
     */
    public static Prepared prepare(Path onnx, ModelOptions options, PrepareSettings settings) {
        Graph graph = Graph.read(onnx);
        ModelSpec spec = specOf(onnx, graph, options);
        return prepare(graph, spec, settings, assumedBorder(onnx, options, spec));
    }

    /**
     * What the job would know of a model, and the border that YOLOv6 wants where nobody says one.
     *
     * @throws InferenceException if the file is no model that the job could run
     */
    public static ModelSpec specOf(Path onnx, Graph graph, ModelOptions options) {
        ModelFile file = ModelFile.read(onnx);
        if (!AssumedBorder.isOpen(options, file)) {
            return specOf(file, graph, options);
        }
        // Stated, so that the log does not tell of another one than it becomes.
        ModelSpec spec = specOf(file, graph, AssumedBorder.NONE.in(options));
        AssumedBorder border = AssumedBorder.of(graph, spec);
        return border == AssumedBorder.NONE ? spec : specOf(file, graph, border.in(options));
    }

    /** What {@link #specOf} assumed of the border and why; empty where somebody says one. */
    public static Optional<String> assumedBorder(Path onnx, ModelOptions options, ModelSpec spec) {
        return AssumedBorder.isOpen(options, ModelFile.read(onnx))
                ? Optional.of(AssumedBorder.of(spec).remark())
                : Optional.empty();
    }

    private static ModelSpec specOf(ModelFile file, Graph graph, ModelOptions options) {
        return file.spec(
                graph.inputs().stream().map(ValueInfo::toGraphTensor).toList(),
                graph.outputs().stream().map(ValueInfo::toGraphTensor).toList(),
                options,
                1);
    }

    /**
     * @param graph stays as it is
     * @param spec of that graph
     * @throws ToolchainException as {@link #prepare(Path, ModelOptions, PrepareSettings)}
     */
    public static Prepared prepare(Graph graph, ModelSpec spec, PrepareSettings settings) {
        return prepare(graph, spec, settings, Optional.empty());
    }

    private static Prepared prepare(
            Graph graph, ModelSpec spec, PrepareSettings settings, Optional<String> firstStep) {
        Preparer preparer = new Preparer(graph.copy(), spec, settings);
        firstStep.ifPresent(preparer.steps::add);
        try {
            return preparer.prepare();
        } catch (InferenceException e) {
            throw new ToolchainException(e.getMessage(), e);
        }
    }

    private Prepared prepare() {
        int named = graph.nameUnnamed();
        if (named > 0) {
            steps.add(named + " nodes had no name and were given one");
        }
        takeBytes();
        freeBatch();
        compact();
        graph.removeUnused();
        graph.validate();
        GraphSession.open(graph.toBytes(), SessionSettings.serving(THREADS)).close();
        return new Prepared(graph, spec, settings.target(), steps);
    }

    // ---- the input ----

    private void takeBytes() {
        if (ByteInput.isThere(graph, settings.target())) {
            steps.add("input takes bytes already: left as it is");
            return;
        }
        Graph before = graph.copy();
        steps.add(ByteInput.apply(graph, settings.target()));
        graph.validate();
        List<String> compared = untilChoices(before);
        Value bytes = TensorShapes.randomInputs(graph, 1, new Random(1)).values().iterator().next();
        String input = graph.inputs().get(0).name();
        Map<String, Value> expected =
                run(TensorShapes.exposing(before, compared), Map.of(input, planes(bytes)));
        Map<String, Value> found =
                run(TensorShapes.exposing(graph, compared), Map.of(input, bytes));
        Difference difference = difference(expected, found);
        require("bytes instead of floats", difference, INPUT_TOLERANCE);
        steps.add(
                proof("bytes give what their floats gave", difference)
                        + (graph.nodes().stream().anyMatch(n -> CHOOSING.contains(n.opType()))
                                ? ", compared before the graph chooses its rows"
                                : ""));
        spec = with(InputFormat.BYTES_NHWC_BGR, spec.maxBatch(), spec.dynamicBatch());
    }

    /** uint8 [batch, H, W, 3] BGR as float32 [batch, 3, H, W] RGB 0..1. */
    private static Value planes(Value bytes) {
        long[] shape = bytes.shape();
        int frames = (int) shape[0];
        int pixels = (int) (shape[1] * shape[2]);
        FloatBuffer planes =
                ByteBuffer.allocateDirect(4 * 3 * pixels * frames)
                        .order(ByteOrder.nativeOrder())
                        .asFloatBuffer();
        for (int frame = 0; frame < frames; frame++) {
            for (int channel = 2; channel >= 0; channel--) {
                for (int i = 0; i < pixels; i++) {
                    planes.put(
                            (bytes.bytes().get((frame * pixels + i) * 3 + channel) & 0xFF) / 255f);
                }
            }
        }
        return Value.of(new long[] {shape[0], 3, shape[1], shape[2]}, planes.flip());
    }

    /** The outputs, or what goes into the choices that they are made of. */
    private static List<String> untilChoices(Graph graph) {
        Set<String> chosen = new HashSet<>();
        Set<String> compared = new HashSet<>();
        for (Node node : graph.sorted()) {
            boolean behind = node.inputs().stream().anyMatch(chosen::contains);
            boolean chooses = CHOOSING.contains(node.opType());
            if (chooses && !behind) {
                node.inputs().stream()
                        .filter(input -> graph.producer(input).isPresent())
                        .forEach(compared::add);
            }
            if (behind || chooses) {
                chosen.addAll(node.outputs());
            }
        }
        graph.outputs().stream()
                .map(ValueInfo::name)
                .filter(output -> !chosen.contains(output))
                .forEach(compared::add);
        return compared.stream().sorted().toList();
    }

    // ---- the batch ----

    private void freeBatch() {
        boolean open = graph.inputs().get(0).dims().get(0).isOpen();
        try {
            if (open) {
                Difference difference = batchesAgainstSingles(graph);
                require("several frames at once", difference, BATCH_TOLERANCE);
                steps.add(
                        proof(
                                "batch was free already; 2 and 3 frames at once give what single ones give",
                                difference));
            } else {
                SymbolicBatch.Freed freed = SymbolicBatch.free(graph);
                Map<String, Value> inputs = TensorShapes.randomInputs(graph, 1, new Random(1));
                Difference difference =
                        difference(run(graph, inputs), run(freed.graph(), inputs))
                                .or(batchesAgainstSingles(freed.graph()));
                require("several frames at once", difference, BATCH_TOLERANCE);
                if (graph.inputs().stream().anyMatch(input -> !input.equals(input.fixed()))) {
                    steps.add(
                            "size of the input is fixed at %dx%d: a fixed batch can only be freed at one size"
                                    .formatted(spec.inputWidth(), spec.inputHeight()));
                }
                graph = freed.graph();
                steps.add(
                        "batch is free: it was written into %d nodes".formatted(freed.rewritten()));
                steps.add(proof("2 and 3 frames at once give what single ones give", difference));
            }
            fixBatch();
        } catch (SymbolicBatch.BoundException | ToolchainException | InferenceException e) {
            leaveBatch(open, e);
        }
    }

    private void fixBatch() {
        if (settings.batch().isEmpty()) {
            spec = with(spec.inputFormat(), spec.maxBatch(), true);
            return;
        }
        int batch = settings.batch().getAsInt();
        setBatch(batch);
        steps.add("batch fixed at " + batch);
    }

    private void leaveBatch(boolean open, Exception why) {
        int batch = open ? 1 : (int) graph.inputs().get(0).dims().get(0).size();
        if (settings.batch().isPresent() && settings.batch().getAsInt() != batch) {
            throw new ToolchainException(
                    "batch %d cannot be changed to %d: %s"
                            .formatted(batch, settings.batch().getAsInt(), why.getMessage()),
                    why);
        }
        setBatch(batch);
        steps.add("batch is fixed at %d: %s".formatted(batch, why.getMessage()));
    }

    private void setBatch(int batch) {
        graph.inputs().replaceAll(input -> input.withBatch(Dim.of(batch)));
        graph.outputs().replaceAll(output -> output.withBatch(Dim.of(batch)));
        spec = with(spec.inputFormat(), batch, false);
    }

    private static Difference batchesAgainstSingles(Graph free) {
        Difference worst = new Difference(0, "");
        try (GraphSession session =
                GraphSession.open(free.toBytes(), SessionSettings.serving(THREADS))) {
            for (int batch : BATCHES) {
                Map<String, Value> all = TensorShapes.randomInputs(free, batch, new Random(batch));
                Map<String, Value> together = session.run(all);
                for (int frame = 0; frame < batch; frame++) {
                    Map<String, Value> one = new LinkedHashMap<>();
                    int at = frame;
                    all.forEach((name, value) -> one.put(name, frame(value, at)));
                    Map<String, Value> expected = session.run(one);
                    for (Map.Entry<String, Value> output : expected.entrySet()) {
                        worst =
                                worst.or(
                                        Difference.between(
                                                output.getValue(),
                                                frame(together.get(output.getKey()), frame)));
                    }
                }
            }
        }
        return worst;
    }

    /** One frame of a batch, as a batch of one. */
    private static Value frame(Value batch, int frame) {
        long[] shape = batch.shape().clone();
        int size = 1;
        for (int axis = 1; axis < shape.length; axis++) {
            size *= (int) shape[axis];
        }
        if (frame >= shape[0]) {
            throw new ToolchainException(
                    "an output has %d rows, expected one a frame".formatted(shape[0]));
        }
        shape[0] = 1;
        if (batch.floats() != null) {
            return Value.of(shape, batch.floats().slice(frame * size, size));
        }
        return batch.longs() != null
                ? Value.of(shape, batch.longs().slice(frame * size, size))
                : Value.of(shape, batch.bytes().slice(frame * size, size));
    }

    // ---- the output ----

    private void compact() {
        if (settings.topK().isEmpty()) {
            return;
        }
        if (spec.layout() == OutputLayout.PAIRS || spec.layout() == OutputLayout.END2END) {
            steps.add("output of layout " + spec.layout().label() + " is compact: left as it is");
            return;
        }
        int rows =
                CompactOutput.apply(
                        graph, spec.layout(), spec.labels().size(), settings.topK().getAsInt());
        steps.add(
                "output is the best %d pairs of box and class, of the anchors best in any class"
                        .formatted(rows));
        spec =
                new ModelSpec(
                        spec.name(),
                        spec.sha256(),
                        spec.inputWidth(),
                        spec.inputHeight(),
                        spec.inputFormat(),
                        spec.maxBatch(),
                        spec.dynamicBatch(),
                        spec.border(),
                        spec.fill(),
                        spec.labels(),
                        OutputLayout.PAIRS,
                        spec.suppress(),
                        spec.confidence(),
                        spec.iou(),
                        spec.precision(),
                        spec.licence(),
                        spec.provenance());
    }

    // ---- proofs ----

    private static Map<String, Value> run(Graph graph, Map<String, Value> inputs) {
        try (GraphSession session =
                GraphSession.open(graph.toBytes(), SessionSettings.serving(THREADS))) {
            return session.run(inputs);
        }
    }

    private static Difference difference(Map<String, Value> expected, Map<String, Value> found) {
        Difference worst = new Difference(0, "");
        for (Map.Entry<String, Value> output : expected.entrySet()) {
            worst = worst.or(Difference.between(output.getValue(), found.get(output.getKey())));
        }
        return worst;
    }

    private static void require(String what, Difference difference, double tolerance) {
        if (!(difference.relative() <= tolerance)) {
            throw new ToolchainException(
                    String.format(
                            Locale.ROOT,
                            "%s change the result by %.1e, expected at most %.0e: %s",
                            what,
                            difference.relative(),
                            tolerance,
                            difference.where()));
        }
    }

    private static String proof(String what, Difference difference) {
        return String.format(
                Locale.ROOT, "proven: %s, to %.1e relative", what, difference.relative());
    }

    private ModelSpec with(InputFormat format, int maxBatch, boolean dynamicBatch) {
        return new ModelSpec(
                spec.name(),
                spec.sha256(),
                spec.inputWidth(),
                spec.inputHeight(),
                format,
                maxBatch,
                dynamicBatch,
                spec.border(),
                spec.fill(),
                spec.labels(),
                spec.layout(),
                spec.suppress(),
                spec.confidence(),
                spec.iou(),
                spec.precision(),
                spec.licence(),
                spec.provenance());
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.toolchain.graph.ValueInfo.Dim;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Frees a graph from the batch that it was exported with.
 *
 * <p>Requires inputs of a known size. Follows the frames from the input: a tensor carries the batch
 * if its outermost axis holds the frames one after the other, each with the same number of rows.
 * Where that number or the batch itself is written into a constant, the constant is rewritten.
 * Ensures that every output carries the batch; a node that would mix frames, or whose treatment of
 * them is not known, is named and nothing is changed.
 */
final class SymbolicBatch {

    static final Dim SYMBOL = Dim.open("batch");

    /** Each value of the output is of one value of each operand, axes aligned from the right. */
    private static final Set<String> ELEMENT_WISE =
            Set.of(
                    "Abs",
                    "Add",
                    "And",
                    "Cast",
                    "Ceil",
                    "Clip",
                    "Cos",
                    "Div",
                    "Dropout",
                    "Elu",
                    "Equal",
                    "Erf",
                    "Exp",
                    "Floor",
                    "Gelu",
                    "Greater",
                    "GreaterOrEqual",
                    "HardSigmoid",
                    "HardSwish",
                    "Identity",
                    "LeakyRelu",
                    "Less",
                    "LessOrEqual",
                    "Log",
                    "Max",
                    "Mean",
                    "Min",
                    "Mish",
                    "Mod",
                    "Mul",
                    "Neg",
                    "Not",
                    "Or",
                    "PRelu",
                    "Pow",
                    "Reciprocal",
                    "Relu",
                    "Round",
                    "Selu",
                    "Sigmoid",
                    "Sign",
                    "Sin",
                    "Softplus",
                    "Sqrt",
                    "Sub",
                    "Sum",
                    "Tanh",
                    "Where",
                    "Xor");

    /** Treats each frame, or each row of it, by itself; further operands hold no frames. */
    private static final Set<String> FRAME_WISE =
            Set.of(
                    "AveragePool",
                    "BatchNormalization",
                    "Conv",
                    "ConvInteger",
                    "ConvTranspose",
                    "DepthToSpace",
                    "GlobalAveragePool",
                    "GlobalMaxPool",
                    "InstanceNormalization",
                    "LRN",
                    "LpNormalization",
                    "MaxPool",
                    "QLinearConv",
                    "SpaceToDepth");

    /** Works along one axis; the number is the axis where the node is silent. */
    private static final Map<String, Long> ALONG_AXIS =
            Map.of(
                    "ArgMax", 0L,
                    "ArgMin", 0L,
                    "DequantizeLinear", 1L,
                    "LayerNormalization", -1L,
                    "QuantizeLinear", 1L,
                    "Split", 0L,
                    "TopK", -1L);

    private static final Set<String> REDUCTIONS =
            Set.of(
                    "ReduceL1",
                    "ReduceL2",
                    "ReduceLogSumExp",
                    "ReduceMax",
                    "ReduceMean",
                    "ReduceMin",
                    "ReduceProd",
                    "ReduceSum",
                    "ReduceSumSquare");

    /** A node stands in the way. */
    static final class BoundException extends Exception {
        private BoundException(String message) {
            super(message);
        }
    }

    private final Graph graph;
    private final long batch;
    private final Map<String, long[]> shapes = new HashMap<>();

    /** By tensor that carries the batch: rows a frame of its outermost axis. */
    private final Map<String, Long> carried = new HashMap<>();

    private int rewritten;

    /** The batch at run time, int64 [1]; null until a node needs it. */
    private String batchTensor;

    private SymbolicBatch(Graph graph, TensorShapes known, long batch) {
        this.graph = graph;
        this.batch = batch;
        graph.inputs().forEach(input -> shapes.put(input.name(), known.of(input.name())));
        graph.initializers().forEach((name, value) -> shapes.put(name, value.dims()));
        graph.nodes().stream()
                .flatMap(node -> node.outputs().stream())
                .forEach(output -> shapes.put(output, known.of(output)));
    }

    /**
     * @param graph takes any number of frames
     * @param rewritten how many nodes had the batch written into them
     */
    record Freed(Graph graph, int rewritten) {}

    /**
     * @param bound its batch is fixed; stays as it is
     * @throws BoundException with the node that prevents it
     */
    static Freed free(Graph bound) throws BoundException {
        Graph graph = bound.copy();
        // Folded shapes are of one size of pictures.
        graph.inputs().replaceAll(ValueInfo::fixed);
        long batch = graph.inputs().get(0).dims().get(0).size();
        SymbolicBatch work = new SymbolicBatch(graph, TensorShapes.of(graph), batch);
        work.foldShapes();
        for (ValueInfo input : graph.inputs()) {
            if (input.dims().get(0).size() != batch) {
                throw new BoundException("input " + input + " has another batch than the first");
            }
            work.carried.put(input.name(), 1L);
        }
        for (Node node : graph.sorted()) {
            work.follow(node);
        }
        graph.inputs().replaceAll(input -> input.withBatch(SYMBOL));
        for (int i = 0; i < graph.outputs().size(); i++) {
            ValueInfo output = graph.outputs().get(i);
            if (work.rowsOf(output.name()) != 1) {
                throw new BoundException("output " + output + " does not hold frame after frame");
            }
            graph.outputs()
                    .set(
                            i,
                            new ValueInfo(
                                            output.name(),
                                            output.type(),
                                            Arrays.stream(work.shapes.get(output.name()))
                                                    .mapToObj(Dim::of)
                                                    .toList())
                                    .withBatch(SYMBOL));
        }
        graph.removeUnused();
        return new Freed(graph, work.rewritten);
    }

    /** Sizes are known: what is computed from them becomes constant, and is rewritten as such. */
    private void foldShapes() {
        for (Node node : List.copyOf(graph.nodes())) {
            if (node.is("Shape")) {
                long[] shape = shapes.get(node.input(0));
                long start = node.longAttribute("start", 0);
                long end = node.longAttribute("end", shape.length);
                graph.nodes().remove(node);
                graph.initializers()
                        .put(
                                node.output(),
                                Tensor.longs(
                                        Arrays.copyOfRange(
                                                shape,
                                                position(start, shape.length),
                                                position(end, shape.length))));
                rewritten++;
            }
        }
    }

    private static int position(long index, int length) {
        return (int) Math.max(0, Math.min(length, index < 0 ? index + length : index));
    }

    private void follow(Node node) throws BoundException {
        if (node.inputs().stream().noneMatch(carried::containsKey)) {
            return;
        }
        if (!node.domain().isEmpty()) {
            throw bound(node, "what it does with a batch is not known");
        }
        String op = node.opType();
        if (ELEMENT_WISE.contains(op)) {
            carry(node, broadcast(node));
        } else if (FRAME_WISE.contains(op)) {
            carry(node, dataOnly(node));
        } else if (ALONG_AXIS.containsKey(op)) {
            requireInner(node, node.longAttribute("axis", ALONG_AXIS.get(op)), rank(node, 0));
            carry(node, dataOnly(node));
        } else if (REDUCTIONS.contains(op)) {
            reduce(node);
        } else {
            followOther(node);
        }
    }

    private void followOther(Node node) throws BoundException {
        switch (node.opType()) {
            case "Concat" -> concat(node);
            case "Expand" -> expand(node);
            case "Flatten" -> flatten(node);
            case "Gather" -> gather(node);
            case "GatherElements" -> gatherElements(node);
            case "GatherND" -> gatherNd(node);
            case "Gemm" -> gemm(node);
            case "MatMul" -> matMul(node);
            case "Pad" -> pad(node);
            case "Reshape" -> reshape(node);
            case "Resize", "Upsample" -> resize(node);
            case "Slice" -> slice(node);
            case "Softmax", "LogSoftmax" -> {
                requireInner(
                        node,
                        node.longAttribute("axis", graph.opset() < 13 ? 1 : -1),
                        rank(node, 0));
                carry(node, dataOnly(node));
            }
            case "Squeeze", "Unsqueeze" -> squeeze(node);
            case "Tile" -> {
                if (constant(node, 1)[0] != 1) {
                    throw bound(node, "it repeats the batch");
                }
                carry(node, dataOnly(node));
            }
            case "Transpose" -> {
                long[] reversed = new long[rank(node, 0)];
                Arrays.setAll(reversed, i -> reversed.length - 1 - i);
                if (node.longsAttribute("perm", reversed)[0] != 0) {
                    throw bound(node, "it moves the batch to another axis");
                }
                carry(node, dataOnly(node));
            }
            case "DynamicQuantizeLinear" ->
                    throw bound(
                            node,
                            "its scale is that of all frames together, so that each result would depend"
                                    + " on the others: run fuse --dequantize first");
            default -> throw bound(node, "what it does with a batch is not known");
        }
    }

    // ---- what the frames go through ----

    /** All operands are of one number of rows, or hold nothing along the outermost axis. */
    private long broadcast(Node node) throws BoundException {
        int rank = 0;
        for (String input : node.inputs()) {
            rank = input.isEmpty() ? rank : Math.max(rank, shapes.get(input).length);
        }
        long rows = 0;
        for (String input : node.inputs()) {
            if (input.isEmpty()) {
                continue;
            }
            long[] shape = shapes.get(input);
            long own = rowsOf(input);
            if (own == 0 && shape.length == rank && shape[0] != 1) {
                throw bound(
                        node,
                        "'%s' %s holds something else for each frame"
                                .formatted(input, Arrays.toString(shape)));
            }
            if (own != 0 && (shape.length != rank || (rows != 0 && rows != own))) {
                throw bound(node, "its operands hold the batch in different ways");
            }
            rows = own == 0 ? rows : own;
        }
        return rows;
    }

    /** Only the first operand carries the batch. */
    private long dataOnly(Node node) throws BoundException {
        for (int i = 1; i < node.inputs().size(); i++) {
            if (rowsOf(node.input(i)) != 0) {
                throw bound(node, "'" + node.input(i) + "' may differ from frame to frame");
            }
        }
        return rowsOf(node.input(0));
    }

    private void reduce(Node node) throws BoundException {
        long[] axes =
                node.inputs().size() > 1 && !node.input(1).isEmpty()
                        ? constant(node, 1)
                        : node.longsAttribute("axes");
        if (axes.length == 0 && node.longAttribute("noop_with_empty_axes", 0) == 0) {
            throw bound(node, "it reduces the batch too");
        }
        for (long axis : axes) {
            requireInner(node, axis, rank(node, 0));
        }
        carry(node, dataOnly(node));
    }

    private void concat(Node node) throws BoundException {
        requireInner(node, node.longAttribute("axis", 0), rank(node, 0));
        long rows = 0;
        for (String input : node.inputs()) {
            long own = rowsOf(input);
            if (own != 0 && rows != 0 && own != rows) {
                throw bound(node, "its operands hold the batch in different ways");
            }
            rows = own == 0 ? rows : own;
        }
        for (int i = 0; i < node.inputs().size(); i++) {
            if (rowsOf(node.input(i)) == 0) {
                if (rows != 1) {
                    throw bound(node, "'" + node.input(i) + "' holds no frames");
                }
                node.inputs().set(i, repeatedForEachFrame(node, node.input(i)));
                rewritten++;
            }
        }
        carry(node, rows);
    }

    /** A constant of one frame, once for each frame of the batch. */
    private String repeatedForEachFrame(Node node, String tensor) throws BoundException {
        long[] shape = shapes.get(tensor);
        if (shape[0] != 1) {
            throw bound(
                    node,
                    "'%s' %s holds something else for each frame"
                            .formatted(tensor, Arrays.toString(shape)));
        }
        if (batchTensor == null) {
            String input = graph.inputs().get(0).name();
            String sizes = graph.uniqueTensor("batch_sizes");
            graph.add("Shape", "batch/shape", List.of(input), sizes);
            String first = graph.addConstant("batch_axis", Tensor.longs(0));
            batchTensor = graph.uniqueTensor("batch_size");
            graph.add("Gather", "batch/size", List.of(sizes, first), batchTensor).with("axis", 0);
        }
        String rest =
                graph.addConstant(
                        tensor + "_frame",
                        Tensor.longs(Arrays.copyOfRange(shape, 1, shape.length)));
        String target = graph.uniqueTensor(tensor + "_shape");
        graph.add("Concat", tensor + "/shape", List.of(batchTensor, rest), target).with("axis", 0);
        String repeated = graph.uniqueTensor(tensor + "_batch");
        graph.add("Expand", tensor + "/expand", List.of(tensor, target), repeated);
        shapes.put(repeated, shape);
        carried.put(repeated, 1L);
        return repeated;
    }

    private void expand(Node node) throws BoundException {
        long[] shape = constant(node, 1);
        int rank = rank(node, 0);
        if (shape.length > rank) {
            throw bound(node, "it puts an axis before the batch");
        }
        if (shape.length == rank && shape[0] != 1) {
            if (shape[0] != shapes.get(node.input(0))[0]) {
                throw bound(node, "it repeats the batch");
            }
            shape[0] = 1;
            rewrite(node, 1, shape);
        }
        carry(node, dataOnly(node));
    }

    private void flatten(Node node) throws BoundException {
        long rows = dataOnly(node);
        int rank = rank(node, 0);
        long axis = node.longAttribute("axis", 1);
        requireInner(node, axis, rank + 1);
        long flattened = shapes.get(node.output())[0];
        long size = shapes.get(node.input(0))[0];
        carry(node, size == 0 ? rows : flattened / size * rows);
    }

    private void gather(Node node) throws BoundException {
        long data = rowsOf(node.input(0));
        long indices = rowsOf(node.input(1));
        long axis = node.longAttribute("axis", 0);
        if (axis < 0) {
            axis += rank(node, 0);
        }
        if (indices == 0) {
            requireInner(node, axis, rank(node, 0));
            carry(node, data);
        } else if (data == 0 && axis == 0) {
            carry(node, indices);
        } else if (axis == 0 && indices == 1 && data > 1 && graph.opset() >= 12) {
            gatherWithinFrames(node, data);
        } else {
            throw bound(node, "its indices do not tell frames apart");
        }
    }

    /**
     * Rows of all frames in one axis, indexed from the first: right for one frame only. Each
     * frame's indices are made to count within its own rows.
     */
    private void gatherWithinFrames(Node node, long rows) {
        long[] data = shapes.get(node.input(0));
        long[] dims = new long[data.length + 1];
        dims[0] = -1;
        dims[1] = rows;
        System.arraycopy(data, 1, dims, 2, data.length - 1);
        String frames = graph.uniqueTensor(node.input(0) + "_frames");
        graph.add(
                "Reshape",
                node.name() + "/frames",
                List.of(node.input(0), graph.addConstant(frames + "_shape", Tensor.longs(dims))),
                frames);
        long[] indices = shapes.get(node.input(1));
        long[] column = Arrays.copyOf(indices, indices.length + 1);
        column[0] = -1;
        column[indices.length] = 1;
        String columns = graph.uniqueTensor(node.input(1) + "_column");
        graph.add(
                "Reshape",
                node.name() + "/column",
                List.of(node.input(1), graph.addConstant(columns + "_shape", Tensor.longs(column))),
                columns);
        node.becomes("GatherND");
        node.remove("axis");
        node.with("batch_dims", 1);
        node.inputs().set(0, frames);
        node.inputs().set(1, columns);
        rewritten++;
        carry(node, 1);
    }

    private void gatherElements(Node node) throws BoundException {
        requireInner(node, node.longAttribute("axis", 0), rank(node, 0));
        long indices = rowsOf(node.input(1));
        if (rowsOf(node.input(0)) == 0 && indices == 1) {
            node.inputs().set(0, repeatedForEachFrame(node, node.input(0)));
            rewritten++;
        } else if (rowsOf(node.input(0)) == 1 && indices == 0) {
            node.inputs().set(1, repeatedForEachFrame(node, node.input(1)));
            rewritten++;
        }
        if (rowsOf(node.input(0)) != rowsOf(node.input(1))) {
            throw bound(node, "its operands hold the batch in different ways");
        }
        carry(node, rowsOf(node.input(0)));
    }

    private void gatherNd(Node node) throws BoundException {
        if (node.longAttribute("batch_dims", 0) < 1
                || rowsOf(node.input(0)) != rowsOf(node.input(1))) {
            throw bound(node, "its indices do not tell frames apart");
        }
        carry(node, rowsOf(node.input(0)));
    }

    private void gemm(Node node) throws BoundException {
        String shift = node.input(2);
        if (node.longAttribute("transA", 0) != 0
                || (!shift.isEmpty()
                        && shapes.get(shift).length == 2
                        && shapes.get(shift)[0] != 1)) {
            throw bound(node, "it mixes frames");
        }
        carry(node, dataOnly(node));
    }

    private void matMul(Node node) throws BoundException {
        long left = rowsOf(node.input(0));
        long right = rowsOf(node.input(1));
        int leftRank = rank(node, 0);
        int rightRank = rank(node, 1);
        // Matrices lie in the last two axes; those before them are aligned from the right.
        boolean apart =
                (left != 0 && right != 0)
                        ? left == right && leftRank == rightRank && leftRank > 2
                        : left != 0
                                ? leftRank >= 2 && staysOutside(node.input(1), rightRank, leftRank)
                                : rightRank > 2 && staysOutside(node.input(0), leftRank, rightRank);
        if (!apart) {
            throw bound(node, "it mixes frames");
        }
        carry(node, Math.max(left, right));
    }

    private boolean staysOutside(String constant, int rank, int other) {
        return rank <= 2 || rank < other || (rank == other && shapes.get(constant)[0] == 1);
    }

    private void pad(Node node) throws BoundException {
        long[] pads = node.inputs().size() > 1 ? constant(node, 1) : node.longsAttribute("pads");
        if (!node.input(3).isEmpty() || pads[0] != 0 || pads[pads.length / 2] != 0) {
            throw bound(node, "it adds to the batch");
        }
        carry(node, dataOnly(node));
    }

    private void reshape(Node node) throws BoundException {
        long rows = dataOnly(node);
        long[] shape = constant(node, 1);
        long[] in = shapes.get(node.input(0));
        long[] out = shapes.get(node.output());
        if (out.length == 0 || out[0] % batch != 0) {
            throw bound(
                    node,
                    "%s to %s leaves no axis to the frames"
                            .formatted(Arrays.toString(in), Arrays.toString(out)));
        }
        long outRows = out[0] / batch;
        if (outRows == rows && shape[0] > 0) {
            // Zero: as it comes in.
            shape[0] = 0;
            for (int i = 1; i < shape.length && node.longAttribute("allowzero", 0) != 0; i++) {
                shape[i] = out[i];
            }
            node.remove("allowzero");
            rewrite(node, 1, shape);
        } else if (outRows != rows && shape[0] != -1) {
            long[] open = out.clone();
            open[0] = -1;
            node.remove("allowzero");
            rewrite(node, 1, open);
        }
        carry(node, outRows);
    }

    private void resize(Node node) throws BoundException {
        String sizes = node.input(3);
        if (!sizes.isEmpty()) {
            if (node.has("axes")) {
                for (long axis : node.longsAttribute("axes")) {
                    requireInner(node, axis, rank(node, 0));
                }
            } else {
                scaleInstead(node);
            }
        }
        carry(node, dataOnly(node));
    }

    /** Sizes would fix the batch; scales that give the same sizes do not. */
    private void scaleInstead(Node node) throws BoundException {
        long[] in = shapes.get(node.input(0));
        long[] out = shapes.get(node.output());
        float[] scales = new float[in.length];
        for (int i = 0; i < in.length; i++) {
            scales[i] = (float) out[i] / in[i];
            if ((long) Math.floor(scales[i] * in[i]) != out[i]) {
                throw bound(node, "its sizes cannot be written as scales");
            }
        }
        String scale =
                graph.addConstant(
                        node.name() + "_scales", Tensor.floats(new long[] {in.length}, scales));
        node.inputs().set(2, scale);
        node.inputs().remove(3);
        rewritten++;
    }

    private void slice(Node node) throws BoundException {
        int rank = rank(node, 0);
        boolean asInputs = node.inputs().size() > 1;
        long[] starts = asInputs ? constant(node, 1) : node.longsAttribute("starts");
        long[] ends = asInputs ? constant(node, 2) : node.longsAttribute("ends");
        long[] axes = new long[starts.length];
        Arrays.setAll(axes, i -> i);
        if (asInputs && !node.input(3).isEmpty()) {
            axes = constant(node, 3);
        } else if (!asInputs) {
            axes = node.longsAttribute("axes", axes);
        }
        for (int i = 0; i < axes.length; i++) {
            boolean outermost = axes[i] == 0 || axes[i] == -rank;
            if (outermost && (starts[i] != 0 || ends[i] < Integer.MAX_VALUE)) {
                throw bound(node, "it cuts the batch");
            }
        }
        carry(node, dataOnly(node));
    }

    private void squeeze(Node node) throws BoundException {
        boolean unsqueeze = node.is("Unsqueeze");
        long[] axes = node.inputs().size() > 1 ? constant(node, 1) : node.longsAttribute("axes");
        if (axes.length == 0) {
            throw bound(node, "it drops the batch");
        }
        int rank = rank(node, 0) + (unsqueeze ? axes.length : 0);
        for (long axis : axes) {
            requireInner(node, axis, rank);
        }
        carry(node, dataOnly(node));
    }

    // ---- what they need ----

    private void carry(Node node, long rows) {
        node.outputs().forEach(output -> carried.put(output, rows));
    }

    /** Zero where the tensor does not carry the batch. */
    private long rowsOf(String tensor) {
        return carried.getOrDefault(tensor, 0L);
    }

    private int rank(Node node, int input) {
        return shapes.get(node.input(input)).length;
    }

    private static void requireInner(Node node, long axis, int rank) throws BoundException {
        if (axis == 0 || axis == -rank) {
            throw bound(node, "it works along the batch");
        }
    }

    private void rewrite(Node node, int input, long[] values) {
        node.inputs()
                .set(input, graph.addConstant(node.input(input) + "_batch", Tensor.longs(values)));
        rewritten++;
    }

    /** Numbers that a node takes, where they are the same for all frames. */
    private long[] constant(Node node, int input) throws BoundException {
        String tensor = node.input(input);
        if (graph.isConstant(tensor)) {
            return graph.constant(tensor).toLongs();
        }
        if (rowsOf(tensor) != 0 || dependsOnPictures(tensor, new HashSet<>())) {
            throw bound(node, "'" + tensor + "' depends on what is in the pictures");
        }
        Graph part = TensorShapes.exposing(graph, List.of(tensor));
        part.inputs().clear();
        try (GraphSession session =
                GraphSession.open(part.toBytes(), SessionSettings.reference(1))) {
            Value value = session.run(Map.of()).get(tensor);
            LongBuffer longs = value.longs();
            long[] values = new long[longs.limit()];
            longs.rewind().get(values);
            return values;
        }
    }

    private boolean dependsOnPictures(String tensor, Set<String> seen) {
        return seen.add(tensor)
                && (carried.containsKey(tensor)
                        || graph.producer(tensor).stream()
                                .flatMap(node -> node.inputs().stream())
                                .anyMatch(input -> dependsOnPictures(input, seen)));
    }

    private static BoundException bound(Node node, String why) {
        return new BoundException(node + ": " + why);
    }
}

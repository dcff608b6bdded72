// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.toolchain.graph.ValueInfo.Dim;
import java.util.List;

/**
 * Replaces a detector's predictions for every anchor and class by the best of them: rows x1, y1,
 * x2, y2, score, class by falling score. In two stages, as YOLOv10 does: first the anchors with the
 * best scores in any class, then, of all their classes, the best pairs of box and class. Whatever K
 * pairs are best, no more than K anchors hold them: nothing is lost that would be among K pairs.
 *
 * <p>Requires layout anchors-obj or channels-first and opset 12. Ensures output [batch, K, 6], of
 * which boxes of one anchor are the same to the last bit. Only operators that ONNX Runtime and
 * TensorRT both have.
 */
final class CompactOutput {

    private static final int OPSET = 12;
    private static final long END = Integer.MAX_VALUE;

    private final Graph graph;
    private final String prefix;

    private CompactOutput(Graph graph, String prefix) {
        this.graph = graph;
        this.prefix = prefix;
    }

    /**
     * Changes the graph; only its first output, the predictions, remains.
     *
     * @param k rows wanted; fewer where there are not that many pairs
     * @return rows of the output
     * @throws ToolchainException if the output is of another shape than the layout says
     */
    static int apply(Graph graph, OutputLayout layout, int classes, int k) {
        if (graph.opset() < OPSET) {
            throw new ToolchainException(
                    "opset %d: a compact output needs %d: export the model again with that"
                            .formatted(graph.opset(), OPSET));
        }
        ValueInfo output = graph.outputs().get(0);
        boolean anchorsLast = layout == OutputLayout.CHANNELS_FIRST;
        int attributes = classes + (anchorsLast ? 4 : 5);
        List<Dim> dims = output.dims();
        // Where they depend on the size of the picture, those of the usual one.
        long[] sizes =
                dims.stream().skip(1).anyMatch(Dim::isOpen)
                        ? TensorShapes.of(graph).of(output.name())
                        : dims.stream().mapToLong(Dim::size).toArray();
        if (output.type() != ElementType.FLOAT
                || sizes.length != 3
                || sizes[anchorsLast ? 1 : 2] != attributes) {
            throw new ToolchainException(
                    "output %s: expected float32 [batch, %s] for layout %s with %d classes"
                            .formatted(
                                    output,
                                    anchorsLast
                                            ? attributes + ", anchors"
                                            : "anchors, " + attributes,
                                    layout.label(),
                                    classes));
        }
        int kept = (int) Math.min(k, sizes[anchorsLast ? 2 : 1]);
        int rows = (int) Math.min(k, (long) kept * classes);
        CompactOutput work = new CompactOutput(graph, "compact/");
        String best =
                anchorsLast
                        ? work.bestOfChannelsFirst(output.name(), classes, kept)
                        : work.bestOfAnchorsObj(output.name(), kept);
        work.pairs(best, anchorsLast, classes, rows);
        return rows;
    }

    /** [batch, kept, 5 + classes]: the rows of the best anchors. */
    private String bestOfAnchorsObj(String predictions, int kept) {
        String objectness = slice(predictions, "objectness", 2, 4, 5);
        String classScores = slice(predictions, "class_scores", 2, 5, END);
        String best = max(classScores, "best_class", 2);
        String score = add("Mul", "best_score", best, objectness);
        String index = top(reshape(score, "anchor_scores", 0, -1), "anchors", kept).indices;
        return gatherRows(predictions, "best", reshape(index, "anchor_column", 0, kept, 1));
    }

    /** [batch, kept, 4 + classes], of planes. */
    private String bestOfChannelsFirst(String predictions, int classes, int kept) {
        String classScores = slice(predictions, "class_scores", 1, 4, END);
        String best = max(classScores, "best_class", 1);
        String index = top(reshape(best, "anchor_scores", 0, -1), "anchors", kept).indices;
        String planes = constant("planes", Tensor.longs(1, 4 + classes, 1));
        String everyPlane =
                add("Expand", "anchor_planes", reshape(index, "anchor_row", 0, 1, kept), planes);
        String columns = tensor("best_planes");
        graph.add(
                        "GatherElements",
                        prefix + "best_planes",
                        List.of(predictions, everyPlane),
                        columns)
                .with("axis", 2);
        String rows = tensor("best");
        graph.add("Transpose", prefix + "best", List.of(columns), rows)
                .with("perm", new long[] {0, 2, 1});
        return rows;
    }

    /**
     * @param best [batch, kept, box and scores]
     */
    private void pairs(String best, boolean anchorsLast, int classes, int rows) {
        String scores = slice(best, "scores", 2, anchorsLast ? 4 : 5, END);
        if (!anchorsLast) {
            scores = add("Mul", "pair_scores", scores, slice(best, "best_objectness", 2, 4, 5));
        }
        Top top = top(reshape(scores, "all_pairs", 0, -1), "pairs", rows);
        String count = constant("classes", Tensor.longs(classes));
        String anchor = add("Div", "pair_anchor", top.indices, count);
        String first = add("Mul", "pair_first", anchor, count);
        String classId = add("Sub", "pair_class", top.indices, first);
        String floatClass = tensor("pair_label");
        graph.add("Cast", prefix + "pair_label", List.of(classId), floatClass)
                .with("to", ElementType.FLOAT.number());

        String centre = slice(best, "centre", 2, 0, 2);
        String half =
                add(
                        "Mul",
                        "half_size",
                        slice(best, "size", 2, 2, 4),
                        constant("half", Tensor.scalar(0.5f)));
        String corners =
                concat(
                        "corners",
                        add("Sub", "low_corner", centre, half),
                        add("Add", "high_corner", centre, half));
        String boxes = gatherRows(corners, "boxes", reshape(anchor, "pair_column", 0, rows, 1));

        ValueInfo replaced = graph.outputs().get(0);
        String output =
                concat(
                        "detections",
                        boxes,
                        reshape(top.values, "score_column", 0, rows, 1),
                        reshape(floatClass, "label_column", 0, rows, 1));
        graph.outputs().clear();
        graph.outputs()
                .add(
                        new ValueInfo(
                                output,
                                ElementType.FLOAT,
                                List.of(replaced.dims().get(0), Dim.of(rows), Dim.of(6))));
        graph.removeUnused();
    }

    private record Top(String values, String indices) {}

    /** The best of [batch, any] along the last axis. */
    private Top top(String of, String name, int k) {
        Top top = new Top(tensor(name + "_values"), tensor(name + "_indices"));
        graph.add(
                        "TopK",
                        prefix + name,
                        List.of(of, constant(name + "_k", Tensor.longs(k))),
                        top.values)
                .with("axis", -1)
                .with("largest", 1)
                .with("sorted", 1)
                .outputs()
                .add(top.indices);
        return top;
    }

    private String max(String of, String name, int axis) {
        String max = tensor(name);
        // The axes became an input.
        boolean asInput = graph.opset() >= 18;
        var node =
                graph.add(
                        "ReduceMax",
                        prefix + name,
                        asInput
                                ? List.of(of, constant(name + "_axes", Tensor.longs(axis)))
                                : List.of(of),
                        max);
        if (!asInput) {
            node.with("axes", new long[] {axis});
        }
        node.with("keepdims", 1);
        return max;
    }

    private String slice(String of, String name, int axis, long from, long to) {
        String slice = tensor(name);
        graph.add(
                "Slice",
                prefix + name,
                List.of(
                        of,
                        constant(name + "_from", Tensor.longs(from)),
                        constant(name + "_to", Tensor.longs(to)),
                        constant(name + "_axis", Tensor.longs(axis))),
                slice);
        return slice;
    }

    /** Rows of each frame: [batch, any, values] at [batch, rows, 1]. */
    private String gatherRows(String of, String name, String column) {
        String rows = tensor(name);
        graph.add("GatherND", prefix + name, List.of(of, column), rows).with("batch_dims", 1);
        return rows;
    }

    private String reshape(String of, String name, long... dims) {
        return add("Reshape", name, of, constant(name + "_dims", Tensor.longs(dims)));
    }

    private String concat(String name, String... parts) {
        String whole = tensor(name);
        graph.add("Concat", prefix + name, List.of(parts), whole).with("axis", 2);
        return whole;
    }

    private String add(String operator, String name, String left, String right) {
        String result = tensor(name);
        graph.add(operator, prefix + name, List.of(left, right), result);
        return result;
    }

    private String tensor(String name) {
        return graph.uniqueTensor(name);
    }

    private String constant(String name, Tensor value) {
        return graph.addConstant(name, value);
    }
}

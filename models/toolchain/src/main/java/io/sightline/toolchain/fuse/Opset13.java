// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import java.util.List;

/**
 * Brings graphs of opset 11 and 12, as YOLOv5 and YOLOv7 are exported with, to 13, the first that
 * quantises with a scale for each channel. Of what changed on the way only these operators mean
 * something else: axes and sizes became inputs of Squeeze, Unsqueeze, ReduceSum and Split, the
 * ratio one of Dropout, and Softmax and its kin no longer flatten what lies behind their axis.
 */
public final class Opset13 {

    public static final long OPSET = 13;

    /** The oldest that can be raised. */
    public static final long OLDEST = 11;

    private static final double TOLERANCE = 1e-6;

    private final Graph graph;
    private final Graph before;
    private TensorShapes shapes;

    private Opset13(Graph graph, Graph before) {
        this.graph = graph;
        this.before = before;
    }

    /**
     * The graph itself where it is of opset 13 or newer, else one that computes the same.
     *
     * @param graph stays as it is
     * @throws ToolchainException if it is too old, or what comes out would compute something else
     */
    public static Graph raised(Graph graph) {
        if (graph.opset() >= OPSET) {
            return graph;
        }
        if (graph.opset() < OLDEST) {
            throw new ToolchainException(
                    "is of opset %d: expected %d or newer, of which quantisation makes %d: export it again, with --opset %d"
                            .formatted(graph.opset(), OLDEST, OPSET, OPSET));
        }
        Graph raised = graph.copy();
        new Opset13(raised, graph).raise();
        double deviation = Proof.deviation(graph, raised);
        if (!(deviation <= TOLERANCE)) {
            throw new ToolchainException(
                    "is of opset %d, and raised to %d gives something else: export it again, with --opset %d"
                            .formatted(graph.opset(), OPSET, OPSET));
        }
        return raised;
    }

    private void raise() {
        for (Node node : List.copyOf(graph.nodes())) {
            if (!node.domain().isEmpty()) {
                continue;
            }
            switch (node.opType()) {
                case "Squeeze", "Unsqueeze", "ReduceSum" -> attributeToInput(node, "axes");
                case "Split" -> attributeToInput(node, "split");
                case "Dropout" -> node.remove("ratio");
                case "Softmax", "LogSoftmax", "Hardmax" -> alongOneAxis(node);
                default -> {}
            }
        }
        graph.requireOpset("", OPSET);
    }

    private void attributeToInput(Node node, String attribute) {
        if (node.has(attribute)) {
            Tensor values = Tensor.longs(node.longsAttribute(attribute));
            node.inputs().add(graph.addConstant(node.output() + "_" + attribute, values));
            node.remove(attribute);
        }
    }

    /** Over the last axis both mean the same; over others the old one sees a matrix. */
    private void alongOneAxis(Node node) {
        long axis = node.longAttribute("axis", 1);
        if (axis != -1) {
            int rank = shapes().of(node.input(0)).length;
            if (axis != rank - 1) {
                flattened(node, axis);
            }
        }
        node.with("axis", -1);
    }

    /** Known by running the graph, which few graphs need. */
    private TensorShapes shapes() {
        if (shapes == null) {
            shapes = TensorShapes.of(before);
        }
        return shapes;
    }

    private void flattened(Node node, long axis) {
        String in = node.input(0);
        String out = node.output();
        String shape = graph.uniqueTensor(out + "_shape");
        String matrix = graph.uniqueTensor(out + "_matrix");
        String result = graph.uniqueTensor(out + "_rows");
        graph.add("Shape", node.name() + "/shape", List.of(in), shape);
        graph.add("Flatten", node.name() + "/matrix", List.of(in), matrix).with("axis", axis);
        node.inputs().set(0, matrix);
        node.outputs().set(0, result);
        graph.add("Reshape", node.name() + "/reshape", List.of(result, shape), out);
    }
}

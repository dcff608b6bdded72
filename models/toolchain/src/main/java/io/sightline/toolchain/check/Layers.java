// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.check;

import io.sightline.toolchain.check.CheckReport.Layer;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the nodes of a graph compute, and what that costs by the {@link ReferenceCore}. */
final class Layers {

    /** By operator that multiplies: which input holds the weights. */
    private static final Map<String, Integer> WEIGHTS =
            Map.of(
                    "Conv", 1,
                    "ConvInteger", 1,
                    "ConvTranspose", 1,
                    "Gemm", 1,
                    "MatMul", 1,
                    "MatMulInteger", 1,
                    "QLinearConv", 3,
                    "QLinearMatMul", 3);

    /** Only tell the shape of what lies there, or vanish when a graph is loaded. */
    private static final Set<String> FREE =
            Set.of(
                    "Constant",
                    "ConstantOfShape",
                    "DequantizeLinear",
                    "Flatten",
                    "Identity",
                    "QuantizeLinear",
                    "Range",
                    "Reshape",
                    "Shape",
                    "Squeeze",
                    "Unsqueeze");

    private final Graph graph;

    /** Null where they could not be found out. */
    private final TensorShapes shapes;

    private final long batch;

    Layers(Graph graph, TensorShapes shapes) {
        this.graph = graph;
        this.shapes = shapes;
        long[] input =
                shapes == null || graph.inputs().isEmpty()
                        ? null
                        : shapes.of(graph.inputs().get(0).name());
        this.batch = input == null || input.length == 0 ? 1 : Math.max(1, input[0]);
    }

    List<Layer> all() {
        return graph.nodes().stream().filter(Layers::multiplies).map(this::layer).toList();
    }

    static boolean multiplies(Node node) {
        return node.domain().isEmpty() && WEIGHTS.containsKey(node.opType());
    }

    /** Milliseconds in float of a node that is no layer. */
    double otherMillis(Node node) {
        return FREE.contains(node.opType())
                ? 0
                : ReferenceCore.floatMillis(
                        0, moved(node, graph.isConstant(node.input(0)) ? 1 : batch));
    }

    private Layer layer(Node node) {
        int index = WEIGHTS.get(node.opType());
        String weights = node.input(index);
        long[] kernel = shape(weights);
        long[] in = shape(node.input(0));
        long[] out = shape(node.output());
        boolean depthwise = isDepthwise(node, kernel);
        long macs = kernel == null || in == null || out == null ? 0 : macs(node, in, kernel, out);
        long elements = macs == 0 ? 0 : moved(node, batch);
        double floatMillis = ReferenceCore.floatMillis(macs, elements);
        return new Layer(
                node.name().isEmpty() ? node.output() : node.name(),
                node.opType(),
                kind(node, kernel, depthwise),
                list(in),
                list(out),
                parameters(node, index),
                macs,
                elements,
                floatMillis,
                depthwise ? floatMillis : ReferenceCore.int8Millis(macs, elements),
                ReferenceCore.memoryBound(macs, elements));
    }

    /** Of one frame. */
    private long macs(Node node, long[] in, long[] kernel, long[] out) {
        return switch (node.opType()) {
            // [out, in / group, kernel…]: each output value is the sum of so many products.
            case "Conv", "ConvInteger", "QLinearConv" ->
                    size(out) / batch * (size(kernel) / kernel[0]);
            // [in, out / group, kernel…]: each input value goes into so many outputs.
            case "ConvTranspose" -> size(in) / batch * (size(kernel) / kernel[0]);
            case "Gemm" -> size(out) / batch * in[node.longAttribute("transA", 0) == 0 ? 1 : 0];
            default -> size(out) / batch * in[in.length - 1];
        };
    }

    private static boolean isDepthwise(Node node, long[] kernel) {
        return kernel != null
                && kernel.length > 2
                && node.longAttribute("group", 1) > 1
                && kernel[1] == 1
                && !node.is("ConvTranspose");
    }

    private static String kind(Node node, long[] kernel, boolean depthwise) {
        if (kernel == null || kernel.length < 4) {
            return node.opType().contains("Conv") ? "convolution" : "matrix";
        }
        long[] strides = node.longsAttribute("strides", 1, 1);
        long group = node.longAttribute("group", 1);
        return (depthwise
                        ? "depthwise "
                        : node.is("ConvTranspose") ? "transposed " : group > 1 ? "grouped " : "")
                + "%dx%d/%d".formatted(kernel[2], kernel[3], strides[0]);
    }

    /** Constants that the layer multiplies with and adds. */
    private long parameters(Node node, int weightIndex) {
        String bias =
                switch (node.opType()) {
                    case "Conv", "ConvTranspose", "Gemm" -> node.input(2);
                    case "QLinearConv" -> node.input(8);
                    default -> "";
                };
        return constantSize(node.input(weightIndex)) + constantSize(bias);
    }

    /** Of a constant, or of one that is dequantised first. */
    private long constantSize(String tensor) {
        if (graph.isConstant(tensor)) {
            return graph.constant(tensor).size();
        }
        return graph.producer(tensor)
                .filter(node -> node.is("DequantizeLinear") && graph.isConstant(node.input(0)))
                .map(node -> (long) graph.constant(node.input(0)).size())
                .orElse(0L);
    }

    /** Elements read and written, of one frame. */
    private long moved(Node node, long frames) {
        long moved = 0;
        for (String input : node.inputs()) {
            boolean constant = graph.isConstant(input) || constantSize(input) > 0;
            moved += constant ? size(shape(input)) : size(shape(input)) / frames;
        }
        for (String output : node.outputs()) {
            moved += size(shape(output)) / frames;
        }
        return moved;
    }

    /** Null where unknown. */
    private long[] shape(String tensor) {
        if (graph.isConstant(tensor)) {
            return graph.constant(tensor).dims();
        }
        return shapes == null || tensor.isEmpty() ? null : shapes.of(tensor);
    }

    private static long size(long[] shape) {
        return shape == null ? 0 : Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    private static List<Long> list(long[] shape) {
        return shape == null ? List.of() : Arrays.stream(shape).boxed().toList();
    }
}

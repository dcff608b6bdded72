// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Makes a network take the letterboxed bytes themselves, uint8 [batch, H, W, 3] BGR, instead of
 * float32 [batch, 3, H, W] RGB 0..1: a quarter of the memory to write and to move, and no
 * conversion outside of the engine.
 *
 * <p>Requires one float32 input of three channels. Ensures that the outputs are those of the
 * original for the same bytes over 255, RGB and planar. Colours are put in order by the stem's
 * weights, whose input channels are reversed; where something else than plain convolutions sees the
 * picture, by a node of its own.
 *
 * <p>ONNX Runtime transposes the bytes and then dequantises them, so that a quantised stem may read
 * them as they are; TensorRT converts uint8 to nothing but float, which therefore comes first.
 */
final class ByteInput {

    private static final float SCALE = 1 / 255f;
    private static final int CHANNELS = 3;

    /** With one value for all channels these give the same whatever the channels' order. */
    private static final Set<String> CHANNEL_BLIND =
            Set.of(
                    "Identity",
                    "Cast",
                    "Dropout",
                    "Mul",
                    "Add",
                    "Sub",
                    "Div",
                    "Clip",
                    "QuantizeLinear",
                    "DequantizeLinear");

    private final Graph graph;

    private ByteInput(Graph graph) {
        this.graph = graph;
    }

    /**
     * Whether the input is what {@link #apply} gives: nothing is to be done.
     *
     * @throws ToolchainException if it is neither that nor what apply takes
     */
    static boolean isThere(Graph graph, Target target) {
        ValueInfo input = input(graph);
        if (input.dims().size() == 4
                && input.type() == ElementType.UINT8
                && input.dims().get(3).size() == CHANNELS) {
            if (target == Target.TENSORRT
                    && !graph.consumers(input.name()).stream().allMatch(node -> node.is("Cast"))) {
                throw new ToolchainException(
                        "input "
                                + input
                                + ": its bytes go into "
                                + graph.consumers(input.name())
                                + ", as ONNX Runtime takes them; TensorRT wants a Cast there: give"
                                + " the model that this one was prepared from");
            }
            return true;
        }
        if (input.dims().size() != 4
                || input.type() != ElementType.FLOAT
                || input.dims().get(1).size() != CHANNELS) {
            throw new ToolchainException(
                    "input "
                            + input
                            + ": expected float32 [batch, 3, height, width]: export the model with"
                            + " such an input");
        }
        return false;
    }

    private static ValueInfo input(Graph graph) {
        if (graph.inputs().size() != 1) {
            throw new ToolchainException(
                    "inputs "
                            + graph.inputs()
                            + ": expected one, the picture: export without others");
        }
        return graph.inputs().get(0);
    }

    /**
     * Changes the graph.
     *
     * @return what was done
     */
    static String apply(Graph graph, Target target) {
        return new ByteInput(graph).apply(target);
    }

    private String apply(Target target) {
        ValueInfo planes = input(graph);
        String pixels = planes.name();
        Set<Node> stems = stems(pixels);
        String picture = graph.uniqueTensor(pixels + "_rgb");
        graph.redirect(pixels, picture);
        List<ValueInfo.Dim> dims = planes.dims();
        graph.inputs()
                .set(
                        0,
                        new ValueInfo(
                                pixels,
                                ElementType.UINT8,
                                List.of(dims.get(0), dims.get(2), dims.get(3), dims.get(1))));
        String swapped = stems.isEmpty() ? graph.uniqueTensor(pixels + "_planes") : picture;
        if (target == Target.TENSORRT) {
            String floats = graph.uniqueTensor(pixels + "_floats");
            graph.add("Cast", "input/cast", List.of(pixels), floats)
                    .with("to", ElementType.FLOAT.number());
            String moved = transpose(floats);
            String scale = graph.addConstant(pixels + "_scale", Tensor.scalar(SCALE));
            graph.add("Mul", "input/scale", List.of(moved, scale), swapped);
        } else {
            String moved = transpose(pixels);
            String scale = graph.addConstant(pixels + "_scale", Tensor.scalar(SCALE));
            String zero =
                    graph.addConstant(
                            pixels + "_zero_point",
                            Tensor.bytes(ElementType.UINT8, new long[0], (byte) 0));
            graph.add("DequantizeLinear", "input/dequantize", List.of(moved, scale, zero), swapped);
        }
        String how =
                target == Target.TENSORRT ? "Cast, Transpose, Mul" : "Transpose, DequantizeLinear";
        if (stems.isEmpty()) {
            String order = graph.addConstant(pixels + "_order", Tensor.longs(2, 1, 0));
            graph.add("Gather", "input/rgb", List.of(swapped, order), picture).with("axis", 1);
            return "input takes bytes, uint8 NHWC BGR (%s); colours put in order by a Gather, as the picture goes into more than plain convolutions: %s"
                    .formatted(how, graph.consumers(picture));
        }
        stems.forEach(this::reverseChannels);
        return "input takes bytes, uint8 NHWC BGR (%s); colour order folded into %s"
                .formatted(how, stems);
    }

    private String transpose(String tensor) {
        String moved = graph.uniqueTensor(tensor + "_nchw");
        graph.add("Transpose", "input/transpose", List.of(tensor), moved)
                .with("perm", new long[] {0, 3, 1, 2});
        return moved;
    }

    /**
     * The convolutions whose weights can put the channels in order; empty where that is not all.
     */
    private Set<Node> stems(String pixels) {
        Set<Node> stems = new LinkedHashSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(pixels));
        Set<String> seen = new HashSet<>();
        while (!open.isEmpty()) {
            String tensor = open.pop();
            if (!seen.add(tensor)) {
                continue;
            }
            if (graph.isOutput(tensor)) {
                return Set.of();
            }
            for (Node node : graph.consumers(tensor)) {
                if (node.is("Conv") && node.input(0).equals(tensor)) {
                    if (node.longAttribute("group", 1) != 1 || weight(node) == null) {
                        return Set.of();
                    }
                    stems.add(node);
                } else if (isChannelBlind(node, tensor)) {
                    open.addAll(node.outputs());
                } else if (!node.is("Shape")) {
                    return Set.of();
                }
            }
        }
        return stems;
    }

    private boolean isChannelBlind(Node node, String data) {
        return node.domain().isEmpty()
                && CHANNEL_BLIND.contains(node.opType())
                && node.inputs().stream()
                        .allMatch(
                                input ->
                                        input.equals(data)
                                                || input.isEmpty()
                                                || (graph.isConstant(input)
                                                        && graph.constant(input).size() == 1
                                                        && graph.constant(input).rank() <= 1));
    }

    /** Name of the constant to change; null where there is none. */
    private String weight(Node conv) {
        String weight = conv.input(1);
        if (graph.isConstant(weight)) {
            return weight;
        }
        // Scales a channel belong to output channels: the order of input channels is free.
        return graph.producer(weight)
                .filter(node -> node.is("DequantizeLinear"))
                .filter(node -> graph.isConstant(node.input(0)) && graph.isConstant(node.input(1)))
                .filter(
                        node ->
                                graph.constant(node.input(1)).size() == 1
                                        || node.longAttribute("axis", 1) == 0)
                .map(node -> node.input(0))
                .orElse(null);
    }

    private void reverseChannels(Node conv) {
        String name = weight(conv);
        Tensor reversed = reversed(graph.constant(name));
        if (name.equals(conv.input(1))) {
            conv.inputs().set(1, graph.addConstant(name + "_bgr", reversed));
            return;
        }
        // A copy, as another convolution may share the weights.
        Node dequantize = graph.producer(conv.input(1)).orElseThrow();
        List<String> in = new ArrayList<>(dequantize.inputs());
        in.set(0, graph.addConstant(name + "_bgr", reversed));
        String out = graph.uniqueTensor(dequantize.output() + "_bgr");
        Node copy = graph.add("DequantizeLinear", dequantize.name() + "_bgr", in, out);
        if (dequantize.has("axis")) {
            copy.with("axis", dequantize.longAttribute("axis", 1));
        }
        conv.inputs().set(1, out);
    }

    /** [out, in, kernel…] with the input channels the other way round. */
    private static Tensor reversed(Tensor weight) {
        byte[] bytes = weight.toBytes();
        int channels = (int) weight.dim(1);
        int plane = bytes.length / (int) (weight.dim(0) * channels);
        ByteBuffer reversed = ByteBuffer.allocate(bytes.length);
        for (int out = 0; out < weight.dim(0); out++) {
            for (int in = channels - 1; in >= 0; in--) {
                reversed.put(bytes, (out * channels + in) * plane, plane);
            }
        }
        return weight.withBytes(reversed.array());
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Turns what dynamic quantisation made of a Conv or MatMul back: DynamicQuantizeLinear, ConvInteger
 * or MatMulInteger, Cast, Mul by the product of both scales, into the float operator with weights
 * (q − zero point) · scale. The activations are no longer rounded, so the result is near the
 * network before it was quantised, not equal to the graph it is made of.
 */
final class Dequantization implements Pass {

    private static final String SUFFIX = "_quant";

    /** Fused forms that only ONNX Runtime writes, for its own use. */
    private static final Set<String> FUSED =
            Set.of("DynamicQuantizeMatMul", "MatMulIntegerToFloat", "DynamicQuantizeLSTM");

    /** How an integer operator stands in the graph. */
    private record Match(String activation, Node cast, Node scaling, double[] scales) {}

    @Override
    public String name() {
        return "integer operators into float ones";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        for (Node node : List.copyOf(graph.nodes())) {
            if (FUSED.contains(node.opType())) {
                matches.left(node, "it is ONNX Runtime's own: export the model without it");
            } else if (node.is("ConvInteger") || node.is("MatMulInteger")) {
                Optional<String> problem = rewrite(graph, node);
                if (problem.isPresent()) {
                    matches.left(node, problem.get());
                } else {
                    matches.rewrote();
                }
            }
        }
        graph.removeUnused();
        return matches.report(this);
    }

    private static Optional<String> rewrite(Graph graph, Node node) {
        Optional<Node> activation = dynamic(graph, node.input(0), node.input(2));
        if (activation.isEmpty()) {
            return Optional.of("its activations are not from DynamicQuantizeLinear");
        }
        Tensor weight = graph.constant(node.input(1));
        if (weight == null
                || (weight.type() != ElementType.INT8 && weight.type() != ElementType.UINT8)) {
            return Optional.of("its weights are no int8 or uint8 constants");
        }
        boolean matrix = node.is("MatMulInteger");
        if (matrix && weight.rank() != 2) {
            return Optional.of("its weights are no matrix");
        }
        int channels = (int) weight.dim(matrix ? 1 : 0);
        Optional<long[]> zeroPoints = zeroPoints(graph, node.input(3), channels);
        if (zeroPoints.isEmpty()) {
            return Optional.of("its zero points are not one, or one a channel");
        }
        Optional<Node> cast = graph.soleConsumer(node.output()).filter(next -> next.is("Cast"));
        Optional<Node> scaling =
                cast.flatMap(next -> graph.soleConsumer(next.output()))
                        .filter(next -> next.is("Mul"));
        if (scaling.isEmpty()) {
            return Optional.of("a Cast and a Mul by its scales do not follow");
        }
        Optional<Tensor> scale =
                weightScale(graph, scaling.get(), cast.get(), activation.get().outputs().get(1));
        if (scale.isEmpty()) {
            return Optional.of(
                    scaling.get() + " does not multiply by both scales, one of them constant");
        }
        Optional<double[]> scales =
                matrix
                        ? alongLastAxis(scale.get(), channels)
                        : Affine.perChannel(scale.get(), channels, weight.rank());
        if (scales.isEmpty()) {
            return Optional.of("the scales of its weights are not one, or one a channel");
        }
        Match match = new Match(activation.get().input(0), cast.get(), scaling.get(), scales.get());
        replace(graph, node, weight, zeroPoints.get(), match);
        return Optional.empty();
    }

    /** The DynamicQuantizeLinear that gives both. */
    private static Optional<Node> dynamic(Graph graph, String quantised, String zeroPoint) {
        return graph.producer(quantised)
                .filter(
                        producer ->
                                producer.is("DynamicQuantizeLinear")
                                        && producer.outputs().size() == 3
                                        && producer.outputs().get(0).equals(quantised)
                                        && producer.outputs().get(2).equals(zeroPoint));
    }

    private static Optional<long[]> zeroPoints(Graph graph, String name, int channels) {
        long[] each = new long[channels];
        if (name.isEmpty()) {
            return Optional.of(each);
        }
        Tensor constant = graph.constant(name);
        if (constant == null || (constant.size() != 1 && constant.size() != channels)) {
            return Optional.empty();
        }
        long[] values = constant.toLongs();
        for (int c = 0; c < channels; c++) {
            each[c] = values[values.length == 1 ? 0 : c];
        }
        return Optional.of(each);
    }

    /** The weights' scale where a node multiplies by it and by the activation's. */
    private static Optional<Tensor> weightScale(
            Graph graph, Node scaling, Node cast, String activationScale) {
        String other = scaling.input(scaling.input(0).equals(cast.output()) ? 1 : 0);
        return graph.producer(other)
                .filter(product -> product.is("Mul"))
                .filter(product -> product.inputs().contains(activationScale))
                .map(product -> product.input(product.input(0).equals(activationScale) ? 1 : 0))
                .map(graph::constant)
                .filter(scale -> scale.type() == ElementType.FLOAT);
    }

    private static Optional<double[]> alongLastAxis(Tensor scale, int channels) {
        if (scale.rank() > 2 || (scale.size() != 1 && scale.size() != channels)) {
            return Optional.empty();
        }
        if (scale.size() != 1 && scale.dim(scale.rank() - 1) != channels) {
            return Optional.empty();
        }
        float[] values = scale.toFloats();
        double[] each = new double[channels];
        for (int c = 0; c < channels; c++) {
            each[c] = values[values.length == 1 ? 0 : c];
        }
        return Optional.of(each);
    }

    private static void replace(
            Graph graph, Node node, Tensor weight, long[] zeroPoints, Match match) {
        boolean matrix = node.is("MatMulInteger");
        long[] quantised = weight.toLongs();
        int channels = zeroPoints.length;
        int block = quantised.length / channels;
        float[] floats = new float[quantised.length];
        for (int i = 0; i < floats.length; i++) {
            int channel = matrix ? i % channels : i / block;
            floats[i] = (float) ((quantised[i] - zeroPoints[channel]) * match.scales[channel]);
        }
        String name = node.name();
        if (name.endsWith(SUFFIX)) {
            node.rename(name.substring(0, name.length() - SUFFIX.length()));
        }
        String constant =
                graph.addConstant(node.name() + ".weight", Tensor.floats(weight.dims(), floats));
        List<String> inputs = new ArrayList<>(List.of(match.activation, constant));
        node.inputs().clear();
        node.inputs().addAll(inputs);
        node.outputs().set(0, match.scaling.output());
        node.becomes(matrix ? "MatMul" : "Conv");
        graph.nodes().remove(match.cast);
        graph.nodes().remove(match.scaling);
    }
}

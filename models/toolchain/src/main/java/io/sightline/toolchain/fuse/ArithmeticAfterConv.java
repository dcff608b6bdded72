// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import java.util.List;
import java.util.Optional;

/** Folds a Mul, Div, Add or Sub with one constant a channel into the convolution before it. */
final class ArithmeticAfterConv implements Pass {

    private static final List<String> OPERATORS = List.of("Mul", "Div", "Add", "Sub");

    @Override
    public String name() {
        return "constants into the convolution before them";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        for (Node node : List.copyOf(graph.nodes())) {
            if (OPERATORS.stream().noneMatch(node::is)) {
                continue;
            }
            int side = graph.isConstant(node.input(0)) ? 1 : 0;
            if (!graph.isConstant(node.input(1 - side))) {
                continue;
            }
            Optional<Node> conv = graph.producer(node.input(side)).filter(Convolution::isOne);
            if (conv.isEmpty()) {
                continue;
            }
            Optional<String> problem = fold(graph, conv.get(), node, side);
            if (problem.isPresent()) {
                matches.left(node, problem.get());
            } else {
                matches.rewrote();
            }
        }
        return matches.report(this);
    }

    private static Optional<String> fold(Graph graph, Node conv, Node node, int side) {
        if (graph.soleConsumer(node.input(side)).isEmpty()) {
            return Optional.of("what " + conv + " gives is used elsewhere too");
        }
        Optional<String> unfit = Convolution.unfit(graph, conv);
        if (unfit.isPresent()) {
            return unfit;
        }
        Convolution convolution = Convolution.of(graph, conv);
        Tensor constant = graph.constant(node.input(1 - side));
        Optional<double[]> values =
                Affine.perChannel(constant, convolution.outputs(), convolution.weight().rank());
        if (values.isEmpty()) {
            return Optional.of("its constant " + constant + " is not one value a channel");
        }
        if (side == 1 && node.is("Div")) {
            return Optional.of("it divides by what " + conv + " gives");
        }
        Affine affine = affine(node, side, values.get());
        if (!affine.isFinite()) {
            return Optional.of("its constant holds what cannot be folded, such as 0 to divide by");
        }
        convolution.then(affine);
        conv.outputs().set(0, node.output());
        graph.nodes().remove(node);
        return Optional.empty();
    }

    private static Affine affine(Node node, int side, double[] values) {
        double[] changed = new double[values.length];
        for (int c = 0; c < values.length; c++) {
            changed[c] =
                    switch (node.opType()) {
                        case "Div" -> 1 / values[c];
                        case "Sub" -> side == 0 ? -values[c] : -1;
                        default -> values[c];
                    };
        }
        return switch (node.opType()) {
            case "Mul", "Div" -> Affine.scaling(changed);
            case "Sub" -> side == 0 ? Affine.shifting(changed) : new Affine(changed, values);
            default -> Affine.shifting(changed);
        };
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import java.util.List;
import java.util.Optional;

/**
 * Folds a BatchNorm into the Conv behind it: W' = W·t over input channels, b' = b + Σ W·s. Zeros
 * that a Conv pads with are not shifted, so with padding that is exact only where s is zero.
 */
final class BatchNormBeforeConv implements Pass {

    @Override
    public String name() {
        return "BatchNorm into the convolution behind it";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        for (Node norm : List.copyOf(graph.nodes())) {
            if (!norm.is("BatchNormalization")) {
                continue;
            }
            Optional<String> problem = problem(graph, norm);
            if (problem.isPresent()) {
                matches.left(norm, problem.get());
                continue;
            }
            Node conv = graph.soleConsumer(norm.output()).orElseThrow();
            Convolution.of(graph, conv).after(Affine.ofBatchNorm(graph, norm));
            conv.inputs().set(0, norm.input(0));
            graph.nodes().remove(norm);
            matches.rewrote();
        }
        return matches.report(this);
    }

    private static Optional<String> problem(Graph graph, Node norm) {
        Optional<Node> next = graph.soleConsumer(norm.output());
        if (next.isEmpty()) {
            return Optional.of("it stands behind no convolution of its own, and has several users");
        }
        Node conv = next.get();
        if (!Convolution.isOne(conv) || !conv.input(0).equals(norm.output())) {
            return Optional.of("it stands behind no convolution of its own, and before " + conv);
        }
        Optional<String> unfit = Affine.unfit(graph, norm).or(() -> Convolution.unfit(graph, conv));
        if (unfit.isPresent()) {
            return unfit;
        }
        if (Affine.ofBatchNorm(graph, norm).shifts()) {
            if (conv.is("ConvTranspose")) {
                return Optional.of("its shift reaches each output of " + conv + " differently");
            }
            if (Convolution.of(graph, conv).isPadded()) {
                return Optional.of("the zeros that " + conv + " pads with would be shifted");
            }
        }
        return Optional.empty();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import java.util.List;
import java.util.Optional;

/**
 * Folds a BatchNorm into the Conv or ConvTranspose before it: W' = W·t, b' = b·t + β − μ·t with t =
 * γ / √(σ² + ε).
 */
final class BatchNormAfterConv implements Pass {

    @Override
    public String name() {
        return "BatchNorm into the convolution before it";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        for (Node norm : List.copyOf(graph.nodes())) {
            if (!norm.is("BatchNormalization")) {
                continue;
            }
            Optional<Node> conv = graph.producer(norm.input(0)).filter(Convolution::isOne);
            if (conv.isEmpty()) {
                continue;
            }
            Optional<String> problem = problem(graph, conv.get(), norm);
            if (problem.isPresent()) {
                matches.left(norm, problem.get());
                continue;
            }
            Convolution.of(graph, conv.get()).then(Affine.ofBatchNorm(graph, norm));
            conv.get().outputs().set(0, norm.output());
            graph.nodes().remove(norm);
            matches.rewrote();
        }
        return matches.report(this);
    }

    private static Optional<String> problem(Graph graph, Node conv, Node norm) {
        if (graph.soleConsumer(norm.input(0)).isEmpty()) {
            return Optional.of("what " + conv + " gives is used elsewhere too");
        }
        return Convolution.unfit(graph, conv).or(() -> Affine.unfit(graph, norm));
    }
}

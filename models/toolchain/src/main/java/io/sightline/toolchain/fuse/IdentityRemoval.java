// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import java.util.List;
import java.util.Optional;

/**
 * Takes out what does nothing at inference: Identity, Dropout, and a Relu behind another, with
 * which ONNX Runtime refuses the network once it is quantised.
 */
final class IdentityRemoval implements Pass {

    @Override
    public String name() {
        return "identities removed";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        for (Node node : List.copyOf(graph.nodes())) {
            if (!node.is("Identity") && !node.is("Dropout") && !isSecondRelu(graph, node)) {
                continue;
            }
            Optional<String> problem = problem(graph, node);
            if (problem.isPresent()) {
                matches.left(node, problem.get());
                continue;
            }
            graph.nodes().remove(node);
            if (graph.isOutput(node.output())) {
                // The output keeps its name: what gave the input gives it from now on.
                String tensor = node.input(0);
                Node producer = graph.producer(tensor).orElseThrow();
                producer.outputs()
                        .replaceAll(output -> output.equals(tensor) ? node.output() : output);
                graph.redirect(tensor, node.output());
            } else {
                graph.redirect(node.output(), node.input(0));
            }
            matches.rewrote();
        }
        return matches.report(this);
    }

    private static boolean isSecondRelu(Graph graph, Node node) {
        return node.is("Relu")
                && graph.producer(node.input(0)).map(before -> before.is("Relu")).orElse(false);
    }

    private static Optional<String> problem(Graph graph, Node node) {
        if (node.is("Dropout")) {
            if (node.outputs().size() > 1
                    && !node.outputs().get(1).isEmpty()
                    && (!graph.consumers(node.outputs().get(1)).isEmpty()
                            || graph.isOutput(node.outputs().get(1)))) {
                return Optional.of("its mask is used");
            }
            if (!node.input(2).isEmpty()) {
                Tensor training = graph.constant(node.input(2));
                if (training == null || training.toLongs()[0] != 0) {
                    return Optional.of("it may be in training mode");
                }
            }
        }
        if (graph.isOutput(node.output())
                && (graph.isOutput(node.input(0)) || graph.producer(node.input(0)).isEmpty())) {
            return Optional.of(
                    "it gives the output '"
                            + node.output()
                            + "' a name that its input cannot take");
        }
        return Optional.empty();
    }
}

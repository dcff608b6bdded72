// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.inference.InferenceException;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Replaces nodes that take only constants by what ONNX Runtime computes of them. Constants grow by
 * no more than {@value #LIMIT_BYTES} bytes a node, and what is quantised stays so.
 */
final class ConstantFolding implements Pass {

    static final int LIMIT_BYTES = 1 << 20;

    private static final Set<String> QUANTISING =
            Set.of("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear");

    private static final Set<String> RANDOM =
            Set.of(
                    "RandomNormal",
                    "RandomNormalLike",
                    "RandomUniform",
                    "RandomUniformLike",
                    "Multinomial",
                    "Bernoulli",
                    "Dropout");

    @Override
    public String name() {
        return "constants computed";
    }

    @Override
    public PassReport apply(Graph graph) {
        Matches matches = new Matches();
        for (Node node : graph.sorted()) {
            if (node.inputs().stream().anyMatch(in -> !in.isEmpty() && !graph.isConstant(in))) {
                continue;
            }
            Optional<String> problem = problem(graph, node).or(() -> fold(graph, node));
            if (problem.isPresent()) {
                matches.left(node, problem.get());
            } else {
                matches.rewrote();
            }
        }
        return matches.report(this);
    }

    private static Optional<String> problem(Graph graph, Node node) {
        if (!node.domain().isEmpty()) {
            return Optional.of("it is no standard operator");
        }
        if (QUANTISING.contains(node.opType())) {
            return Optional.of("quantised constants stay so");
        }
        if (RANDOM.contains(node.opType())) {
            return Optional.of("what it gives is drawn");
        }
        if (node.outputs().stream().anyMatch(graph::isOutput)) {
            return Optional.of("it gives an output of the graph");
        }
        return Optional.empty();
    }

    private static Optional<String> fold(Graph graph, Node node) {
        Graph alone = new Graph(node.name(), graph.opset());
        long limit = LIMIT_BYTES;
        for (String input : node.inputs()) {
            if (!input.isEmpty()
                    && alone.initializers().put(input, graph.constant(input)) == null) {
                limit += bytes(graph.constant(input));
            }
        }
        alone.nodes().add(node);
        for (String output : node.outputs()) {
            if (!output.isEmpty()) {
                alone.outputs().add(ValueInfo.untyped(output));
            }
        }
        Map<String, Tensor> values = new LinkedHashMap<>();
        long size = 0;
        try (GraphSession session =
                GraphSession.open(alone.toBytes(), SessionSettings.reference(1))) {
            for (Map.Entry<String, Value> output : session.run(Map.of()).entrySet()) {
                Tensor tensor = tensor(session.outputType(output.getKey()), output.getValue());
                values.put(output.getKey(), tensor);
                size += bytes(tensor);
            }
        } catch (InferenceException | IllegalArgumentException e) {
            return Optional.of("it cannot be computed: " + e.getMessage());
        }
        if (size > limit) {
            return Optional.of("its result of %d bytes is too large".formatted(size));
        }
        graph.nodes().remove(node);
        graph.initializers().putAll(values);
        return Optional.empty();
    }

    private static long bytes(Tensor tensor) {
        return (long) tensor.size() * tensor.type().bytes();
    }

    private static Tensor tensor(String type, Value value) {
        ElementType elements = ElementType.valueOf(type);
        switch (elements) {
            case FLOAT -> {
                float[] floats = new float[value.floats().remaining()];
                value.floats().get(floats);
                return Tensor.floats(value.shape(), floats);
            }
            case INT64, INT32 -> {
                long[] longs = new long[value.longs().remaining()];
                value.longs().get(longs);
                return elements == ElementType.INT64
                        ? Tensor.longs(value.shape(), longs)
                        : Tensor.ints(value.shape(), longs);
            }
            case UINT8, INT8, BOOL -> {
                ByteBuffer buffer = value.bytes();
                byte[] bytes = new byte[buffer.remaining()];
                buffer.get(bytes);
                return Tensor.bytes(elements, value.shape(), bytes);
            }
            default -> throw new IllegalArgumentException("it gives " + elements);
        }
    }
}

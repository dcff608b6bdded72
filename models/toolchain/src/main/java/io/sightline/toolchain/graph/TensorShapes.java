// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.graph;

import io.sightline.inference.InferenceException;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.ToolchainException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * The shape of every tensor of a graph, found by running it once: whatever an operator does, what
 * it gave is what it gives.
 */
public final class TensorShapes {

    private static final int THREADS = 2;

    private final Map<String, long[]> shapes;
    private final Set<String> floats;

    private TensorShapes(Map<String, long[]> shapes, Set<String> floats) {
        this.shapes = shapes;
        this.floats = floats;
    }

    /**
     * Runs the graph on one random picture.
     *
     * @throws ToolchainException if ONNX Runtime refuses the graph, or an input's size is open
     */
    public static TensorShapes of(Graph graph) {
        Map<String, long[]> shapes = new HashMap<>();
        graph.initializers().forEach((name, value) -> shapes.put(name, value.dims()));
        Set<String> floats = new HashSet<>();
        Map<String, Value> inputs = randomInputs(graph, 1, new Random(1));
        inputs.forEach((name, value) -> shapes.put(name, value.shape()));
        // Several small runs would recompute everything; one with every tensor kept may be large.
        try (GraphSession session =
                GraphSession.open(
                        exposing(graph, everyTensor(graph)).toBytes(),
                        SessionSettings.reference(THREADS))) {
            session.run(
                    inputs,
                    (name, value) -> {
                        shapes.put(name, value.shape());
                        if (value.floats() != null) {
                            floats.add(name);
                        }
                    });
        } catch (InferenceException e) {
            throw new ToolchainException(e.getMessage(), e);
        }
        return new TensorShapes(shapes, floats);
    }

    private static List<String> everyTensor(Graph graph) {
        return graph.nodes().stream()
                .flatMap(node -> node.outputs().stream())
                .filter(output -> !output.isEmpty())
                .toList();
    }

    /** The graph with these tensors as its outputs, in this order, and nothing they do not need. */
    public static Graph exposing(Graph graph, List<String> tensors) {
        Graph exposed = graph.copy();
        exposed.outputs().clear();
        for (String tensor : tensors) {
            exposed.outputs().add(ValueInfo.untyped(tensor));
        }
        exposed.removeUnused();
        return exposed;
    }

    /**
     * Something to run a graph on: for each input values between 0 and 1, or bytes.
     *
     * @param batch where the outermost dimension is open
     * @throws ToolchainException if another dimension is open, or an input takes neither floats nor
     *     bytes
     */
    public static Map<String, Value> randomInputs(Graph graph, int batch, Random random) {
        Map<String, Value> values = new LinkedHashMap<>();
        for (ValueInfo input : graph.inputs()) {
            long[] shape = new long[input.dims().size()];
            int size = 1;
            for (int axis = 0; axis < shape.length; axis++) {
                ValueInfo.Dim dim = input.dims().get(axis);
                if (dim.isOpen() && axis > 0) {
                    throw new ToolchainException(
                            "input "
                                    + input
                                    + " leaves its size open: state \"input_width\" and \"input_height\" in the JSON beside it, or export the model with a fixed size");
                }
                shape[axis] = dim.isOpen() ? batch : dim.size();
                size = Math.multiplyExact(size, Math.toIntExact(shape[axis]));
            }
            values.put(input.name(), random(input, shape, size, random));
        }
        return values;
    }

    private static Value random(ValueInfo input, long[] shape, int size, Random random) {
        switch (input.type()) {
            case FLOAT -> {
                FloatBuffer floats =
                        ByteBuffer.allocateDirect(4 * size)
                                .order(ByteOrder.nativeOrder())
                                .asFloatBuffer();
                for (int i = 0; i < size; i++) {
                    floats.put(random.nextFloat());
                }
                return Value.of(shape, floats.flip());
            }
            case UINT8 -> {
                byte[] bytes = new byte[size];
                random.nextBytes(bytes);
                return Value.of(shape, ByteBuffer.allocateDirect(size).put(bytes).flip());
            }
            default ->
                    throw new ToolchainException(
                            "input " + input + ": expected float32 or uint8 pictures");
        }
    }

    /** Null where the graph has no such tensor. Not to be changed. */
    public long[] of(String tensor) {
        return shapes.get(tensor);
    }

    /** Whether the tensor is one that nodes give, of float32. */
    public boolean isFloat(String tensor) {
        return floats.contains(tensor);
    }

    /** How many elements the tensor has; 0 where the graph has none of that name. */
    public long size(String tensor) {
        long[] shape = shapes.get(tensor);
        if (shape == null) {
            return 0;
        }
        long size = 1;
        for (long dim : shape) {
            size *= dim;
        }
        return size;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.inference.InferenceException;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * Holds a rewritten graph against the one it was made of, both run as ONNX defines them on random
 * input. Compared are the outputs, and the predictions they are computed of: in one tensor of boxes
 * in pixels and scores up to 1 an error of the scores would drown.
 *
 * <p>Rows that are sorted by score change places where two scores are nearly equal. Where outputs
 * depend on such an order, compared are the tensors that go into the ordering; then both graphs get
 * the same ones of these and have to give the same outputs.
 */
final class Proof {

    static final double TOLERANCE = 1e-4;

    private static final long[] SEEDS = {1, 2, 3};
    private static final int THREADS = 2;

    /** Below that what is compared counts as 0. */
    private static final double EPSILON = 1e-6;

    private static final Set<String> ORDERING =
            Set.of("TopK", "NonMaxSuppression", "ArgMax", "ArgMin", "NonZero");

    private static final Set<String> WEIGHTED = Set.of("Conv", "ConvTranspose", "MatMul", "Gemm");

    private Proof() {}

    /** Tensors that go into an ordering, or past it into what depends on one. */
    static List<String> beforeOrdering(Graph graph) {
        Set<String> ordered = new HashSet<>();
        Set<String> before = new LinkedHashSet<>();
        for (Node node : graph.sorted()) {
            if (ORDERING.contains(node.opType())
                    || node.inputs().stream().anyMatch(ordered::contains)) {
                ordered.addAll(node.outputs());
                before.addAll(node.inputs());
            }
        }
        before.removeIf(
                tensor -> tensor.isEmpty() || ordered.contains(tensor) || graph.isConstant(tensor));
        return List.copyOf(before);
    }

    /**
     * The worst relative error.
     *
     * @param before with everything that {@link #beforeOrdering} names in both graphs
     * @throws ToolchainException if it is past the tolerance
     */
    static double prove(Graph before, Graph after) {
        List<String> frontier = beforeOrdering(before);
        double worst = deviation(before, after);
        if (!frontier.isEmpty() && worst <= TOLERANCE) {
            worst = Math.max(worst, tailDeviation(before, after, frontier));
        }
        if (!(worst <= TOLERANCE)) {
            throw new ToolchainException(
                    String.format(
                            Locale.ROOT,
                            "the fused graph does not compute what the graph before did: outputs on random input differ by %.2g of their largest value, allowed are %.0g: nothing was written, please report it with the model",
                            worst,
                            TOLERANCE));
        }
        return worst;
    }

    /** The worst relative error of outputs, predictions, and what goes into an ordering. */
    static double deviation(Graph before, Graph after) {
        Set<String> compared = new LinkedHashSet<>(beforeOrdering(before));
        Set<String> ordered = dependentOn(before, compared);
        before.outputs().stream()
                .map(ValueInfo::name)
                .filter(output -> compared.isEmpty() || !ordered.contains(output))
                .forEach(compared::add);
        compared.addAll(predictions(after));
        compared.removeIf(tensor -> !isComputed(before, tensor) || !isComputed(after, tensor));

        List<Map<String, Value>> inputs = new ArrayList<>();
        for (long seed : SEEDS) {
            inputs.add(TensorShapes.randomInputs(before, 1, new Random(seed)));
        }
        return worst(
                run(TensorShapes.exposing(before, List.copyOf(compared)), inputs),
                run(TensorShapes.exposing(after, List.copyOf(compared)), inputs));
    }

    /** With equal values of the tensors before the ordering both give equal outputs. */
    private static double tailDeviation(Graph before, Graph after, List<String> frontier) {
        Map<String, Value> inputs = TensorShapes.randomInputs(before, 1, new Random(SEEDS[0]));
        Map<String, Value> middle = new LinkedHashMap<>(inputs);
        middle.putAll(
                run(TensorShapes.exposing(before, computed(before, frontier)), List.of(inputs))
                        .get(0));
        return worst(
                run(tail(before, frontier, middle), List.of(only(middle, before, frontier))),
                run(tail(after, frontier, middle), List.of(only(middle, after, frontier))));
    }

    private static List<String> computed(Graph graph, List<String> tensors) {
        return tensors.stream().filter(tensor -> graph.producer(tensor).isPresent()).toList();
    }

    /** What is behind some tensors, which become its inputs. */
    private static Graph tail(Graph graph, List<String> frontier, Map<String, Value> values) {
        Graph tail = graph.copy();
        tail.inputs().clear();
        for (String tensor : frontier) {
            for (Node node : tail.nodes()) {
                node.outputs()
                        .replaceAll(
                                output ->
                                        output.equals(tensor)
                                                ? tail.uniqueTensor(tensor + "_cut")
                                                : output);
            }
        }
        tail.removeUnused();
        for (String tensor : used(tail, frontier)) {
            Value value = values.get(tensor);
            tail.inputs()
                    .add(
                            ValueInfo.of(
                                    tensor,
                                    value.floats() != null ? ElementType.FLOAT : ElementType.INT64,
                                    value.shape()));
        }
        return tail;
    }

    private static List<String> used(Graph tail, Collection<String> tensors) {
        return tensors.stream().filter(tensor -> !tail.consumers(tensor).isEmpty()).toList();
    }

    private static Map<String, Value> only(
            Map<String, Value> values, Graph graph, List<String> frontier) {
        Map<String, Value> only = new LinkedHashMap<>();
        for (String tensor : used(tail(graph, frontier, values), frontier)) {
            only.put(tensor, values.get(tensor));
        }
        return only;
    }

    private static boolean isComputed(Graph graph, String tensor) {
        return graph.producer(tensor).isPresent();
    }

    private static Set<String> dependentOn(Graph graph, Set<String> frontier) {
        Set<String> dependent = new HashSet<>();
        for (Node node : graph.sorted()) {
            if (ORDERING.contains(node.opType())
                    || node.inputs().stream().anyMatch(dependent::contains)) {
                dependent.addAll(node.outputs());
            }
        }
        dependent.removeAll(frontier);
        return dependent;
    }

    /** What the last weighted layers before the outputs give. */
    private static List<String> predictions(Graph graph) {
        List<String> predictions = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        Deque<String> open = new ArrayDeque<>();
        graph.outputs().forEach(output -> open.add(output.name()));
        while (!open.isEmpty()) {
            String tensor = open.pop();
            if (!seen.add(tensor)) {
                continue;
            }
            graph.producer(tensor)
                    .ifPresent(
                            node -> {
                                if (WEIGHTED.contains(node.opType())) {
                                    predictions.add(tensor);
                                } else {
                                    open.addAll(node.inputs());
                                }
                            });
        }
        return predictions;
    }

    /** Of each run each output, in memory of ours. */
    private static List<Map<String, Value>> run(Graph graph, List<Map<String, Value>> inputs) {
        List<Map<String, Value>> runs = new ArrayList<>();
        try (GraphSession session =
                GraphSession.open(graph.toBytes(), SessionSettings.reference(THREADS))) {
            for (Map<String, Value> input : inputs) {
                runs.add(session.run(input));
            }
        } catch (InferenceException e) {
            throw new ToolchainException("the graph does not run: " + e.getMessage(), e);
        }
        return runs;
    }

    private static double worst(List<Map<String, Value>> before, List<Map<String, Value>> after) {
        double worst = 0;
        for (int run = 0; run < before.size(); run++) {
            for (Map.Entry<String, Value> output : before.get(run).entrySet()) {
                worst =
                        Math.max(
                                worst,
                                relativeError(
                                        numbers(output.getValue()),
                                        numbers(after.get(run).get(output.getKey()))));
            }
        }
        return worst;
    }

    private static double relativeError(double[] before, double[] after) {
        if (before.length != after.length) {
            return Double.POSITIVE_INFINITY;
        }
        double largest = EPSILON;
        double difference = 0;
        for (int i = 0; i < before.length; i++) {
            if (Double.compare(before[i], after[i]) == 0) {
                largest = Math.max(largest, Math.abs(before[i]));
                continue;
            }
            double apart = Math.abs(before[i] - after[i]);
            if (Double.isNaN(apart) || Double.isInfinite(apart)) {
                return Double.POSITIVE_INFINITY;
            }
            largest = Math.max(largest, Math.abs(before[i]));
            difference = Math.max(difference, apart);
        }
        return difference / largest;
    }

    private static double[] numbers(Value value) {
        double[] numbers;
        if (value.floats() != null) {
            FloatBuffer floats = value.floats();
            numbers = new double[floats.limit()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = floats.get(i);
            }
        } else if (value.longs() != null) {
            LongBuffer longs = value.longs();
            numbers = new double[longs.limit()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = longs.get(i);
            }
        } else {
            ByteBuffer bytes = value.bytes();
            numbers = new double[bytes.limit()];
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = bytes.get(i);
            }
        }
        return numbers;
    }
}

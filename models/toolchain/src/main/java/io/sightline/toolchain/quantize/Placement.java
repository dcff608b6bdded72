// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.Target;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which tensors are rounded to INT8, and which of them share a scale.
 *
 * <p>For ONNX Runtime a node runs in INT8 when what it takes and what it gives is rounded: so pairs
 * stand around every node that has such a kernel and lies between quantised convolutions. What
 * leads to no further convolution, the decoding of boxes above all, stays float. For TensorRT pairs
 * stand on the inputs of convolutions; the engine moves them through pooling and concatenation by
 * itself.
 */
final class Placement {

    /** Give what they take, in other places: one scale on both sides. */
    private static final Set<String> MOVERS =
            Set.of("MaxPool", "Resize", "Split", "Slice", "Transpose", "Reshape", "Concat");

    /** ONNX Runtime computes them in INT8 when all sides are rounded. */
    private static final Set<String> COMPUTERS =
            Set.of("Add", "Mul", "Sigmoid", "LeakyRelu", "AveragePool", "GlobalAveragePool");

    private static final Set<String> RECTIFIERS = Set.of("Relu", "Clip");

    private final Graph graph;

    /** Nothing else can be rounded: it is no float, or of no interest. */
    private final Set<String> calibrated;

    private final Set<Node> int8 = new LinkedHashSet<>();
    private final Set<String> tensors = new LinkedHashSet<>();
    private final Map<String, String> groupOf = new HashMap<>();

    private Placement(Graph graph, Set<String> calibrated) {
        this.graph = graph;
        this.calibrated = calibrated;
    }

    /**
     * Convolutions with constant weights and bias, except those that decode a distribution into a
     * box.
     */
    static List<Node> convolutions(Graph graph) {
        return graph.sorted().stream()
                .filter(node -> node.is("Conv"))
                .filter(
                        node ->
                                graph.isConstant(node.input(1))
                                        && graph.constant(node.input(1)).type()
                                                == ElementType.FLOAT)
                .filter(node -> node.input(2).isEmpty() || graph.isConstant(node.input(2)))
                .filter(node -> !takesDistribution(graph, node))
                .toList();
    }

    private static boolean takesDistribution(Graph graph, Node conv) {
        Optional<Node> producer = graph.producer(conv.input(0));
        while (producer.isPresent()
                && Set.of("Transpose", "Reshape", "Softmax").contains(producer.get().opType())) {
            if (producer.get().is("Softmax")) {
                return true;
            }
            producer = graph.producer(producer.get().input(0));
        }
        return false;
    }

    static Placement of(Graph graph, QuantizePlan plan, Set<String> calibrated) {
        Placement placement = new Placement(graph, calibrated);
        for (Node conv : convolutions(graph)) {
            if (!plan.floatLayers().contains(conv.name())) {
                placement.int8.add(conv);
            }
        }
        if (plan.target() == Target.ONNXRUNTIME || plan.decodeToo()) {
            placement.aroundNodes(plan.decodeToo());
        } else {
            placement.onInputs();
        }
        placement.group(plan.target().hasZeroPoint());
        return placement;
    }

    private void aroundNodes(boolean decodeToo) {
        Set<Node> convolutions = Set.copyOf(int8);
        if (convolutions.isEmpty()) {
            return;
        }
        for (Node node : graph.nodes()) {
            if (isCarrier(node)) {
                int8.add(node);
            }
        }
        boolean changed = true;
        while (changed) {
            changed =
                    int8.removeIf(
                            node ->
                                    !convolutions.contains(node)
                                            && (!isFed(node)
                                                    || !(isNeeded(node)
                                                            || (decodeToo
                                                                    && graph.isOutput(
                                                                            node.output())))));
        }
        for (Node node : int8) {
            for (String input : activations(node)) {
                add(input);
            }
            for (String output : node.outputs()) {
                add(rectified(node, output));
            }
        }
    }

    private boolean isCarrier(Node node) {
        if (!node.domain().isEmpty()
                || !(MOVERS.contains(node.opType()) || COMPUTERS.contains(node.opType()))) {
            return false;
        }
        if (!calibrated.containsAll(node.outputs())) {
            return false;
        }
        return switch (node.opType()) {
            // A constant operand would need a scale of its own; none stands between convolutions.
            case "Add", "Mul" -> activations(node).size() == node.inputs().size();
            case "Concat" -> node.inputs().stream().noneMatch(graph::isConstant);
            case "Resize" -> node.stringAttribute("mode", "nearest").equals("nearest");
            default -> true;
        };
    }

    /** Whether something that it takes is there in INT8 already. */
    private boolean isFed(Node node) {
        return activations(node).stream().anyMatch(this::isInt8);
    }

    private boolean isInt8(String tensor) {
        Optional<Node> producer = graph.producer(tensor);
        if (producer.isPresent() && producer.get().is("DequantizeLinear")) {
            return true;
        }
        if (producer.isPresent() && RECTIFIERS.contains(producer.get().opType())) {
            // As rectified() goes forwards: only a kernel that computes takes a rectifier in.
            String before = producer.get().input(0);
            return graph.soleConsumer(before).isPresent()
                    && graph.producer(before)
                            .map(node -> int8.contains(node) && !MOVERS.contains(node.opType()))
                            .orElse(false);
        }
        return producer.map(int8::contains).orElse(false);
    }

    /** Whether something in INT8 takes what it gives. */
    private boolean isNeeded(Node node) {
        for (String output : node.outputs()) {
            for (Node consumer : graph.consumers(rectified(node, output))) {
                if (int8.contains(consumer)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** What the node gives, behind the rectifier that its kernel takes in. */
    private String rectified(Node node, String output) {
        if (MOVERS.contains(node.opType())) {
            return output;
        }
        return graph.soleConsumer(output)
                .filter(next -> RECTIFIERS.contains(next.opType()) && next.domain().isEmpty())
                .map(Node::output)
                .orElse(output);
    }

    /** Whether what it gives is taken by something in INT8, moved around on the way or not. */
    private boolean leadsToInt8(Node node) {
        for (String output : node.outputs()) {
            for (Node consumer : graph.consumers(rectified(node, output))) {
                if (int8.contains(consumer)
                        || (MOVERS.contains(consumer.opType()) && leadsToInt8(consumer))) {
                    return true;
                }
            }
        }
        return false;
    }

    private void onInputs() {
        for (Node conv : List.copyOf(int8)) {
            add(conv.input(0));
        }
        for (Node add : graph.nodes()) {
            if (add.is("Add") && activations(add).size() == 2 && leadsToInt8(add)) {
                for (String input : add.inputs()) {
                    // What a convolution gives is added where it is computed, unrounded.
                    if (graph.producer(input).map(node -> !node.is("Conv")).orElse(false)) {
                        add(input);
                    }
                }
            }
        }
    }

    private void add(String tensor) {
        boolean dequantized =
                graph.producer(tensor).map(node -> node.is("DequantizeLinear")).orElse(false);
        if (!dequantized) {
            tensors.add(tensor);
        }
    }

    private List<String> activations(Node node) {
        List<String> activations = new ArrayList<>();
        boolean firstOnly = !(node.is("Concat") || node.is("Add") || node.is("Mul"));
        for (String input : firstOnly ? List.of(node.input(0)) : node.inputs()) {
            if (!input.isEmpty() && !graph.isConstant(input)) {
                activations.add(input);
            }
        }
        return activations;
    }

    /**
     * What is moved or put side by side keeps its scale; what is added has the same. Rectified
     * tensors do not share one with signed ones where there are zero points: theirs has to be the
     * least number, or the rectifier does not vanish in the convolution's kernel.
     */
    private void group(boolean zeroPoints) {
        for (Node node : graph.nodes()) {
            boolean mover = MOVERS.contains(node.opType());
            if (!node.domain().isEmpty() || !(mover || node.is("Add"))) {
                continue;
            }
            List<String> members = new ArrayList<>(activations(node));
            if (mover) {
                members.addAll(node.outputs());
            }
            members.removeIf(member -> !tensors.contains(member));
            if (zeroPoints) {
                merge(members.stream().filter(this::isRectified).toList());
                merge(members.stream().filter(member -> !isRectified(member)).toList());
            } else {
                merge(members);
            }
        }
    }

    private void merge(List<String> members) {
        for (int i = 1; i < members.size(); i++) {
            groupOf.put(root(members.get(i)), root(members.get(0)));
        }
    }

    /** Whether nothing in it can be negative, going back through what only moves values. */
    private boolean isRectified(String tensor) {
        Optional<Node> producer = graph.producer(tensor);
        if (producer.isEmpty() || !producer.get().domain().isEmpty()) {
            return false;
        }
        Node node = producer.get();
        return node.is("Relu")
                || node.is("Sigmoid")
                || (MOVERS.contains(node.opType())
                        && activations(node).stream().allMatch(this::isRectified));
    }

    private String root(String tensor) {
        String root = tensor;
        while (groupOf.containsKey(root) && !groupOf.get(root).equals(root)) {
            root = groupOf.get(root);
        }
        return root;
    }

    /** Names of the tensors to be rounded. */
    Set<String> tensors() {
        return tensors;
    }

    /** Tensors that share a scale, each with itself at least. */
    List<Set<String>> groups() {
        Map<String, Set<String>> groups = new HashMap<>();
        for (String tensor : tensors) {
            groups.computeIfAbsent(root(tensor), r -> new LinkedHashSet<>()).add(tensor);
        }
        return new ArrayList<>(groups.values());
    }

    /** Whether the tensor is there only rounded: all its consumers have to take it so. */
    boolean givenRounded(String tensor) {
        return isInt8(tensor);
    }

    /** What a quantised convolution gives, behind its rectifier. */
    String given(Node conv) {
        return rectified(conv, conv.output());
    }

    boolean isInt8(Node node) {
        return int8.contains(node);
    }

    /** The quantised convolutions, in the order they run. */
    List<Node> quantizedConvolutions() {
        List<Node> quantized = new ArrayList<>(int8);
        quantized.removeIf(node -> !node.is("Conv"));
        return quantized;
    }

    /** Every tensor that some plan may round. */
    static Set<String> calibrated(Graph graph) {
        Set<String> tensors = new HashSet<>();
        for (Node node : graph.nodes()) {
            boolean known =
                    node.domain().isEmpty()
                            && (node.is("Conv")
                                    || MOVERS.contains(node.opType())
                                    || COMPUTERS.contains(node.opType())
                                    || RECTIFIERS.contains(node.opType()));
            if (known) {
                tensors.addAll(new Placement(graph, Set.of()).activations(node));
                tensors.addAll(node.outputs());
            }
        }
        return tensors;
    }
}

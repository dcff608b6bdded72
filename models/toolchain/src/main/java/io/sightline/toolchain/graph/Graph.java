// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.InvalidProtocolBufferException;
import io.sightline.inference.InputSize;
import io.sightline.toolchain.SpecFile;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ValueInfo.Dim;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * An ONNX model to be worked on: nodes, constants, inputs and outputs, all linked by the names of
 * tensors. Constant nodes are read as initializers. A tensor has one producer; {@link #validate}
 * checks that, and {@link #toBytes} writes nodes so that each comes after what it needs.
 *
 * <p>Lookups walk the nodes: graphs of detectors have hundreds, and an index would have to follow
 * every change.
 */
public final class Graph {

    private static final int IR_VERSION = 8;

    /** The first whose constants need not be among the inputs, where they are not kept. */
    private static final int OLDEST_IR_VERSION = 4;

    /** As opset 12 came with. */
    private static final int IR_VERSION_OF_OPSET_12 = 7;

    private static final String PRODUCER = "sightline";

    private String name;
    private String producer = PRODUCER;
    private long irVersion = IR_VERSION;
    private final Map<String, Long> opsets = new LinkedHashMap<>();
    private final Map<String, String> metadata = new LinkedHashMap<>();
    private final List<ValueInfo> inputs = new ArrayList<>();
    private final List<ValueInfo> outputs = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> initializers = new LinkedHashMap<>();

    /** An empty graph of standard operators. */
    public Graph(String name, long opset) {
        this.name = name;
        opsets.put("", opset);
    }

    /**
     * Where it leaves the size of its pictures open and the JSON beside it states one, it is worked
     * on at that size, and stays open.
     *
     * @throws ToolchainException if the file is absent, no ONNX model, or holds what the toolchain
     *     cannot work on
     */
    public static Graph read(Path file) {
        Graph graph = readUnchecked(file);
        try {
            graph.validate();
        } catch (ToolchainException e) {
            throw new ToolchainException("model " + file + ": " + e.getMessage(), e);
        }
        return graph;
    }

    /** As {@link #read}, but the graph may be one that {@link #validate} refuses: to look at. */
    public static Graph readUnchecked(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new ToolchainException(
                    "model %s: cannot be read (%s): expected an ONNX file"
                            .formatted(file, e.getClass().getSimpleName()),
                    e);
        }
        Graph graph;
        try {
            graph = parse(bytes);
        } catch (ToolchainException e) {
            throw new ToolchainException("model " + file + ": " + e.getMessage(), e);
        }
        graph.takeUsualSize(file);
        return graph;
    }

    /** Of pictures, where the graph leaves their size open and the JSON beside it states one. */
    private void takeUsualSize(Path file) {
        Optional<InputSize> usual;
        try {
            usual = SpecFile.inputSize(file);
        } catch (ToolchainException e) {
            // Who needs the JSON says so.
            return;
        }
        if (usual.isEmpty() || inputs.size() != 1 || inputs.get(0).dims().size() != 4) {
            return;
        }
        ValueInfo input = inputs.get(0);
        int height = input.type() == ElementType.UINT8 ? 1 : 2;
        List<Dim> dims = new ArrayList<>(input.dims());
        if (dims.get(height).isOpen()) {
            dims.set(height, dims.get(height).usually(usual.get().height(), "height"));
        }
        if (dims.get(height + 1).isOpen()) {
            dims.set(height + 1, dims.get(height + 1).usually(usual.get().width(), "width"));
        }
        inputs.set(0, new ValueInfo(input.name(), input.type(), dims));
    }

    /**
     * @throws ToolchainException as {@link #read}, without the file's name
     */
    public static Graph of(byte[] onnx) {
        Graph graph = parse(onnx);
        graph.validate();
        return graph;
    }

    private static Graph parse(byte[] onnx) {
        ModelProto model;
        try {
            model = ModelProto.parseFrom(onnx);
        } catch (InvalidProtocolBufferException e) {
            throw new ToolchainException(
                    "is not a complete ONNX file (%s): export or download it again"
                            .formatted(e.getMessage()),
                    e);
        }
        if (!model.hasGraph() || model.getGraph().getNodeCount() == 0) {
            throw new ToolchainException(
                    "is not an ONNX model: no graph with nodes in it: export it again");
        }
        GraphProto proto = model.getGraph();
        Graph graph = new Graph(proto.getName(), 0);
        graph.irVersion = model.getIrVersion();
        graph.producer = (model.getProducerName() + " " + model.getProducerVersion()).strip();
        graph.opsets.clear();
        for (OperatorSetIdProto opset : model.getOpsetImportList()) {
            graph.opsets.put(
                    opset.getDomain().equals("ai.onnx") ? "" : opset.getDomain(),
                    opset.getVersion());
        }
        for (StringStringEntryProto entry : model.getMetadataPropsList()) {
            graph.metadata.put(entry.getKey(), entry.getValue());
        }
        for (TensorProto tensor : proto.getInitializerList()) {
            graph.initializers.put(tensor.getName(), Tensor.of(tensor));
        }
        for (ValueInfoProto value : proto.getInputList()) {
            // Old exports list their constants among the inputs.
            if (!graph.initializers.containsKey(value.getName())) {
                graph.inputs.add(ValueInfo.of(value));
            }
        }
        for (ValueInfoProto value : proto.getOutputList()) {
            graph.outputs.add(ValueInfo.of(value));
        }
        for (NodeProto nodeProto : proto.getNodeList()) {
            Node node = Node.of(nodeProto);
            if (node.is("Constant")) {
                graph.initializers.put(node.output(), constant(node));
            } else {
                graph.nodes.add(node);
            }
        }
        return graph;
    }

    private static Tensor constant(Node node) {
        if (node.has("value")) {
            return node.tensorAttribute("value");
        }
        if (node.has("value_float")) {
            return Tensor.scalar(node.floatAttribute("value_float", 0));
        }
        if (node.has("value_int")) {
            return Tensor.longs(new long[0], node.longAttribute("value_int", 0));
        }
        if (node.has("value_ints")) {
            return Tensor.longs(node.longsAttribute("value_ints"));
        }
        if (node.has("value_floats")) {
            float[] values = node.floatsAttribute("value_floats");
            return Tensor.floats(new long[] {values.length}, values);
        }
        throw new ToolchainException(
                node + " holds " + node.attributes() + ": expected a tensor, number or numbers");
    }

    /** One that shares no mutable part with this. */
    public Graph copy() {
        Graph copy = new Graph(name, 0);
        copy.irVersion = irVersion;
        copy.producer = producer;
        copy.opsets.clear();
        copy.opsets.putAll(opsets);
        copy.metadata.putAll(metadata);
        copy.inputs.addAll(inputs);
        copy.outputs.addAll(outputs);
        nodes.forEach(node -> copy.nodes.add(node.copy()));
        copy.initializers.putAll(initializers);
        return copy;
    }

    /**
     * To be run here: nodes in an order that engines take, pictures of their usual size.
     *
     * @throws IllegalStateException if the graph is not whole, see {@link #validate}
     */
    public byte[] toBytes() {
        return toBytes(inputs);
    }

    private byte[] toBytes(List<ValueInfo> inputs) {
        GraphProto.Builder graph = GraphProto.newBuilder().setName(name);
        sorted().forEach(node -> graph.addNode(node.toProto()));
        initializers.forEach((tensor, value) -> graph.addInitializer(value.toProto(tensor)));
        inputs.forEach(input -> graph.addInput(input.toProto()));
        outputs.forEach(output -> graph.addOutput(output.toProto()));
        ModelProto.Builder model =
                ModelProto.newBuilder()
                        .setIrVersion(
                                Math.max(
                                        irVersion,
                                        opset() < 12 ? OLDEST_IR_VERSION : IR_VERSION_OF_OPSET_12))
                        .setProducerName(PRODUCER)
                        .setGraph(graph);
        opsets.forEach(
                (domain, version) ->
                        model.addOpsetImport(
                                OperatorSetIdProto.newBuilder()
                                        .setDomain(domain)
                                        .setVersion(version)));
        metadata.forEach(
                (key, value) ->
                        model.addMetadataProps(
                                StringStringEntryProto.newBuilder().setKey(key).setValue(value)));
        return model.build().toByteArray();
    }

    /** Writes the file whole or not at all. Sizes that were open when it was read stay so. */
    public void write(Path file) {
        byte[] bytes = toBytes(inputs.stream().map(ValueInfo::stored).toList());
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            Files.write(part, bytes);
            try {
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new ToolchainException("model " + file + ": cannot be written: " + e, e);
        }
    }

    public String name() {
        return name;
    }

    /** What wrote the file that the graph was read from; empty where it does not say. */
    public String producer() {
        return producer;
    }

    /** Version of the standard operators; 0 where the file states none. */
    public long opset() {
        return opsets.getOrDefault("", 0L);
    }

    /** Makes that version of a domain's operators available; never lowers it. */
    public void requireOpset(String domain, long version) {
        opsets.merge(domain, version, Math::max);
    }

    /** Domain to version; the standard operators' domain is empty. Live. */
    public Map<String, Long> opsets() {
        return opsets;
    }

    /** Live. */
    public Map<String, String> metadata() {
        return metadata;
    }

    /** Without constants. Live. */
    public List<ValueInfo> inputs() {
        return inputs;
    }

    /** Live. */
    public List<ValueInfo> outputs() {
        return outputs;
    }

    /** In no particular order while being worked on; {@link #sorted} gives one. Live. */
    public List<Node> nodes() {
        return nodes;
    }

    /** By name. Live. */
    public Map<String, Tensor> initializers() {
        return initializers;
    }

    public boolean isConstant(String tensor) {
        return initializers.containsKey(tensor);
    }

    /** Null where the tensor is not a constant. */
    public Tensor constant(String tensor) {
        return initializers.get(tensor);
    }

    /** Empty for inputs and constants. */
    public Optional<Node> producer(String tensor) {
        return nodes.stream().filter(node -> node.outputs().contains(tensor)).findFirst();
    }

    /** Nodes that take the tensor, each once. */
    public List<Node> consumers(String tensor) {
        return nodes.stream().filter(node -> node.inputs().contains(tensor)).toList();
    }

    public boolean isOutput(String tensor) {
        return outputs.stream().anyMatch(output -> output.name().equals(tensor));
    }

    /** The one node that takes the tensor, where it is one and the tensor is no output. */
    public Optional<Node> soleConsumer(String tensor) {
        List<Node> consumers = consumers(tensor);
        return consumers.size() == 1 && !isOutput(tensor)
                ? Optional.of(consumers.get(0))
                : Optional.empty();
    }

    public Node add(String opType, String nodeName, List<String> in, String out) {
        Node node = new Node(opType, nodeName, in, List.of(out));
        nodes.add(node);
        return node;
    }

    /** Adds a constant and returns its name, made unique where it is taken. */
    public String addConstant(String wanted, Tensor value) {
        String unique = uniqueTensor(wanted);
        initializers.put(unique, value);
        return unique;
    }

    /** That name, or with a number behind it where some tensor has it. */
    public String uniqueTensor(String wanted) {
        String candidate = wanted;
        for (int i = 1; isTensor(candidate); i++) {
            candidate = wanted + "_" + i;
        }
        return candidate;
    }

    private boolean isTensor(String tensor) {
        return initializers.containsKey(tensor)
                || inputs.stream().anyMatch(input -> input.name().equals(tensor))
                || nodes.stream().anyMatch(node -> node.outputs().contains(tensor));
    }

    /** Makes every node that takes one tensor take the other; graph outputs stay. */
    public void redirect(String tensor, String to) {
        nodes.forEach(node -> node.replaceInput(tensor, to));
    }

    /** Names nodes that have none after what they give, so that reports can speak of them. */
    public int nameUnnamed() {
        Set<String> taken = new HashSet<>();
        nodes.forEach(node -> taken.add(node.name()));
        int named = 0;
        for (Node node : nodes) {
            if (node.name().isEmpty()) {
                String base = node.opType() + "_" + node.output();
                String candidate = base;
                for (int i = 1; !taken.add(candidate); i++) {
                    candidate = base + "_" + i;
                }
                node.rename(candidate);
                named++;
            }
        }
        return named;
    }

    /** Removes nodes and constants that no output needs; returns how many nodes went. */
    public int removeUnused() {
        Map<String, Node> producers = producers();
        Set<String> needed = new HashSet<>();
        Deque<String> open = new ArrayDeque<>();
        outputs.forEach(output -> open.add(output.name()));
        while (!open.isEmpty()) {
            String tensor = open.pop();
            if (needed.add(tensor) && producers.containsKey(tensor)) {
                open.addAll(producers.get(tensor).inputs());
            }
        }
        int before = nodes.size();
        nodes.removeIf(node -> node.outputs().stream().noneMatch(needed::contains));
        initializers.keySet().retainAll(needed);
        return before - nodes.size();
    }

    /**
     * Each node after those whose outputs it takes; otherwise in the order of the file.
     *
     * @throws IllegalStateException if the graph is not whole
     */
    public List<Node> sorted() {
        Map<String, Node> producers = producers();
        Set<Node> done = new HashSet<>();
        Set<Node> begun = new HashSet<>();
        List<Node> sorted = new ArrayList<>(nodes.size());
        Deque<Node> stack = new ArrayDeque<>();
        for (Node root : nodes) {
            stack.push(root);
            while (!stack.isEmpty()) {
                Node node = stack.peek();
                if (done.contains(node)) {
                    stack.pop();
                    continue;
                }
                if (!begun.add(node)) {
                    // Back at it: all it needs is done.
                    stack.pop();
                    done.add(node);
                    sorted.add(node);
                    continue;
                }
                for (int i = node.inputs().size() - 1; i >= 0; i--) {
                    Node producer = producers.get(node.input(i));
                    if (producer != null && !done.contains(producer)) {
                        if (begun.contains(producer)) {
                            throw new IllegalStateException(
                                    node + " and " + producer + " wait for each other");
                        }
                        stack.push(producer);
                    }
                }
            }
        }
        return sorted;
    }

    private Map<String, Node> producers() {
        Map<String, Node> producers = new HashMap<>();
        nodes.forEach(node -> node.outputs().forEach(output -> producers.put(output, node)));
        return producers;
    }

    /**
     * Checks that every tensor taken has exactly one source, that outputs exist, and that nothing
     * goes in circles.
     *
     * @throws ToolchainException if not
     */
    public void validate() {
        Set<String> known = new HashSet<>(initializers.keySet());
        for (ValueInfo input : inputs) {
            require(known.add(input.name()), "input '" + input.name() + "' is there twice");
        }
        for (Node node : nodes) {
            require(
                    !node.hasSubgraph(),
                    node + " holds a graph of its own: expected a graph without control flow");
            for (String output : node.outputs()) {
                require(
                        output.isEmpty() || known.add(output),
                        "tensor '" + output + "' has several sources, one is " + node);
            }
        }
        for (Node node : nodes) {
            for (String input : node.inputs()) {
                require(
                        input.isEmpty() || known.contains(input),
                        node + " takes '" + input + "', which nothing gives");
            }
        }
        for (ValueInfo output : outputs) {
            require(
                    known.contains(output.name()),
                    "output '" + output.name() + "' is given by nothing");
        }
        require(!outputs.isEmpty(), "it has no outputs");
        try {
            sorted();
        } catch (IllegalStateException e) {
            throw new ToolchainException("the graph goes in circles: " + e.getMessage(), e);
        }
    }

    private static void require(boolean holds, String problem) {
        if (!holds) {
            throw new ToolchainException("is not a whole graph: " + problem);
        }
    }

    /** Of all constants that the nodes take, the float ones: what is called parameters. */
    public long parameters() {
        Collection<Tensor> constants = initializers.values();
        return constants.stream()
                .filter(tensor -> tensor.type() == ElementType.FLOAT)
                .mapToLong(Tensor::size)
                .sum();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What ONNX Runtime really ran of a graph, and how long it took: read from its own profile, because
 * whether a node became an INT8 kernel is its decision. It renames what it fuses, so nodes and
 * their outputs are numbered before, and the numbers found again in its names.
 */
final class RuntimeProfile {

    private static final Pattern NUMBER = Pattern.compile("sl(\\d+)x");
    private static final String SUFFIX = "_kernel_time";

    /** Operators that compute in INT8 what a float Conv computes. */
    private static final String INT8_CONVOLUTION = "QLinearConv";

    /** A convolution's time is that of what is done with its output before anything else, too. */
    private static final Set<String> FOLLOWERS =
            Set.of(
                    "Sigmoid",
                    "Mul",
                    "Relu",
                    "Clip",
                    "LeakyRelu",
                    "HardSwish",
                    "HardSigmoid",
                    "QuantizeLinear",
                    "DequantizeLinear");

    /**
     * Something that ran.
     *
     * @param name of the first node that went into it; its own where there is none
     * @param operator of the runtime
     * @param precision int8 (signed or not), float32 or another type, of the first tensor that it
     *     takes; mixed where what it gives is of another one
     * @param millis median of the runs
     */
    record Run(String name, String operator, String precision, double millis) {}

    private final List<Run> runs;
    private final Map<String, Double> millisOfLayer;
    private final Map<String, String> operatorOfNode;

    private RuntimeProfile(
            List<Run> runs, Map<String, Double> millisOfLayer, Map<String, String> operatorOfNode) {
        this.runs = runs;
        this.millisOfLayer = millisOfLayer;
        this.operatorOfNode = operatorOfNode;
    }

    /**
     * Profiles several graphs in turn, one thread, so that a machine that is busy for a while is
     * busy for all of them.
     *
     * @param inputs one for each graph
     */
    static List<RuntimeProfile> of(
            List<Graph> graphs, List<Map<String, Value>> inputs, int rounds, Path folder) {
        List<GraphSession> sessions = new ArrayList<>();
        List<RuntimeProfile> profiles = new ArrayList<>();
        try {
            for (int i = 0; i < graphs.size(); i++) {
                sessions.add(
                        GraphSession.open(
                                numbered(graphs.get(i)).toBytes(),
                                SessionSettings.profiling(1, folder.resolve("profile-" + i))));
            }
            for (int round = 0; round < rounds; round++) {
                for (int i = 0; i < sessions.size(); i++) {
                    sessions.get(i).runOnly(inputs.get(i));
                }
            }
            for (int i = 0; i < sessions.size(); i++) {
                Path trace = sessions.get(i).endProfiling();
                profiles.add(read(graphs.get(i), trace));
                Files.delete(trace);
            }
        } catch (IOException e) {
            throw new ToolchainException("the runtime's profile cannot be read: " + e, e);
        } finally {
            sessions.forEach(GraphSession::close);
        }
        return profiles;
    }

    private static Graph numbered(Graph graph) {
        Graph numbered = graph.copy();
        List<Node> nodes = numbered.nodes();
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            node.rename("sl" + i + "x");
            for (int j = 0; j < node.outputs().size(); j++) {
                String old = node.outputs().get(j);
                if (!old.isEmpty() && !numbered.isOutput(old)) {
                    String name = "sl" + i + "x_o" + j;
                    numbered.redirect(old, name);
                    node.outputs().set(j, name);
                }
            }
        }
        return numbered;
    }

    private static RuntimeProfile read(Graph graph, Path trace) throws IOException {
        // The runtime may run several pieces under one name; each keeps its place in the order.
        Map<String, List<Double>> durations = new LinkedHashMap<>();
        Map<String, JsonNode> arguments = new HashMap<>();
        for (JsonNode event : new JsonMapper().readTree(Files.readAllBytes(trace))) {
            String name = event.path("name").asText();
            if (!event.path("cat").asText().equals("Node") || !name.endsWith(SUFFIX)) {
                continue;
            }
            String key =
                    name.substring(0, name.length() - SUFFIX.length())
                            + " "
                            + event.path("args").path("node_index").asText();
            durations
                    .computeIfAbsent(key, k -> new ArrayList<>())
                    .add(event.path("dur").asDouble());
            arguments.put(key, event.path("args"));
        }
        List<Run> runs = new ArrayList<>();
        Map<String, Double> millisOfLayer = new HashMap<>();
        Map<String, String> operatorOfNode = new HashMap<>();
        Map<String, String> owners = owners(graph);
        durations.forEach(
                (key, micros) -> {
                    JsonNode args = arguments.get(key);
                    String operator = args.path("op_name").asText();
                    double millis = median(micros) / 1000;
                    Optional<Node> node = node(graph, key);
                    node.ifPresent(
                            n -> {
                                operatorOfNode.merge(
                                        n.name(), operator, RuntimeProfile::convolution);
                                String owner = owners.get(n.name());
                                if (owner != null) {
                                    millisOfLayer.merge(owner, millis, Double::sum);
                                    if (operator.contains("Conv")) {
                                        // It may carry the name of what it took in.
                                        operatorOfNode.merge(
                                                owner, operator, RuntimeProfile::convolution);
                                    }
                                }
                            });
                    runs.add(
                            new Run(
                                    node.map(Node::name)
                                            .orElse(key.substring(0, key.lastIndexOf(' '))),
                                    operator,
                                    precision(operator, args),
                                    millis));
                });
        runs.sort(Comparator.comparingDouble(Run::millis).reversed());
        return new RuntimeProfile(List.copyOf(runs), millisOfLayer, operatorOfNode);
    }

    private static Optional<Node> node(Graph graph, String event) {
        Matcher matcher = NUMBER.matcher(event);
        return matcher.find()
                ? Optional.of(graph.nodes().get(Integer.parseInt(matcher.group(1))))
                : Optional.empty();
    }

    private static String convolution(String one, String other) {
        return other.contains("Conv") ? other : one;
    }

    private static String precision(String operator, JsonNode args) {
        // Scale and zero point of what it gives come first.
        int index = operator.equals("QLinearConcat") ? 2 : 0;
        String taken = type(args.path("input_type_shape").path(index));
        String given = type(args.path("output_type_shape").path(0));
        if (taken.isEmpty() || given.isEmpty()) {
            return taken + given;
        }
        return taken.equals(given) ? taken : "mixed";
    }

    private static String type(JsonNode typeAndShape) {
        if (!typeAndShape.fieldNames().hasNext()) {
            return "";
        }
        String type = typeAndShape.fieldNames().next();
        return switch (type) {
            case "uint8" -> "int8";
            case "float" -> "float32";
            default -> type;
        };
    }

    /** Names of nodes to the convolution whose time theirs is. */
    private static Map<String, String> owners(Graph graph) {
        Map<String, String> owners = new HashMap<>();
        Map<String, String> ofTensor = new HashMap<>();
        for (Node node : graph.sorted()) {
            String owner = null;
            if (node.is("Conv") || node.is("ConvTranspose")) {
                owner = node.name();
            } else if (FOLLOWERS.contains(node.opType())) {
                Set<String> candidates = new HashSet<>();
                for (String input : node.inputs()) {
                    if (!input.isEmpty() && !graph.isConstant(input)) {
                        candidates.add(ofTensor.get(input));
                    }
                }
                owner = candidates.size() == 1 ? candidates.iterator().next() : null;
            }
            if (owner != null) {
                owners.put(node.name(), owner);
                for (String output : node.outputs()) {
                    ofTensor.put(output, owner);
                }
            }
        }
        return owners;
    }

    private static double median(List<Double> values) {
        List<Double> sorted = new ArrayList<>(values);
        sorted.sort(Comparator.naturalOrder());
        return sorted.get(sorted.size() / 2);
    }

    /** Slowest first. */
    List<Run> runs() {
        return runs;
    }

    /** Of a convolution with what follows it; null where the runtime's names do not tell. */
    Double millis(String layer) {
        return millisOfLayer.get(layer);
    }

    /** The runtime's operator for a node; empty where it went into another. */
    String operator(String node) {
        return operatorOfNode.getOrDefault(node, "");
    }

    /** Whether that convolution ran as INT8 kernel. */
    boolean isInt8(String layer) {
        return operator(layer).equals(INT8_CONVOLUTION);
    }
}

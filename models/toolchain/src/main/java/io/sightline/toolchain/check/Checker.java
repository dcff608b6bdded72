// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.check;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Sha256;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.check.CheckReport.Cost;
import io.sightline.toolchain.check.CheckReport.Detector;
import io.sightline.toolchain.check.CheckReport.Layer;
import io.sightline.toolchain.check.CheckReport.Operator;
import io.sightline.toolchain.check.CheckReport.Port;
import io.sightline.toolchain.check.Finding.About;
import io.sightline.toolchain.fuse.Opset13;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Looks at an ONNX file before anything is done with it. There is a report of every model that can
 * be read; weights outside the file, and element types such as bfloat16, cannot.
 */
public final class Checker {

    private static final Set<String> SUPPRESSION =
            Set.of("NonMaxSuppression", "EfficientNMS_TRT", "BatchedNMSDynamic_TRT");

    /** From that share of the estimated time on, depthwise layers decide whether INT8 pays. */
    private static final double MUCH = 0.1;

    private final Path file;
    private final byte[] bytes;
    private final Graph graph;
    private final List<Finding> findings = new ArrayList<>();

    private Checker(Path file, byte[] bytes, Graph graph) {
        this.file = file;
        this.bytes = bytes;
        this.graph = graph;
    }

    /**
     * @throws ToolchainException if the file is absent, broken, or no ONNX model
     */
    public static CheckReport check(Path file) {
        Graph graph = Graph.readUnchecked(file);
        try {
            return new Checker(file, Files.readAllBytes(file), graph).report();
        } catch (IOException e) {
            throw new ToolchainException("model " + file + ": cannot be read: " + e, e);
        }
    }

    private CheckReport report() {
        checkGraph();
        checkOnnxRuntime();
        Detector detector = detector();
        TensorShapes shapes = shapes();
        Layers work = new Layers(graph, shapes);
        List<Layer> layers = work.all();
        List<Operator> operators = operators(work, layers);
        checkForInt8(layers);
        findings.addAll(TensorRtRules.of(graph));
        findings.sort(Comparator.comparing(Finding::about));
        Map<String, Long> opsets = new TreeMap<>();
        graph.opsets()
                .forEach(
                        (domain, opset) ->
                                opsets.put(domain.isEmpty() ? "ai.onnx" : domain, opset));
        return new CheckReport(
                file.toString(),
                Sha256.of(bytes),
                bytes.length,
                graph.producer(),
                opsets,
                graph.inputs().stream().map(Checker::port).toList(),
                graph.outputs().stream().map(Checker::port).toList(),
                quantisation(),
                detector,
                operators,
                (int) graph.nodes().stream().filter(node -> node.name().isEmpty()).count(),
                layers.stream().mapToLong(Layer::parameters).sum(),
                shapes != null,
                layers.stream().mapToLong(Layer::macs).sum() * 2 / 1e9,
                new Cost(
                        ReferenceCore.NAME,
                        layers.stream().mapToDouble(Layer::floatMillis).sum(),
                        layers.stream().mapToDouble(Layer::int8Millis).sum(),
                        graph.nodes().stream()
                                .filter(node -> !Layers.multiplies(node))
                                .mapToDouble(work::otherMillis)
                                .sum()),
                layers,
                List.copyOf(findings));
    }

    private static Port port(ValueInfo value) {
        return new Port(
                value.name(),
                value.type() == null ? null : value.type().name().toLowerCase(Locale.ROOT),
                value.dims().stream().map(ValueInfo.Dim::toString).toList());
    }

    /** Whether TensorRT's own library brings the operator, whatever domain an export puts it in. */
    static boolean isPlugin(Node node) {
        return node.opType().endsWith("_TRT") || node.domain().startsWith("trt");
    }

    // ---- the graph ----

    private void checkGraph() {
        try {
            graph.validate();
        } catch (ToolchainException e) {
            find(
                    About.GRAPH,
                    true,
                    e.getMessage(),
                    "the tools here do not work on it: export it again, without control flow");
        }
        long unnamed = graph.nodes().stream().filter(node -> node.name().isEmpty()).count();
        if (unnamed > 0) {
            find(
                    About.GRAPH,
                    false,
                    unnamed + " nodes have no name, so that settings cannot speak of them",
                    "prepare and quantize give them names");
        }
    }

    /** Null where neither the graph nor a part of it runs, or its size is left open. */
    private TensorShapes shapes() {
        try {
            return TensorShapes.of(graph);
        } catch (ToolchainException | InferenceException | IllegalStateException whole) {
            Graph known = withoutForeignNodes();
            if (known.nodes().size() < graph.nodes().size() && !known.nodes().isEmpty()) {
                try {
                    TensorShapes shapes = TensorShapes.of(known);
                    find(
                            About.GRAPH,
                            false,
                            "costs are of %d nodes only: the other %d are, or come behind, operators that cannot be run here"
                                    .formatted(
                                            known.nodes().size(),
                                            graph.nodes().size() - known.nodes().size()),
                            "");
                    return shapes;
                } catch (ToolchainException | InferenceException | IllegalStateException part) {
                    // Falls through: what the whole said is told.
                }
            }
            find(About.GRAPH, false, "shapes and costs are unknown: " + whole.getMessage(), "");
            return null;
        }
    }

    /** Without operators that are not ONNX's own, and without what needs them. */
    private Graph withoutForeignNodes() {
        Graph known = graph.copy();
        List<Node> gone =
                new ArrayList<>(
                        known.nodes().stream()
                                .filter(
                                        node ->
                                                !node.domain().isEmpty()
                                                        || isPlugin(node)
                                                        || node.hasSubgraph())
                                .toList());
        for (int i = 0; i < gone.size(); i++) {
            for (String output : gone.get(i).outputs()) {
                for (Node consumer : known.consumers(output)) {
                    if (!gone.contains(consumer)) {
                        gone.add(consumer);
                    }
                }
            }
        }
        known.nodes().removeAll(gone);
        return known;
    }

    private List<Operator> operators(Layers work, List<Layer> layers) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        Map<String, Double> millis = new LinkedHashMap<>();
        for (Node node : graph.nodes()) {
            String operator =
                    node.domain().isEmpty() ? node.opType() : node.domain() + "." + node.opType();
            counts.merge(operator, 1, Integer::sum);
            millis.merge(
                    operator, Layers.multiplies(node) ? 0 : work.otherMillis(node), Double::sum);
        }
        layers.forEach(layer -> millis.merge(layer.operator(), layer.floatMillis(), Double::sum));
        return counts.entrySet().stream()
                .map(
                        entry ->
                                new Operator(
                                        entry.getKey(),
                                        entry.getValue(),
                                        millis.get(entry.getKey())))
                .sorted(
                        Comparator.comparingInt(Operator::count)
                                .reversed()
                                .thenComparing(Operator::operator))
                .toList();
    }

    // ---- what runs it ----

    private void checkOnnxRuntime() {
        try {
            GraphSession.open(bytes, SessionSettings.serving(1)).close();
        } catch (InferenceException e) {
            boolean plugins = graph.nodes().stream().anyMatch(Checker::isPlugin);
            find(
                    About.ONNXRUNTIME,
                    true,
                    e.getMessage(),
                    plugins
                            ? "export without NMS in the graph: Sightline suppresses boxes itself"
                            : "export with standard operators and an older opset");
        }
    }

    /** Null where the job could not use it as a detector. */
    private Detector detector() {
        try {
            ModelFile model = ModelFile.read(file);
            ModelSpec spec =
                    model.spec(
                            graph.inputs().stream().map(ValueInfo::toGraphTensor).toList(),
                            graph.outputs().stream().map(ValueInfo::toGraphTensor).toList(),
                            ModelOptions.NONE,
                            1);
            if (model.border().isEmpty()) {
                find(
                        About.DETECTOR,
                        false,
                        "border unknown, taken as 0",
                        "state \"border\" in the JSON beside it; YOLOv6 is evaluated with 1 to 6, by version and size: docs/model.md");
            }
            if (!spec.dynamicBatch()) {
                find(
                        About.DETECTOR,
                        false,
                        "batch is fixed at " + spec.maxBatch(),
                        "run ./sightline model prepare to free it");
            }
            if (spec.inputFormat() == InputFormat.FLOAT_NCHW_RGB) {
                find(
                        About.DETECTOR,
                        false,
                        "takes floats, so that each frame is converted outside of the engine",
                        "run ./sightline model prepare to make it take bytes");
            }
            return new Detector(
                    spec.layout().label(),
                    spec.inputWidth(),
                    spec.inputHeight(),
                    spec.inputFormat() == InputFormat.BYTES_NHWC_BGR,
                    spec.dynamicBatch() ? 0 : spec.maxBatch(),
                    spec.labels().size(),
                    spec.suppress(),
                    spec.border(),
                    model.border().isPresent());
        } catch (InferenceException | ToolchainException e) {
            find(About.DETECTOR, true, e.getMessage(), "");
            return null;
        }
    }

    // ---- INT8 ----

    private String quantisation() {
        if (has("ConvInteger") || has("MatMulInteger") || has("DynamicQuantizeLinear")) {
            return "dynamic";
        }
        if (graph.nodes().stream().anyMatch(node -> node.opType().startsWith("QLinear"))) {
            return "operators";
        }
        return has("QuantizeLinear") ? "static" : "none";
    }

    private boolean has(String operator) {
        return graph.nodes().stream().anyMatch(node -> node.is(operator));
    }

    private long count(String operator) {
        return graph.nodes().stream().filter(node -> node.is(operator)).count();
    }

    private void checkForInt8(List<Layer> layers) {
        if (graph.opset() < Opset13.OPSET) {
            boolean tooOld = graph.opset() < Opset13.OLDEST;
            find(
                    About.INT8,
                    tooOld,
                    "opset %d, where scales per channel need %d"
                            .formatted(graph.opset(), Opset13.OPSET),
                    tooOld ? "export again, with --opset " + Opset13.OPSET : "quantize raises it");
        }
        switch (quantisation()) {
            case "dynamic" ->
                    find(
                            About.INT8,
                            true,
                            "dynamically quantised: ranges are found anew for each batch, which costs time and ties its frames together",
                            "run ./sightline model fuse --dequantize, then quantize");
            case "operators", "static" ->
                    find(
                            About.INT8,
                            true,
                            "already quantised" + zeroPoints(),
                            "quantize starts from the float model");
            default -> {}
        }
        double all = layers.stream().mapToDouble(Layer::floatMillis).sum();
        double depthwise =
                layers.stream().filter(Layer::depthwise).mapToDouble(Layer::floatMillis).sum();
        if (depthwise > 0) {
            boolean much = depthwise > MUCH * all;
            find(
                    About.INT8,
                    false,
                    String.format(
                            Locale.ROOT,
                            "%d depthwise convolutions, %.0f%% of the layers' estimated time: bound by memory, INT8 does not make them faster",
                            layers.stream().filter(Layer::depthwise).count(),
                            100 * depthwise / all),
                    much ? "compare INT8 with float on the target before trusting it" : "");
        }
        long hard = count("HardSwish") + count("HardSigmoid");
        if (hard > 0) {
            find(
                    About.INT8,
                    false,
                    hard
                            + " HardSwish or HardSigmoid: engines keep them in float between INT8 layers",
                    "");
        }
        long squeezes = count("GlobalAveragePool");
        if (squeezes > 0) {
            find(
                    About.INT8,
                    false,
                    squeezes
                            + " squeeze-and-excitation blocks or global pools: wide ranges, little work",
                    "leave them float");
        }
        long suppressions =
                graph.nodes().stream().filter(node -> SUPPRESSION.contains(node.opType())).count();
        if (suppressions > 0) {
            find(
                    About.INT8,
                    false,
                    suppressions
                            + " suppressions inside of the graph: thresholds are fixed, and accuracy cannot be measured at others",
                    "export without NMS: Sightline suppresses boxes itself");
        }
    }

    private String zeroPoints() {
        boolean unsigned =
                graph.nodes().stream()
                        .filter(node -> node.is("QuantizeLinear"))
                        .map(node -> graph.constant(node.input(2)))
                        .anyMatch(zero -> isUnsigned(zero));
        return unsigned ? ", activations uint8" : "";
    }

    private static boolean isUnsigned(Tensor zero) {
        return zero != null && zero.type() == ElementType.UINT8;
    }

    private void find(About about, boolean blocks, String what, String remedy) {
        findings.add(new Finding(about, blocks, what, remedy));
    }
}

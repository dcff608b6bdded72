// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.check;

import io.sightline.toolchain.check.Finding.About;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.toolchain.prepare.PrepareSettings;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/**
 * What TensorRT 10 is known not to take, as a list of rules: it is not there to be asked where
 * models are made. The operators are those that its ONNX parser's support matrix lacks.
 */
final class TensorRtRules {

    private static final int MIN_OPSET = 9;
    private static final int MAX_OPSET = 22;

    private static final String DEQUANTIZE =
            "run ./sightline model fuse --dequantize, then quantize";

    private static final Set<String> DYNAMIC =
            Set.of("ConvInteger", "DynamicQuantizeLinear", "MatMulInteger");

    private static final Set<String> UNSUPPORTED =
            Set.of(
                    "AffineGrid",
                    "Bernoulli",
                    "BitShift",
                    "BitwiseAnd",
                    "BitwiseNot",
                    "BitwiseOr",
                    "BitwiseXor",
                    "CenterCropPad",
                    "Col2Im",
                    "Compress",
                    "ConcatFromSequence",
                    "DFT",
                    "Det",
                    "ImageDecoder",
                    "MaxRoiPool",
                    "MaxUnpool",
                    "MelWeightMatrix",
                    "Multinomial",
                    "NegativeLogLikelihoodLoss",
                    "Optional",
                    "OptionalGetElement",
                    "OptionalHasElement",
                    "RegexFullMatch",
                    "SequenceAt",
                    "SequenceConstruct",
                    "SequenceEmpty",
                    "SequenceErase",
                    "SequenceInsert",
                    "SequenceLength",
                    "SequenceMap",
                    "SoftmaxCrossEntropyLoss",
                    "SplitToSequence",
                    "StringConcat",
                    "StringNormalizer",
                    "StringSplit",
                    "TfIdfVectorizer",
                    "Unique");

    private static final Set<String> CONTROL_FLOW = Set.of("If", "Loop", "Scan");

    private final Graph graph;
    private final List<Finding> findings = new ArrayList<>();

    private TensorRtRules(Graph graph) {
        this.graph = graph;
    }

    static List<Finding> of(Graph graph) {
        TensorRtRules rules = new TensorRtRules(graph);
        rules.operators();
        rules.quantisation();
        rules.types();
        return rules.findings;
    }

    private void operators() {
        long opset = graph.opset();
        if (opset < MIN_OPSET || opset > MAX_OPSET) {
            block(
                    "opset %d is outside of %d to %d".formatted(opset, MIN_OPSET, MAX_OPSET),
                    "export with opset 13 to 17");
        }
        blockNodes(
                node -> node.domain().isEmpty() && DYNAMIC.contains(node.opType()),
                "dynamically quantised, which its parser does not know",
                DEQUANTIZE);
        blockNodes(
                node -> node.opType().startsWith("QLinear"),
                "quantised operators, where it wants QuantizeLinear and DequantizeLinear",
                "start from the float model and run ./sightline model quantize --target tensorrt");
        blockNodes(
                node -> node.domain().isEmpty() && UNSUPPORTED.contains(node.opType()),
                "not in its parser",
                "export without them");
        blockNodes(
                node ->
                        !node.domain().isEmpty()
                                && !node.opType().startsWith("QLinear")
                                && !Checker.isPlugin(node),
                "operators of another domain than ONNX's own",
                "export with standard operators, unless a plugin of that name is loaded");
        note(
                named(Checker::isPlugin),
                "plugins of TensorRT's own: needs its plugin library, and no other engine runs them",
                "");
        blockNodes(
                node -> node.is("TopK") && topK(node) > PrepareSettings.MAX_TOP_K,
                "more than %d rows".formatted(PrepareSettings.MAX_TOP_K),
                "run ./sightline model prepare --top-k %d or less"
                        .formatted(PrepareSettings.MAX_TOP_K));
        note(
                named(node -> CONTROL_FLOW.contains(node.opType())),
                "control flow: taken with limits, and the tools here do not work on it",
                "export with fixed shapes, or simplify the graph");
    }

    private long topK(Node node) {
        Tensor k = graph.constant(node.input(1));
        return k != null ? k.toLongs()[0] : node.longAttribute("k", 0);
    }

    private void quantisation() {
        blockNodes(
                node ->
                        isPair(node)
                                && zeroPoint(node) != null
                                && zeroPoint(node).type() == ElementType.UINT8,
                "uint8, where it takes int8 only",
                "run ./sightline model quantize or prepare with --target tensorrt on the float model");
        blockNodes(
                node ->
                        isPair(node)
                                && zeroPoint(node) != null
                                && zeroPoint(node).type() == ElementType.INT8
                                && hasNonZero(zeroPoint(node)),
                "zero points other than 0",
                "run ./sightline model quantize --target tensorrt on the float model");
    }

    private static boolean isPair(Node node) {
        return node.is("QuantizeLinear") || node.is("DequantizeLinear");
    }

    /** Null where there is none, or it is computed. */
    private Tensor zeroPoint(Node node) {
        return graph.constant(node.input(2));
    }

    private static boolean hasNonZero(Tensor tensor) {
        for (long value : tensor.toLongs()) {
            if (value != 0) {
                return true;
            }
        }
        return false;
    }

    private void types() {
        boolean doubles =
                graph.initializers().values().stream().anyMatch(t -> t.type() == ElementType.DOUBLE)
                        || ports().stream().anyMatch(p -> p.type() == ElementType.DOUBLE);
        if (doubles) {
            block("float64 tensors", "export in float32");
        }
        for (ValueInfo input : graph.inputs()) {
            if (input.type() == ElementType.UINT8) {
                blockNodes(
                        node -> node.inputs().contains(input.name()) && !node.is("Cast"),
                        "takes the uint8 input, which may go into a Cast to float only",
                        "run ./sightline model prepare --target tensorrt on the float model");
            }
        }
        long longs =
                graph.initializers().values().stream()
                        .filter(t -> t.type() == ElementType.INT64)
                        .count();
        if (longs > 0) {
            note(longs + " constants", "int64, which versions before 10 cast to int32", "");
        }
    }

    private List<ValueInfo> ports() {
        List<ValueInfo> ports = new ArrayList<>(graph.inputs());
        ports.addAll(graph.outputs());
        return ports;
    }

    private void blockNodes(Predicate<Node> which, String what, String remedy) {
        String named = named(which);
        if (!named.isEmpty()) {
            block(named + ": " + what, remedy);
        }
    }

    private void block(String what, String remedy) {
        findings.add(new Finding(About.TENSORRT, true, what, remedy));
    }

    private void note(String where, String what, String remedy) {
        if (!where.isEmpty()) {
            findings.add(new Finding(About.TENSORRT, false, where + ": " + what, remedy));
        }
    }

    /** {@code 63 ConvInteger, 2 DynamicQuantizeLinear}; empty for none. */
    private String named(Predicate<Node> which) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        graph.nodes().stream()
                .filter(which)
                .forEach(node -> counts.merge(node.opType(), 1, Integer::sum));
        return counts.entrySet().stream()
                .map(entry -> entry.getValue() + " " + entry.getKey())
                .reduce((a, b) -> a + ", " + b)
                .orElse("");
    }
}

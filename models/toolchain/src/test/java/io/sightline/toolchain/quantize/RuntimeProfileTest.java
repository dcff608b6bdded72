// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What was planned as INT8 is run as INT8 by the real runtime. */
class RuntimeProfileTest {

    @TempDir Path folder;

    private static Arguments net(SmallNet net, Graph graph, String name, String... operators) {
        assertThat(net.graph()).isSameAs(graph);
        return Arguments.of(name, graph, Set.of(operators));
    }

    static Stream<Arguments> nets() {
        return Stream.of(
                relu(),
                bytes(),
                clip(),
                silu(),
                concat(),
                mixedConcat(),
                add(),
                pool(),
                resize(),
                split(),
                deconv(),
                squeeze(),
                rectifiedLater(),
                outputs());
    }

    /** Bytes go in only as prepared for ONNX Runtime. */
    static Stream<Arguments> netsForTensorRt() {
        return nets().filter(net -> !net.get()[0].equals("bytes"));
    }

    private static Arguments relu() {
        SmallNet net = new SmallNet();
        return net(net, net.decoded(net.convRelu("b", net.convRelu("a", "images"))), "relu");
    }

    private static Arguments bytes() {
        SmallNet net = SmallNet.ofBytes();
        return net(net, net.decoded(net.convRelu("a", "pixels")), "bytes");
    }

    private static Arguments clip() {
        SmallNet net = new SmallNet();
        net.conv("a", "images");
        net.graph().initializers().put("low", Tensor.scalar(0));
        net.graph().initializers().put("high", Tensor.scalar(0.7f));
        net.node("Clip", "clipped", "a", "low", "high");
        return net(net, net.decoded("clipped"), "clip");
    }

    private static Arguments silu() {
        SmallNet net = new SmallNet();
        Graph graph = net.decoded(net.convSilu("b", net.convSilu("a", "images")));
        return net(net, graph, "silu", "QLinearSigmoid", "QLinearMul");
    }

    private static Arguments concat() {
        SmallNet net = new SmallNet();
        net.convRelu("a", "images");
        net.convRelu("b", "images");
        net.concat("cat", "a", "b");
        net.conv("head", "cat", 2 * SmallNet.CHANNELS);
        net.node("Softplus", "outputs", "head");
        return net(net, net.endingIn("outputs"), "concat", "QLinearConcat");
    }

    private static Arguments mixedConcat() {
        SmallNet net = new SmallNet();
        net.convRelu("a", "images");
        net.convSilu("b", "images");
        net.concat("cat", "a", "b");
        net.conv("head", "cat", 2 * SmallNet.CHANNELS);
        net.node("Softplus", "outputs", "head");
        return net(net, net.endingIn("outputs"), "mixed concat", "QLinearConcat");
    }

    private static Arguments add() {
        SmallNet net = new SmallNet();
        net.convRelu("a", "images");
        net.convRelu("b", "a");
        net.node("Add", "sum", "a", "b");
        return net(net, net.decoded("sum"), "add", "QLinearAdd");
    }

    private static Arguments pool() {
        SmallNet net = new SmallNet();
        net.convRelu("a", "images");
        net.maxPool("m1", "a");
        net.maxPool("m2", "m1");
        net.concat("cat", "a", "m1", "m2");
        net.conv("head", "cat", 3 * SmallNet.CHANNELS);
        net.node("Softplus", "outputs", "head");
        return net(net, net.endingIn("outputs"), "pool", "QLinearConcat", "NhwcMaxPool int8");
    }

    private static Arguments resize() {
        SmallNet net = new SmallNet();
        Graph graph = net.decoded(net.resize("large", net.convRelu("a", "images")));
        return net(net, graph, "resize", "Resize int8");
    }

    private static Arguments split() {
        SmallNet net = new SmallNet();
        net.convSilu("a", "images");
        net.split("half", "a");
        net.conv("b", "half1", SmallNet.CHANNELS / 2, SmallNet.CHANNELS / 2);
        net.concat("cat", "half0", "b");
        return net(net, net.decoded("cat"), "split", "Split int8", "QLinearConcat");
    }

    private static Arguments deconv() {
        SmallNet net = new SmallNet();
        net.convRelu("a", "images");
        net.deconv("large", "a");
        net.resize("larger", net.convRelu("b", "a"));
        net.concat("cat", "large", "larger");
        net.conv("head", "cat", 2 * SmallNet.CHANNELS);
        net.node("Softplus", "outputs", "head");
        return net(
                net, net.endingIn("outputs"), "deconv", "QLinearConcat", "ConvTranspose float32");
    }

    /** Squeeze and excite, with another activation. */
    private static Arguments squeeze() {
        SmallNet net = new SmallNet();
        net.conv("a", "images");
        net.node("LeakyRelu", "leaky", "a");
        net.node("GlobalAveragePool", "mean", "leaky");
        net.conv("b", "mean", SmallNet.CHANNELS);
        net.node("Sigmoid", "gate", "b");
        net.node("Mul", "gated", "leaky", "gate");
        return net(
                net,
                net.decoded("gated"),
                "squeeze",
                "QLinearGlobalAveragePool",
                "QLinearLeakyRelu",
                "QLinearSigmoid",
                "QLinearMul");
    }

    /** A rectifier behind what only moves values is in no kernel. */
    private static Arguments rectifiedLater() {
        SmallNet net = new SmallNet();
        net.conv("a", "images");
        net.split("half", "a");
        net.relu("rectified", "half0");
        net.conv("b", "rectified", SmallNet.CHANNELS / 2, SmallNet.CHANNELS / 2);
        net.concat("cat", "b", "half1");
        net.relu("all", "cat");
        return net(net, net.decoded("all"), "rectified later");
    }

    /** Convolutions that give what the graph gives. */
    private static Arguments outputs() {
        SmallNet net = new SmallNet();
        net.convRelu("a", "images");
        net.convRelu("b", "a");
        net.conv("c", "b");
        net.endingIn("b");
        return net(net, net.endingIn("c"), "outputs");
    }

    private RuntimeProfile profile(Graph graph) {
        return RuntimeProfile.of(List.of(graph), List.of(SmallNet.inputs(graph).get(0)), 3, folder)
                .get(0);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("nets")
    void shouldRunAsInt8WhatIsPlannedSo(String name, Graph graph, Set<String> operators)
            throws Exception {
        CalibrationTable table = SmallNet.observed(graph);
        QuantizePlan plan = QuantizePlan.of(Target.ONNXRUNTIME, RangeMethod.MAX);
        Quantizer.Result result = Quantizer.quantize(graph, table, plan);
        assertThat(result.int8Layers()).isEqualTo(Quantizer.layers(graph));

        RuntimeProfile profile = profile(result.graph());
        Map<String, String> ran = new TreeMap<>();
        result.int8Layers().forEach(layer -> ran.put(layer, profile.operator(layer)));
        assertThat(ran).allSatisfy((layer, by) -> assertThat(by).isEqualTo("QLinearConv"));
        assertThat(result.int8Layers()).allMatch(profile::isInt8);
        assertThat(
                        profile.runs().stream()
                                .flatMap(
                                        run ->
                                                Stream.of(
                                                        run.operator(),
                                                        run.operator() + " " + run.precision()))
                                .collect(Collectors.toSet()))
                .containsAll(operators);
        String output = graph.outputs().get(0).name();
        assertThat(
                        SmallNet.agreement(
                                        SmallNet.values(graph, output, true),
                                        SmallNet.values(result.graph(), output, true))
                                .snr())
                .isGreaterThan(25);
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left).isEmpty();
        }
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("netsForTensorRt")
    void shouldGiveNearlyTheFloatOutputInTheFileForTensorRt(String name, Graph graph) {
        QuantizePlan plan = QuantizePlan.of(Target.TENSORRT, RangeMethod.MAX);
        Quantizer.Result result = Quantizer.quantize(graph, SmallNet.observed(graph), plan);
        String output = graph.outputs().get(0).name();
        assertThat(
                        SmallNet.agreement(
                                        SmallNet.values(graph, output, false),
                                        SmallNet.values(result.graph(), output, false))
                                .snr())
                .isGreaterThan(25);
    }

    @Test
    void shouldTellFloatFromInt8AndTheTimeOfEachLayer() {
        SmallNet net = new SmallNet();
        Graph graph = net.decoded(net.convSilu("b", net.convSilu("a", "images")));
        QuantizePlan plan =
                QuantizePlan.of(Target.ONNXRUNTIME, RangeMethod.MAX)
                        .withFloatLayers(Set.of("b.conv"));
        Quantizer.Result result = Quantizer.quantize(graph, SmallNet.observed(graph), plan);
        List<RuntimeProfile> profiles =
                RuntimeProfile.of(
                        List.of(graph, result.graph()),
                        List.of(SmallNet.inputs(graph).get(0), SmallNet.inputs(graph).get(1)),
                        3,
                        folder);

        assertThat(Quantizer.layers(graph)).noneMatch(profiles.get(0)::isInt8);
        assertThat(Quantizer.layers(graph).stream().filter(profiles.get(1)::isInt8))
                .containsExactlyElementsOf(result.int8Layers())
                .containsExactly("a.conv", "head");
        for (RuntimeProfile profile : profiles) {
            for (String layer : Quantizer.layers(graph)) {
                assertThat(profile.millis(layer)).isPositive();
                assertThat(profile.operator(layer)).contains("Conv");
            }
            assertThat(profile.millis("decoded")).isNull();
            assertThat(profile.runs()).isNotEmpty();
        }
        Convolutions convolutions = new Convolutions(graph, TensorShapes.of(graph));
        long macs = 9L * SmallNet.SIDE * SmallNet.SIDE * SmallNet.CHANNELS;
        assertThat(convolutions.macs("a.conv")).isEqualTo(3 * macs);
        assertThat(convolutions.macs("head")).isEqualTo(SmallNet.CHANNELS * macs);
        assertThat(convolutions.share(result.int8Layers()))
                .isEqualTo((3.0 + SmallNet.CHANNELS) / (3 + 2 * SmallNet.CHANNELS));
        assertThat(convolutions.shape("a.conv")).isEqualTo("3x3/1 3→8 at 16x16");
    }
}

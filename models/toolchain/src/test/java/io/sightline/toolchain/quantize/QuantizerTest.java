// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.Histogram;
import io.sightline.toolchain.calibrate.Range;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.calibrate.Seen;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.quantize.Quantizer.Result;
import io.sightline.toolchain.quantize.Quantizer.Scale;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizerTest {

    private static final QuantizePlan ONNXRUNTIME =
            QuantizePlan.of(Target.ONNXRUNTIME, RangeMethod.MAX);
    private static final QuantizePlan TENSORRT = QuantizePlan.of(Target.TENSORRT, RangeMethod.MAX);

    private final SmallNet net = new SmallNet();

    private static QuantizePlan plan(Target target) {
        return QuantizePlan.of(target, RangeMethod.MAX);
    }

    /** Whole, and ONNX Runtime loads it. */
    private static Result quantize(Graph graph, QuantizePlan plan) {
        Result result = Quantizer.quantize(graph, SmallNet.observed(graph), plan);
        result.graph().validate();
        GraphSession.open(result.graph().toBytes(), SessionSettings.serving(1)).close();
        return result;
    }

    private static Node node(Graph graph, String name) {
        return graph.nodes().stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Node pair(Graph graph, String tensor) {
        Node dequantize = graph.producer(tensor).orElseThrow();
        assertThat(dequantize.opType()).isEqualTo("DequantizeLinear");
        Node quantize = graph.producer(dequantize.input(0)).orElseThrow();
        assertThat(quantize.opType()).isEqualTo("QuantizeLinear");
        assertThat(quantize.inputs().subList(1, 3)).isEqualTo(dequantize.inputs().subList(1, 3));
        return quantize;
    }

    private static Set<String> rounded(Graph graph) {
        Set<String> rounded = new TreeSet<>();
        graph.nodes().stream()
                .filter(node -> node.is("QuantizeLinear"))
                .forEach(node -> rounded.add(node.input(0)));
        return rounded;
    }

    @Test
    void shouldScaleWhatIsNextToNothing() {
        Graph graph = net.decoded(net.convRelu("a", "images"));
        CalibrationTable seen = SmallNet.observed(graph);
        Map<String, Histogram> tensors = new TreeMap<>();
        seen.tensors().forEach(name -> tensors.put(name, seen.of(name)));
        Histogram faint = new Histogram();
        faint.add(FloatBuffer.wrap(new float[] {Float.MIN_VALUE, 0}));
        tensors.put("a", faint);
        CalibrationTable table = new CalibrationTable(seen.graphSha256(), seen.pictures(), tensors);
        for (Target target : Target.values()) {
            Graph quantized = Quantizer.quantize(graph, table, plan(target)).graph();
            assertThat(quantized.constant("a_scale").toFloats()[0])
                    .isGreaterThanOrEqualTo(Float.MIN_NORMAL);
            for (float value : SmallNet.values(quantized, "outputs", false)) {
                assertThat(value).isFinite();
            }
        }
    }

    @Test
    void shouldRoundToBytesWithAZeroPointForOnnxRuntime() {
        Graph graph = net.decoded(net.convSilu("b", net.convRelu("a", "images")));
        CalibrationTable table = SmallNet.observed(graph);
        Result result = quantize(graph, ONNXRUNTIME);

        assertThat(result.int8Layers()).containsExactly("a.conv", "b.conv", "head");
        assertThat(rounded(result.graph()))
                .containsExactlyInAnyOrder("images", "a", "b.conv", "b.sigmoid", "b", "head");
        assertThat(result.scales().keySet()).isEqualTo(rounded(result.graph()));
        result.scales()
                .forEach(
                        (tensor, scale) -> {
                            Range seen =
                                    tensor.endsWith("sigmoid")
                                            ? new Range(0, 1)
                                            : table.asymmetric(
                                                    tensor, RangeMethod.MAX, 255, Seen.AS_IS);
                            double width = (seen.high() - seen.low()) / 255;
                            assertThat(scale.scale()).isCloseTo(width, within(1e-9 * width));
                            assertThat(scale.zeroPoint())
                                    .isEqualTo((int) Math.rint(-seen.low() / width));
                            Tensor zero =
                                    result.graph()
                                            .constant(
                                                    result.graph()
                                                            .consumers(tensor)
                                                            .get(0)
                                                            .input(2));
                            assertThat(zero.type()).isEqualTo(ElementType.UINT8);
                            assertThat(zero.toBytes()[0] & 0xFF).isEqualTo(scale.zeroPoint());
                        });
        assertThat(result.scales().get("a").zeroPoint()).isZero();
        assertThat(result.scales().get("b.sigmoid"))
                .isEqualTo(new Scale(1 / 255.0, 0, new Range(0, 1)));
        // What decodes takes the rounded prediction, and is as it was.
        assertThat(pair(result.graph(), node(result.graph(), "decoded").input(0)).input(0))
                .isEqualTo("head");
        assertThat(node(result.graph(), "outputs").inputs()).containsExactly("decoded", "stride");
    }

    @Test
    void shouldRoundToSignedBytesOnInputsForTensorRt() {
        Graph graph = net.decoded(net.convSilu("b", net.convRelu("a", "images")));
        CalibrationTable table = SmallNet.observed(graph);
        Result result = quantize(graph, TENSORRT);

        assertThat(rounded(result.graph())).containsExactlyInAnyOrder("images", "a", "b");
        result.scales()
                .forEach(
                        (tensor, scale) -> {
                            Histogram seen = table.of(tensor);
                            double amax = Math.max(-seen.min(), seen.max());
                            assertThat(scale.scale()).isCloseTo(amax / 127, within(1e-9 * amax));
                            assertThat(scale.zeroPoint()).isZero();
                            Node quantize = result.graph().consumers(tensor).get(0);
                            Tensor zero = result.graph().constant(quantize.input(2));
                            assertThat(zero)
                                    .isEqualTo(
                                            Tensor.bytes(ElementType.INT8, new long[0], (byte) 0));
                        });
        for (Node conv : result.graph().nodes()) {
            if (conv.is("Conv")) {
                assertThat(result.graph().consumers(conv.output()))
                        .noneMatch(next -> next.is("QuantizeLinear"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldGiveOneScaleToWhatIsPutTogether(Target target) {
        net.convSilu("a", "images");
        net.convSilu("b", "a");
        net.node("Add", "sum", "a", "b");
        net.maxPool("pool", "sum");
        net.concat("cat", "sum", "pool");
        net.conv("c", "cat", 2 * SmallNet.CHANNELS);
        Map<String, Scale> scales = quantize(net.decoded("c"), plan(target)).scales();

        assertThat(scales.get("a")).isEqualTo(scales.get("b"));
        if (target == Target.ONNXRUNTIME) {
            assertThat(scales.get("sum"))
                    .isEqualTo(scales.get("pool"))
                    .isEqualTo(scales.get("cat"));
        } else {
            assertThat(scales).containsOnlyKeys("images", "a", "b", "cat", "c");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 7})
    void shouldScaleWeightsByTheLargestOfEachChannel(int bits) {
        net.conv("a", "images");
        float[] weights = net.graph().constant("a.weight").toFloats();
        // One channel that the network has given up.
        Arrays.fill(weights, 27, 54, 0);
        net.graph().initializers().put("a.weight", Tensor.floats(new long[] {8, 3, 3, 3}, weights));
        Graph graph = net.decoded("a");
        Result result = quantize(graph, ONNXRUNTIME.withBits(bits, 8, Set.of()));

        Graph quantized = result.graph();
        Node conv = node(quantized, "a");
        Node dequantize = quantized.producer(conv.input(1)).orElseThrow();
        assertThat(dequantize.opType()).isEqualTo("DequantizeLinear");
        assertThat(dequantize.longAttribute("axis", -1)).isZero();
        Tensor numbers = quantized.constant(dequantize.input(0));
        Tensor scales = quantized.constant(dequantize.input(1));
        Tensor zeros = quantized.constant(dequantize.input(2));
        assertThat(numbers.type()).isEqualTo(ElementType.INT8);
        assertThat(numbers.dims()).containsExactly(8, 3, 3, 3);
        assertThat(zeros).isEqualTo(Tensor.bytes(ElementType.INT8, new long[] {8}, new byte[8]));
        int steps = (1 << (bits - 1)) - 1;
        for (int channel = 0; channel < 8; channel++) {
            float amax = 0;
            for (int i = 27 * channel; i < 27 * (channel + 1); i++) {
                amax = Math.max(amax, Math.abs(weights[i]));
            }
            float scale = scales.toFloats()[channel];
            if (channel == 1) {
                assertThat(scale).isPositive();
            } else {
                assertThat(scale).isEqualTo(amax / steps);
            }
            int largest = 0;
            for (int i = 27 * channel; i < 27 * (channel + 1); i++) {
                int number = numbers.toBytes()[i];
                largest = Math.max(largest, Math.abs(number));
                assertThat((double) number * scale).isCloseTo(weights[i], within(0.5001 * scale));
            }
            assertThat(largest).isEqualTo(channel == 1 ? 0 : steps);
        }
        // The bias stays float and the float weights go.
        assertThat(conv.input(2)).isEqualTo("a.bias");
        assertThat(quantized.constant("a.bias")).isEqualTo(graph.constant("a.bias"));
        assertThat(quantized.isConstant("a.weight")).isFalse();
    }

    @Test
    void shouldLeaveTheGivenGraphAsItIs() {
        Graph graph = net.decoded(net.convRelu("a", "images"));
        byte[] before = graph.toBytes();
        quantize(graph, ONNXRUNTIME);
        quantize(graph, TENSORRT);
        assertThat(graph.toBytes()).isEqualTo(before);
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldNotTouchLayersThatStayFloat(Target target) {
        Graph graph =
                net.decoded(net.convSilu("c", net.convSilu("b", net.convSilu("a", "images"))));
        Set<String> kept = Set.of("a.conv", "b.conv");
        Result result = quantize(graph, plan(target).withFloatLayers(kept));

        assertThat(result.int8Layers()).containsExactly("c.conv", "head");
        for (String name :
                List.of("a.conv", "a.sigmoid", "a", "b.conv", "b.sigmoid", "b", "decoded")) {
            Node before = node(graph, name);
            Node after = node(result.graph(), name);
            if (!name.equals("decoded")) {
                assertThat(after.inputs()).isEqualTo(before.inputs());
            }
            for (String input : before.inputs()) {
                assertThat(result.graph().constant(input)).isEqualTo(graph.constant(input));
            }
        }
        assertThat(SmallNet.values(result.graph(), "b", false))
                .isEqualTo(SmallNet.values(graph, "b", false));
        Result none =
                quantize(graph, plan(target).withFloatLayers(Set.copyOf(Quantizer.layers(graph))));
        assertThat(none.graph().toBytes()).isEqualTo(graph.toBytes());
        assertThat(none.scales()).isEmpty();
    }

    @Test
    void shouldUseThePicturesBytesAsTheyAre() {
        SmallNet bytes = SmallNet.ofBytes();
        Graph quantized =
                quantize(bytes.decoded(bytes.convRelu("a", "pixels")), ONNXRUNTIME).graph();
        assertThat(node(quantized, "a.conv").input(0)).isEqualTo("pixels");
        assertThat(quantized.producer("pixels").orElseThrow().inputs())
                .containsExactly("planes", "pixel", "black");
        assertThat(rounded(quantized)).containsExactlyInAnyOrder("a", "head");
    }

    @Test
    void shouldRoundWhatTheGraphGivesUnderItsOwnName() {
        net.convRelu("a", "images");
        net.conv("b", "a");
        Graph graph = net.endingIn("b");
        Result result = quantize(graph, ONNXRUNTIME);
        assertThat(pair(result.graph(), "b").input(0)).isEqualTo("b_unrounded");
        assertThat(node(result.graph(), "b").output()).isEqualTo("b_unrounded");
        assertThat(quantize(graph, TENSORRT).graph().producer("b").orElseThrow().opType())
                .isEqualTo("Conv");
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldComputeWhatItSaysItRounds(Target target) {
        Graph graph = net.decoded(net.convSilu("a", "images"));
        Result result = quantize(graph, plan(target));
        String first = node(result.graph(), "a.conv").input(0);
        Scale scale = result.scales().get("images");
        float[] before = SmallNet.values(graph, "images_copy", copied(graph));
        float[] after = SmallNet.values(result.graph(), first, false);
        int least = target.hasZeroPoint() ? -scale.zeroPoint() : -128;
        int most = target.hasZeroPoint() ? 255 - scale.zeroPoint() : 127;
        for (int i = 0; i < before.length; i++) {
            double number =
                    Math.max(least, Math.min(most, Math.rint(before[i] / (float) scale.scale())));
            assertThat((double) after[i]).isCloseTo(number * (float) scale.scale(), within(1e-6));
        }
    }

    /** Makes the picture something that a session can give. */
    private static boolean copied(Graph graph) {
        graph.add("Identity", "images_copy", List.of("images"), "images_copy");
        return false;
    }

    // ---- other methods, fewer bits ----

    @Test
    void shouldUseAnotherMethodForWhatALayerTakesAndGives() {
        Graph graph = net.decoded(net.convRelu("b", net.convRelu("a", "images")));
        CalibrationTable table = SmallNet.observed(graph);
        RangeMethod half = new RangeMethod(RangeMethod.Kind.PERCENTILE, 60);
        Map<String, Scale> scales =
                Quantizer.quantize(
                                graph, table, ONNXRUNTIME.withLayerMethods(Map.of("b.conv", half)))
                        .scales();
        Map<String, Scale> plain = Quantizer.quantize(graph, table, ONNXRUNTIME).scales();

        assertThat(scales.get("images")).isEqualTo(plain.get("images"));
        assertThat(scales.get("head")).isEqualTo(plain.get("head"));
        for (String tensor : List.of("a", "b")) {
            assertThat(scales.get(tensor).scale())
                    .isEqualTo(table.asymmetric(tensor, half, 255, Seen.AS_IS).high() / 255)
                    .isLessThan(plain.get(tensor).scale());
        }
    }

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldClipWhatFewBitsCannotExpress(Target target) {
        Graph graph = net.decoded(net.convSilu("b", net.convSilu("a", "images")));
        QuantizePlan plan = plan(target).withBits(4, 4, Set.of("a.conv", "head"));
        Result result = quantize(graph, plan);

        int levels = target.hasZeroPoint() ? 16 : 15;
        String rounded = node(result.graph(), "b.conv").input(0);
        Set<Float> values = new TreeSet<>();
        for (float value : SmallNet.values(result.graph(), rounded, false)) {
            values.add(value);
        }
        assertThat(values).hasSizeLessThanOrEqualTo(levels).hasSizeGreaterThan(levels / 2);
        Scale scale = result.scales().get("a");
        assertThat(scale.range().high() - scale.range().low())
                .isCloseTo((levels - 1) * scale.scale(), within(1e-9));
        // First and last layer keep theirs.
        assertThat(result.scales().get("b").scale()).isLessThan(scale.scale());
        for (String layer : Quantizer.layers(graph)) {
            Node dequantize =
                    result.graph().producer(node(result.graph(), layer).input(1)).orElseThrow();
            int largest = 0;
            for (byte number : result.graph().constant(dequantize.input(0)).toBytes()) {
                largest = Math.max(largest, Math.abs(number));
            }
            assertThat(largest).isEqualTo(layer.equals("b.conv") ? 7 : 127);
        }
        double few = networkSnr(graph, result.graph());
        assertThat(few)
                .isGreaterThan(5)
                .isLessThan(networkSnr(graph, quantize(graph, plan(target)).graph()));
    }

    private static double networkSnr(Graph graph, Graph quantized) {
        return SmallNet.agreement(
                        SmallNet.values(graph, "outputs", false),
                        SmallNet.values(quantized, "outputs", false))
                .snr();
    }

    @Test
    void shouldClipFewBitWeightsWhereThatErrsLess() {
        net.conv("a", "images");
        float[] weights = net.graph().constant("a.weight").toFloats();
        Graph graph = net.decoded("a");
        Graph quantized = quantize(graph, ONNXRUNTIME.withBits(3, 8, Set.of("head"))).graph();
        float[] found = SmallNet.values(quantized, node(quantized, "a").input(1), false);
        for (int channel = 0; channel < SmallNet.CHANNELS; channel++) {
            double amax = 0;
            double error = 0;
            for (int i = 27 * channel; i < 27 * (channel + 1); i++) {
                amax = Math.max(amax, Math.abs(weights[i]));
                error += Math.pow(weights[i] - found[i], 2);
            }
            double plain = 0;
            for (int i = 27 * channel; i < 27 * (channel + 1); i++) {
                plain += Math.pow(weights[i] - Math.rint(weights[i] / amax * 3) * amax / 3, 2);
            }
            assertThat(error).isLessThanOrEqualTo(plain * 1.00001);
        }
    }

    // ---- corrections ----

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldFoldCorrectionsIntoScalesAndBias(boolean bias) {
        Node conv = net.conv("a", "images");
        if (!bias) {
            conv.inputs().remove(2);
        }
        Graph graph = net.decoded("a");
        float[] scale = new float[SmallNet.CHANNELS];
        float[] shift = new float[SmallNet.CHANNELS];
        for (int channel = 0; channel < scale.length; channel++) {
            scale[channel] = 0.8f + 0.06f * channel;
            shift[channel] = 0.5f - 0.2f * channel;
        }
        Graph plain = quantize(graph, TENSORRT).graph();
        Graph corrected =
                quantize(
                                graph,
                                TENSORRT.withCorrections(
                                        Map.of("a", new ChannelCorrection(scale, shift))))
                        .graph();

        // The pair behind it is on the next one's input.
        float[] was = SmallNet.values(plain, "a", false);
        float[] is = SmallNet.values(corrected, "a", false);
        int area = SmallNet.SIDE * SmallNet.SIDE;
        for (int i = 0; i < was.length; i++) {
            int channel = i / area % SmallNet.CHANNELS;
            assertThat((double) is[i])
                    .isCloseTo(scale[channel] * was[i] + shift[channel], within(2e-5));
        }
        assertThatThrownBy(() -> new ChannelCorrection(scale, new float[1]))
                .isInstanceOf(IllegalArgumentException.class);
    }

    // ---- what is refused ----

    @Test
    void shouldRefuseGraphsThatAreTooOld() {
        SmallNet old = new SmallNet(12);
        Graph graph = old.decoded(old.convRelu("a", "images"));
        assertThatThrownBy(() -> Quantizer.quantize(graph, SmallNet.observed(graph), ONNXRUNTIME))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("opset 12")
                .hasMessageContaining("13");
    }

    @Test
    void shouldRefuseGraphsThatAreQuantizedAlready() {
        Graph graph = net.decoded(net.convRelu("a", "images"));
        CalibrationTable table = SmallNet.observed(graph);
        Graph quantized = Quantizer.quantize(graph, table, ONNXRUNTIME).graph();
        assertThatThrownBy(() -> Quantizer.quantize(quantized, table, ONNXRUNTIME))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("QuantizeLinear")
                .hasMessageContaining("quantised already");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ConvInteger", "DynamicQuantizeLinear"})
    void shouldRefuseGraphsThatAreQuantizedDynamically(String operator) {
        Graph graph = net.decoded(net.convRelu("a", "images"));
        CalibrationTable table = SmallNet.observed(graph);
        node(graph, "a.conv").becomes(operator);
        assertThatThrownBy(() -> Quantizer.quantize(graph, table, ONNXRUNTIME))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining(operator)
                .hasMessageContaining("--dequantize");
    }

    @Test
    void shouldRefuseATableOfAnotherGraph() {
        Graph graph = net.decoded(net.convRelu("a", "images"));
        CalibrationTable other = new CalibrationTable("", Map.of(), Map.of());
        assertThatThrownBy(() -> Quantizer.quantize(graph, other, ONNXRUNTIME))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("of another graph");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 9})
    void shouldRefuseWidthsThatAreNone(int bits) {
        assertThatThrownBy(() -> ONNXRUNTIME.withBits(bits, 8, Set.of()))
                .hasMessageContaining("expected 2 to 8");
        assertThatThrownBy(() -> ONNXRUNTIME.withBits(8, bits, Set.of()))
                .hasMessageContaining("expected 2 to 8");
    }

    // ---- what networks bring ----

    /**
     * A channel that training gave up on keeps a bias but weights of next to nothing: as integers
     * of the tiny scale, the bias would not fit.
     */
    @ParameterizedTest
    @ValueSource(floats = {1e-3f, 1e-8f, 1e-12f, 1e-30f, 1e-42f})
    void shouldKeepTheBiasOfChannelsWithTinyWeights(float size) {
        assertKeepsTheBiasWithTinyWeights(net, "images", size, ONNXRUNTIME);
        assertKeepsTheBiasWithTinyWeights(new SmallNet(), "images", size, TENSORRT);
        assertKeepsTheBiasWithTinyWeights(SmallNet.ofBytes(), "pixels", size, ONNXRUNTIME);
    }

    private static void assertKeepsTheBiasWithTinyWeights(
            SmallNet net, String input, float size, QuantizePlan plan) {
        net.conv("a", input);
        float[] weights = net.graph().constant("a.weight").toFloats();
        for (int i = 27; i < 54; i++) {
            weights[i] *= size;
        }
        float[] bias = net.graph().constant("a.bias").toFloats();
        bias[1] = 3;
        net.graph().initializers().put("a.weight", Tensor.floats(new long[] {8, 3, 3, 3}, weights));
        net.graph().initializers().put("a.bias", Tensor.floats(new long[] {8}, bias));
        Graph graph = net.endingIn("a");
        Graph quantized = quantize(graph, plan).graph();
        float[] values = SmallNet.values(quantized, "a", plan.equals(ONNXRUNTIME));
        int area = SmallNet.SIDE * SmallNet.SIDE;
        for (int i = area; i < 2 * area; i++) {
            assertThat(values[i]).isCloseTo(3, within(0.05f));
        }
        assertThat(SmallNet.agreement(SmallNet.values(graph, "a", true), values).snr())
                .isGreaterThan(30);
    }

    /** As channel attention has it, over the channels of a pooled picture. */
    @Test
    void shouldCountConvolutionsOfOneDimension() {
        net.convRelu("a", "images");
        net.graph().initializers().put("row", Tensor.longs(1, SmallNet.CHANNELS, -1));
        net.node("Reshape", "rows", "a", "row");
        net.graph()
                .initializers()
                .put("b.weight", Tensor.floats(new long[] {1, 8, 3}, new float[24]));
        net.node("Conv", "b", "rows", "b.weight").with("pads", new long[] {1, 1});
        Graph graph = net.endingIn("b");
        Convolutions convolutions = new Convolutions(graph, TensorShapes.of(graph));
        assertThat(convolutions.macs("a.conv")).isEqualTo(8 * 3 * 9 * 256);
        assertThat(convolutions.shape("a.conv")).isEqualTo("3x3/1 3→8 at 16x16");
        assertThat(convolutions.macs("b")).isEqualTo(8 * 3 * 256);
        assertThat(convolutions.shape("b")).isEqualTo("3/1 8→1 at 256");
        assertThat(quantize(graph, ONNXRUNTIME).int8Layers()).contains("a.conv");
    }

    @Test
    void shouldQuantizeConvolutionsThatShareTheirWeights() {
        net.convRelu("a", "images");
        net.conv("b", "a");
        net.conv("c", "b");
        node(net.graph(), "c").inputs().set(1, "b.weight");
        Graph graph = net.decoded("c");
        Result result = quantize(graph, ONNXRUNTIME);
        assertThat(result.int8Layers()).contains("b", "c");
        assertThat(networkSnr(graph, result.graph())).isGreaterThan(20);
        Result one = quantize(graph, ONNXRUNTIME.withFloatLayers(Set.of("c")));
        assertThat(node(one.graph(), "c").input(1)).isEqualTo("b.weight");
    }
}

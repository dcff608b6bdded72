// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.Range;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.calibrate.Seen;
import io.sightline.toolchain.fuse.Opset13;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Writes Q/DQ pairs into a float graph: INT8 weights with a scale for each output channel, float
 * bias, activations with one scale each.
 */
final class Quantizer {

    /** Candidates for the clipping of low-bit weights, as shares of the largest. */
    private static final int WEIGHT_STEPS = 80;

    /** Half of what 32 bits hold, so that sums beside it still fit. */
    private static final double LARGEST_BIAS = 1 << 30;

    private final Graph graph;
    private final CalibrationTable table;
    private final QuantizePlan plan;
    private final Placement placement;
    private final Map<String, Scale> scales = new TreeMap<>();

    /**
     * How a tensor is rounded: value = scale · (number − zeroPoint).
     *
     * @param range the numbers' least and largest value
     */
    record Scale(double scale, int zeroPoint, Range range) {}

    /**
     * What came out.
     *
     * @param int8Layers names of the convolutions in INT8, in the order they run
     * @param scales of the rounded tensors
     */
    record Result(Graph graph, List<String> int8Layers, Map<String, Scale> scales) {}

    private Quantizer(Graph graph, CalibrationTable table, QuantizePlan plan) {
        this.graph = graph;
        this.table = table;
        this.plan = plan;
        this.placement = Placement.of(graph, plan, table.tensors());
    }

    /**
     * @param graph float, its nodes named; stays as it is
     * @param table of that graph
     * @throws ToolchainException if the graph is quantised already or too old, or the table is of
     *     another graph
     */
    static Result quantize(Graph graph, CalibrationTable table, QuantizePlan plan) {
        requireFloat(graph);
        Graph copy = graph.copy();
        return new Quantizer(copy, table, plan).run();
    }

    /** Names of the convolutions that can be INT8, in the order they run. */
    static List<String> layers(Graph graph) {
        return Placement.convolutions(graph).stream().map(Node::name).toList();
    }

    /** Names of the tensors that have to be calibrated. */
    static List<String> tensors(Graph graph) {
        return Placement.calibrated(graph).stream().sorted().toList();
    }

    /**
     * @throws ToolchainException if the graph is quantised already, or too old
     */
    static void requireFloat(Graph graph) {
        if (graph.opset() < Opset13.OPSET) {
            throw new ToolchainException(
                    "the graph is of opset %d: expected %d or newer, for scales per channel: export it again, with --opset %d"
                            .formatted(graph.opset(), Opset13.OPSET, Opset13.OPSET));
        }
        for (Node node : graph.nodes()) {
            if (node.is("ConvInteger") || node.is("DynamicQuantizeLinear")) {
                throw new ToolchainException(
                        node
                                + " is quantised dynamically: make it float first, with fuse --dequantize");
            }
            if (node.is("QuantizeLinear") || node.is("QLinearConv")) {
                throw new ToolchainException(
                        node + " is quantised already: expected the float model");
            }
        }
    }

    private Result run() {
        chooseScales();
        for (Node conv : placement.quantizedConvolutions()) {
            quantizeWeights(conv);
        }
        scales.forEach(this::insertPair);
        graph.removeUnused();
        return new Result(
                graph,
                placement.quantizedConvolutions().stream().map(Node::name).toList(),
                Map.copyOf(scales));
    }

    private void chooseScales() {
        Map<String, RangeMethod> methods = methodsOfTensors();
        Set<String> lowBit = lowBitTensors();
        for (Set<String> group : placement.groups()) {
            int bits = group.stream().anyMatch(lowBit::contains) ? plan.activationBits() : 8;
            Range range = new Range(0, 0);
            for (String tensor : group) {
                range =
                        range.union(
                                range(tensor, methods.getOrDefault(tensor, plan.method()), bits));
            }
            for (String tensor : group) {
                scales.put(tensor, scale(range, bits));
            }
        }
    }

    private Map<String, RangeMethod> methodsOfTensors() {
        Map<String, RangeMethod> methods = new HashMap<>();
        for (Node conv : placement.quantizedConvolutions()) {
            RangeMethod method = plan.layerMethods().get(conv.name());
            if (method != null) {
                methods.put(conv.input(0), method);
                methods.put(placement.given(conv), method);
            }
        }
        return methods;
    }

    /** What low-bit convolutions take; the rest of the network keeps 8 bits. */
    private Set<String> lowBitTensors() {
        Set<String> lowBit = new HashSet<>();
        if (plan.activationBits() < 8) {
            for (Node conv : placement.quantizedConvolutions()) {
                if (!plan.eightBitLayers().contains(conv.name())) {
                    lowBit.add(conv.input(0));
                }
            }
            for (Node conv : placement.quantizedConvolutions()) {
                if (plan.eightBitLayers().contains(conv.name())) {
                    lowBit.remove(conv.input(0));
                }
            }
        }
        return lowBit;
    }

    private Range range(String tensor, RangeMethod method, int bits) {
        if (plan.target().hasZeroPoint()) {
            // Known by what it is, and a calibration picture may not reach its ends.
            if (graph.producer(tensor).map(node -> node.is("Sigmoid")).orElse(false)) {
                return new Range(0, 1);
            }
            return table.asymmetric(tensor, method, (1 << bits) - 1, seen(tensor));
        }
        return table.symmetric(tensor, method, (1 << (bits - 1)) - 1);
    }

    private Seen seen(String tensor) {
        List<Node> consumers = graph.consumers(tensor);
        while (consumers.size() == 1
                && (consumers.get(0).is("Reshape") || consumers.get(0).is("Transpose"))) {
            consumers = graph.consumers(consumers.get(0).output());
        }
        Optional<Node> sigmoid = consumers.stream().filter(node -> node.is("Sigmoid")).findFirst();
        if (sigmoid.isEmpty() || graph.isOutput(tensor)) {
            return Seen.AS_IS;
        }
        if (consumers.size() == 1) {
            return Seen.THROUGH_SIGMOID;
        }
        return consumers.size() == 2
                        && consumers.stream()
                                .anyMatch(
                                        node ->
                                                node.is("Mul")
                                                        && node.inputs()
                                                                .contains(sigmoid.get().output()))
                ? Seen.THROUGH_SILU
                : Seen.AS_IS;
    }

    private Scale scale(Range range, int bits) {
        if (plan.target().hasZeroPoint()) {
            int steps = (1 << bits) - 1;
            double scale = step(range.high() - range.low(), steps);
            int zeroPoint = (int) Math.rint(-range.low() / scale);
            return new Scale(
                    scale, zeroPoint, new Range(-zeroPoint * scale, (steps - zeroPoint) * scale));
        }
        int steps = (1 << (bits - 1)) - 1;
        double scale = step(range.amax(), steps);
        return new Scale(scale, 0, new Range(-steps * scale, steps * scale));
    }

    /** A tensor that is always zero has any; no other may vanish in a float. */
    private static double step(double width, int steps) {
        return width == 0 ? 1 : Math.max(Float.MIN_NORMAL, width / steps);
    }

    private void insertPair(String tensor, Scale scale) {
        boolean all = placement.givenRounded(tensor);
        List<Node> consumers =
                graph.consumers(tensor).stream().filter(node -> all || takesRounded(node)).toList();
        // Without a pair behind it, the kernel that gives an output would be a float one.
        boolean output = graph.isOutput(tensor) && all && plan.target().hasZeroPoint();
        if (consumers.isEmpty() && !output) {
            return;
        }
        String scaleName =
                graph.addConstant(tensor + "_scale", Tensor.scalar((float) scale.scale()));
        String zeroName =
                graph.addConstant(
                        tensor + "_zero_point",
                        Tensor.bytes(
                                plan.target().hasZeroPoint() ? ElementType.UINT8 : ElementType.INT8,
                                new long[0],
                                (byte) scale.zeroPoint()));
        String dequantized = graph.uniqueTensor(tensor + "_dequantized");
        String source = tensor;
        if (output) {
            source = graph.uniqueTensor(tensor + "_unrounded");
            String unrounded = source;
            graph.producer(tensor)
                    .ifPresent(
                            node ->
                                    node.outputs()
                                            .replaceAll(
                                                    name ->
                                                            name.equals(tensor)
                                                                    ? unrounded
                                                                    : name));
            dequantized = tensor;
        }
        if (isClipped(scale)) {
            String whole = source;
            source = graph.uniqueTensor(tensor + "_clipped");
            String low =
                    graph.addConstant(tensor + "_low", Tensor.scalar((float) scale.range().low()));
            String high =
                    graph.addConstant(
                            tensor + "_high", Tensor.scalar((float) scale.range().high()));
            graph.add("Clip", source, List.of(whole, low, high), source);
        }
        String quantized = graph.uniqueTensor(tensor + "_quantized");
        graph.add("QuantizeLinear", quantized, List.of(source, scaleName, zeroName), quantized);
        graph.add(
                "DequantizeLinear",
                graph.uniqueTensor(tensor + "_dequantized"),
                List.of(quantized, scaleName, zeroName),
                dequantized);
        for (Node node : consumers) {
            node.replaceInput(tensor, dequantized);
        }
    }

    /** Fewer than 8 bits: what the 8-bit numbers could express beyond has to be cut off. */
    private boolean isClipped(Scale scale) {
        double steps = (scale.range().high() - scale.range().low()) / scale.scale();
        return steps < (plan.target().hasZeroPoint() ? 255 : 254) - 0.5;
    }

    /** Of a tensor that is there unrounded too. */
    private boolean takesRounded(Node node) {
        return placement.isInt8(node)
                || (plan.target() == Target.TENSORRT && node.is("Add") && !plan.decodeToo());
    }

    private void quantizeWeights(Node conv) {
        Tensor weights = graph.constant(conv.input(1));
        int bits = plan.eightBitLayers().contains(conv.name()) ? 8 : plan.weightBits();
        int steps = (1 << (bits - 1)) - 1;
        int channels = Math.toIntExact(weights.dim(0));
        float[] values = weights.toFloats();
        int size = values.length / channels;
        byte[] numbers = new byte[values.length];
        float[] least = leastScales(conv, channels);
        float[] channelScales = new float[channels];
        for (int channel = 0; channel < channels; channel++) {
            float scale =
                    Math.max(
                            least[channel], weightScale(values, channel * size, size, steps, bits));
            channelScales[channel] = scale;
            for (int i = channel * size; i < (channel + 1) * size; i++) {
                numbers[i] = (byte) Math.max(-steps, Math.min(steps, Math.rint(values[i] / scale)));
            }
        }
        ChannelCorrection correction = plan.corrections().get(conv.name());
        if (correction != null) {
            correct(conv, correction, channelScales);
        }
        String name = conv.input(1);
        String quantized =
                graph.addConstant(
                        name + "_quantized",
                        Tensor.bytes(ElementType.INT8, weights.dims(), numbers));
        String scaleName =
                graph.addConstant(
                        name + "_scale", Tensor.floats(new long[] {channels}, channelScales));
        String zeroName =
                graph.addConstant(
                        name + "_zero_point",
                        Tensor.bytes(ElementType.INT8, new long[] {channels}, new byte[channels]));
        String dequantized = graph.uniqueTensor(name + "_dequantized");
        graph.add(
                        "DequantizeLinear",
                        dequantized,
                        List.of(quantized, scaleName, zeroName),
                        dequantized)
                .with("axis", 0);
        conv.inputs().set(1, dequantized);
    }

    /**
     * The bias is added as an integer of input scale times weight scale: that has to be large
     * enough for it to fit, also where a channel has hardly any weights.
     */
    private float[] leastScales(Node conv, int channels) {
        float[] least = new float[channels];
        Arrays.fill(least, Float.MIN_NORMAL);
        double input = scaleOf(conv.input(0));
        if (!conv.input(2).isEmpty() && input > 0) {
            float[] bias = graph.constant(conv.input(2)).toFloats();
            for (int channel = 0; channel < channels; channel++) {
                least[channel] =
                        (float)
                                Math.max(
                                        Float.MIN_NORMAL,
                                        Math.abs(bias[channel]) / (LARGEST_BIAS * input));
            }
        }
        return least;
    }

    /** Of what a convolution reads as integers; 0 where it reads floats. */
    private double scaleOf(String tensor) {
        Scale scale = scales.get(tensor);
        if (scale != null) {
            return scale.scale();
        }
        // The picture's bytes, which the model itself dequantises.
        return graph.producer(tensor)
                .filter(node -> node.is("DequantizeLinear") && graph.isConstant(node.input(1)))
                .map(node -> (double) graph.constant(node.input(1)).toFloats()[0])
                .orElse(0.0);
    }

    private static float weightScale(float[] values, int from, int size, int steps, int bits) {
        float amax = 0;
        for (int i = from; i < from + size; i++) {
            amax = Math.max(amax, Math.abs(values[i]));
        }
        if (amax == 0) {
            return 1f / steps;
        }
        if (bits >= 7) {
            return amax / steps;
        }
        // With few steps it pays to clip the largest weights.
        float best = amax / steps;
        double least = Double.POSITIVE_INFINITY;
        for (int step = WEIGHT_STEPS; step > WEIGHT_STEPS / 4; step--) {
            float scale = amax * step / WEIGHT_STEPS / steps;
            double sum = 0;
            for (int i = from; i < from + size; i++) {
                double number = Math.max(-steps, Math.min(steps, Math.rint(values[i] / scale)));
                double error = values[i] - number * scale;
                sum += error * error;
            }
            if (sum < least) {
                least = sum;
                best = scale;
            }
        }
        return best;
    }

    private void correct(Node conv, ChannelCorrection correction, float[] channelScales) {
        int channels = channelScales.length;
        float[] bias =
                conv.input(2).isEmpty()
                        ? new float[channels]
                        : graph.constant(conv.input(2)).toFloats();
        for (int channel = 0; channel < channels; channel++) {
            channelScales[channel] *= correction.scale()[channel];
            bias[channel] =
                    bias[channel] * correction.scale()[channel] + correction.shift()[channel];
        }
        String name =
                graph.addConstant(
                        conv.output() + "_bias", Tensor.floats(new long[] {channels}, bias));
        if (conv.inputs().size() > 2) {
            conv.inputs().set(2, name);
        } else {
            conv.inputs().add(name);
        }
    }
}

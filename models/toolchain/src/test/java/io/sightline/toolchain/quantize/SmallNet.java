// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.Histogram;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Networks built by hand, layer by layer: each is named as the tensor it gives. The picture is
 * {@value #SIDE} on each side.
 */
final class SmallNet {

    static final int SIDE = 16;
    static final int CHANNELS = 8;

    private static final int PICTURES = 4;

    private final Graph graph;
    private final Random random = new Random(3);

    /** Of opset 13, float picture {@code images}. */
    SmallNet() {
        this(13);
    }

    SmallNet(long opset) {
        graph = new Graph("net", opset);
        graph.inputs().add(ValueInfo.of("images", ElementType.FLOAT, 1, 3, SIDE, SIDE));
    }

    /** The picture as bytes, as prepared for ONNX Runtime: its floats are {@code pixels}. */
    static SmallNet ofBytes() {
        SmallNet net = new SmallNet();
        net.graph.inputs().set(0, ValueInfo.of("images", ElementType.UINT8, 1, SIDE, SIDE, 3));
        net.node("Transpose", "planes", "images").with("perm", new long[] {0, 3, 1, 2});
        net.graph.initializers().put("pixel", Tensor.scalar(1 / 255f));
        net.graph
                .initializers()
                .put("black", Tensor.bytes(ElementType.UINT8, new long[0], (byte) 0));
        net.node("DequantizeLinear", "pixels", "planes", "pixel", "black");
        return net;
    }

    Graph graph() {
        return graph;
    }

    /** Of a detector that takes bytes, square. */
    static ModelSpec spec(int side, int classes) {
        return new ModelSpec(
                "small",
                "0".repeat(64),
                side,
                side,
                InputFormat.BYTES_NHWC_BGR,
                1,
                false,
                0,
                114,
                IntStream.range(0, classes).mapToObj(i -> "class-" + i).toList(),
                OutputLayout.ANCHORS_OBJ,
                true,
                0.4f,
                0.45f,
                "fp32",
                "MIT",
                "made here");
    }

    /** The graph, whole, with that output. */
    Graph endingIn(String output) {
        graph.outputs().add(ValueInfo.untyped(output));
        graph.validate();
        return graph;
    }

    /** The last convolution with boxes decoded from it: what stays float. */
    Graph decoded(String in) {
        conv("head", in, CHANNELS);
        node("Sigmoid", "decoded", "head");
        graph.initializers().put("stride", Tensor.scalar(8));
        node("Mul", "outputs", "decoded", "stride");
        return endingIn("outputs");
    }

    Node node(String opType, String name, String... inputs) {
        return graph.add(opType, name, List.of(inputs), name);
    }

    /** 3×3 from the picture's 3 channels or from {@link #CHANNELS}, with bias. */
    Node conv(String name, String in) {
        return conv(name, in, in.equals("images") || in.equals("pixels") ? 3 : CHANNELS);
    }

    Node conv(String name, String in, int from) {
        return conv(name, in, from, CHANNELS);
    }

    Node conv(String name, String in, int from, int to) {
        graph.initializers()
                .put(
                        name + ".weight",
                        Tensor.floats(
                                new long[] {to, from, 3, 3},
                                normal(to * from * 9, Math.sqrt(2.0 / (9 * from)))));
        graph.initializers().put(name + ".bias", Tensor.floats(new long[] {to}, normal(to, 0.2)));
        return node("Conv", name, in, name + ".weight", name + ".bias")
                .with("pads", new long[] {1, 1, 1, 1});
    }

    void relu(String name, String in) {
        node("Relu", name, in);
    }

    /** A convolution named with {@code .conv} behind, and its rectifier. */
    String convRelu(String name, String in) {
        conv(name + ".conv", in);
        relu(name, name + ".conv");
        return name;
    }

    /** A convolution named with {@code .conv} behind, its sigmoid, and their product. */
    String convSilu(String name, String in) {
        conv(name + ".conv", in);
        node("Sigmoid", name + ".sigmoid", name + ".conv");
        node("Mul", name, name + ".conv", name + ".sigmoid");
        return name;
    }

    String concat(String name, String... in) {
        node("Concat", name, in).with("axis", 1);
        return name;
    }

    /** 5×5 with stride 1. */
    String maxPool(String name, String in) {
        node("MaxPool", name, in)
                .with("kernel_shape", new long[] {5, 5})
                .with("pads", new long[] {2, 2, 2, 2});
        return name;
    }

    /** Twice as large. */
    String resize(String name, String in) {
        graph.initializers().put(name + ".scales", Tensor.floats(new long[] {4}, 1, 1, 2, 2));
        node("Resize", name, in, "", name + ".scales")
                .with("mode", "nearest")
                .with("coordinate_transformation_mode", "asymmetric")
                .with("nearest_mode", "floor");
        return name;
    }

    /** Twice as large, {@link #CHANNELS} to as many. */
    String deconv(String name, String in) {
        graph.initializers()
                .put(
                        name + ".weight",
                        Tensor.floats(
                                new long[] {CHANNELS, CHANNELS, 2, 2},
                                normal(CHANNELS * CHANNELS * 4, 0.35)));
        node("ConvTranspose", name, in, name + ".weight").with("strides", new long[] {2, 2});
        return name;
    }

    /** Two halves of the channels, named 0 and 1. */
    void split(String name, String in) {
        graph.initializers().put(name + ".sizes", Tensor.longs(CHANNELS / 2, CHANNELS / 2));
        node("Split", name, in, name + ".sizes").with("axis", 1);
        Node split = graph.nodes().get(graph.nodes().size() - 1);
        split.outputs().set(0, name + "0");
        split.outputs().add(name + "1");
    }

    float[] normal(int size, double deviation) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }

    // ---- what goes through ----

    static List<Map<String, Value>> inputs(Graph graph) {
        List<Map<String, Value>> inputs = new ArrayList<>();
        for (int i = 0; i < PICTURES; i++) {
            inputs.add(TensorShapes.randomInputs(graph, 1, new Random(100 + i)));
        }
        return inputs;
    }

    /** Of all tensors that a plan may round, observed on {@link #inputs}. */
    static CalibrationTable observed(Graph graph) {
        TensorShapes shapes = TensorShapes.of(graph);
        List<String> tensors = Quantizer.tensors(graph).stream().filter(shapes::isFloat).toList();
        Map<String, Histogram> histograms = new TreeMap<>();
        tensors.forEach(tensor -> histograms.put(tensor, new Histogram()));
        String input = graph.inputs().get(0).name();
        if (graph.inputs().get(0).type() == ElementType.FLOAT) {
            histograms.put(input, new Histogram());
        }
        try (GraphSession session =
                GraphSession.open(
                        TensorShapes.exposing(graph, tensors).toBytes(),
                        SessionSettings.reference(1))) {
            for (Map<String, Value> picture : inputs(graph)) {
                if (histograms.containsKey(input)) {
                    histograms.get(input).add(picture.get(input).floats());
                }
                session.run(picture, (name, value) -> histograms.get(name).add(value.floats()));
            }
        }
        return new CalibrationTable("0".repeat(64), Map.of(), histograms);
    }

    /** That tensor on {@link #inputs}, one after the other. */
    static float[] values(Graph graph, String tensor, boolean optimised) {
        SessionSettings settings =
                optimised ? SessionSettings.serving(1) : SessionSettings.reference(1);
        float[] all = new float[0];
        try (GraphSession session =
                GraphSession.open(
                        TensorShapes.exposing(graph, List.of(tensor)).toBytes(), settings)) {
            for (Map<String, Value> picture : inputs(graph)) {
                FloatBuffer found = session.run(picture).get(tensor).floats();
                int from = all.length;
                all = Arrays.copyOf(all, from + found.limit());
                found.get(0, all, from, found.limit());
            }
        }
        return all;
    }

    static Agreement agreement(float[] truth, float[] values) {
        Agreement agreement = new Agreement();
        agreement.add(FloatBuffer.wrap(truth), FloatBuffer.wrap(values));
        return agreement;
    }
}

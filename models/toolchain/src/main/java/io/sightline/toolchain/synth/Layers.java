// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import java.util.List;
import java.util.Random;

/**
 * Adds layers with drawn constants to a graph. A node is named after its layer, its output {@code
 * <node>_out}, its constants {@code <node>.weight} and so on.
 */
final class Layers {

    private static final float EPSILON = 1e-3f;
    private static final double BIAS_DEVIATION = 0.1;

    private final Graph graph;
    private final Random random;

    Layers(Graph graph, Random random) {
        this.graph = graph;
        this.random = random;
    }

    Graph graph() {
        return graph;
    }

    /** One whose size is the input's over the stride; with a small drawn bias. */
    Features biasedConv(String name, Features in, int out, int kernel, int stride) {
        return conv(name, in, out, kernel, stride, 1, normal(out, 0, BIAS_DEVIATION));
    }

    /**
     * A 1×1 convolution to what is predicted.
     *
     * @param bias about which each channel's is drawn
     */
    Features prediction(String name, Features in, int out, double bias) {
        return conv(name, in, out, 1, 1, 1, normal(out, bias, BIAS_DEVIATION));
    }

    /** Without bias. */
    Features bareConv(String name, Features in, int out, int kernel, int stride, double gain) {
        return conv(name, in, out, kernel, stride, gain, null);
    }

    /** Without bias, then BatchNorm. */
    Features normalisedConv(
            String name, Features in, int out, int kernel, int stride, double gain) {
        return batchNorm(
                name + ".bn", conv(name + ".conv", in, out, kernel, stride, 1, null), gain);
    }

    private Features conv(
            String name, Features in, int out, int kernel, int stride, double gain, float[] bias) {
        // He et al., https://arxiv.org/abs/1502.01852, equation 10.
        double deviation = gain * Math.sqrt(2.0 / (in.channels() * kernel * kernel));
        Tensor weight =
                Tensor.floats(
                        new long[] {out, in.channels(), kernel, kernel},
                        normal(out * in.channels() * kernel * kernel, 0, deviation));
        Node node = node("Conv", name, in.tensor(), constant(name + ".weight", weight));
        if (bias != null) {
            node.inputs().add(constant(name + ".bias", Tensor.floats(new long[] {out}, bias)));
        }
        long pad = kernel / 2;
        node.with("kernel_shape", new long[] {kernel, kernel})
                .with("strides", new long[] {stride, stride})
                .with("pads", new long[] {pad, pad, pad, pad})
                .with("dilations", new long[] {1, 1})
                .with("group", 1);
        return new Features(node.output(), out);
    }

    /** A transposed convolution that doubles the size, with bias. */
    Features doubled(String name, Features in, int out) {
        // Strides equal to the kernel: each output sees one input pixel.
        double deviation = Math.sqrt(1.0 / in.channels());
        Node node =
                node(
                        "ConvTranspose",
                        name,
                        in.tensor(),
                        constant(
                                name + ".weight",
                                Tensor.floats(
                                        new long[] {in.channels(), out, 2, 2},
                                        normal(in.channels() * out * 4, 0, deviation))),
                        constant(
                                name + ".bias",
                                Tensor.floats(new long[] {out}, normal(out, 0, BIAS_DEVIATION))));
        node.with("kernel_shape", new long[] {2, 2}).with("strides", new long[] {2, 2});
        return new Features(node.output(), out);
    }

    /**
     * With statistics that a fusion has to get right.
     *
     * @param gain what its input's deviation is multiplied by, about
     */
    Features batchNorm(String name, Features in, double gain) {
        int channels = in.channels();
        float[] gamma = new float[channels];
        float[] beta = normal(channels, 0, BIAS_DEVIATION);
        float[] mean = normal(channels, 0, BIAS_DEVIATION);
        float[] variance = new float[channels];
        for (int c = 0; c < channels; c++) {
            variance[c] = 0.5f + 1.5f * random.nextFloat();
            double jitter = 0.7 + 0.6 * random.nextDouble();
            gamma[c] = (float) (gain * jitter * Math.sqrt(variance[c]));
        }
        Node node =
                node(
                        "BatchNormalization",
                        name,
                        in.tensor(),
                        vector(name + ".weight", gamma),
                        vector(name + ".bias", beta),
                        vector(name + ".running_mean", mean),
                        vector(name + ".running_var", variance));
        node.with("epsilon", EPSILON);
        return new Features(node.output(), channels);
    }

    Features add(String name, Features a, Features b) {
        return new Features(node("Add", name, a.tensor(), b.tensor()).output(), a.channels());
    }

    /** 3×3, of the same size, zeros around counted. */
    Features averagePool(String name, Features in) {
        Node node = node("AveragePool", name, in.tensor());
        node.with("kernel_shape", new long[] {3, 3})
                .with("strides", new long[] {1, 1})
                .with("pads", new long[] {1, 1, 1, 1})
                .with("count_include_pad", 1);
        return new Features(node.output(), in.channels());
    }

    /** 5×5, of the same size. */
    Features maxPool(String name, Features in) {
        Node node = node("MaxPool", name, in.tensor());
        node.with("kernel_shape", new long[] {5, 5})
                .with("strides", new long[] {1, 1})
                .with("pads", new long[] {2, 2, 2, 2});
        return new Features(node.output(), in.channels());
    }

    /** Along the channels. */
    Features concat(String name, Features... parts) {
        Node node = node("Concat", name);
        int channels = 0;
        for (Features part : parts) {
            node.inputs().add(part.tensor());
            channels += part.channels();
        }
        node.with("axis", 1);
        return new Features(node.output(), channels);
    }

    /** A drawn scalar between 0.2 and 0.5 times the tensor. */
    Features scaled(String name, Features in) {
        Tensor alpha = Tensor.floats(new long[] {1}, 0.2f + 0.3f * random.nextFloat());
        return new Features(
                node("Mul", name, in.tensor(), constant(name + ".alpha", alpha)).output(),
                in.channels());
    }

    Features activate(String name, Features in, Activation activation) {
        String tensor =
                switch (activation) {
                    case NONE -> in.tensor();
                    case RELU -> node("Relu", name + ".relu", in.tensor()).output();
                    case SIGMOID -> node("Sigmoid", name + ".sigmoid", in.tensor()).output();
                    case SILU ->
                            node(
                                            "Mul",
                                            name + ".silu",
                                            in.tensor(),
                                            node("Sigmoid", name + ".sigmoid", in.tensor())
                                                    .output())
                                    .output();
                };
        return new Features(tensor, in.channels());
    }

    /** Any node; its output is {@code <name>_out}. */
    Node node(String opType, String name, String... inputs) {
        return graph.add(opType, name, List.of(inputs), name + "_out");
    }

    String constant(String name, Tensor value) {
        return graph.addConstant(name, value);
    }

    private String vector(String name, float[] values) {
        return constant(name, Tensor.floats(new long[] {values.length}, values));
    }

    private float[] normal(int count, double mean, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return values;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import java.util.Arrays;
import java.util.Optional;

/** A Conv or ConvTranspose whose weights and bias are float32 constants, to be rewritten. */
final class Convolution {

    private final Graph graph;
    private final Node node;
    private final boolean transposed;
    private final int group;

    private Convolution(Graph graph, Node node) {
        this.graph = graph;
        this.node = node;
        transposed = node.is("ConvTranspose");
        group = (int) node.longAttribute("group", 1);
    }

    static boolean isOne(Node node) {
        return node.is("Conv") || node.is("ConvTranspose");
    }

    /** Why its weights cannot be rewritten; empty where they can. */
    static Optional<String> unfit(Graph graph, Node node) {
        Tensor weight = graph.constant(node.input(1));
        if (weight == null || weight.type() != ElementType.FLOAT) {
            return Optional.of("the weights of " + node + " are not float32 constants");
        }
        if (!node.input(2).isEmpty()) {
            Tensor bias = graph.constant(node.input(2));
            if (bias == null || bias.type() != ElementType.FLOAT) {
                return Optional.of("the bias of " + node + " is no float32 constant");
            }
        }
        return Optional.empty();
    }

    /** To be asked for only where {@link #unfit} finds nothing. */
    static Convolution of(Graph graph, Node node) {
        return new Convolution(graph, node);
    }

    Node node() {
        return node;
    }

    Tensor weight() {
        return graph.constant(node.input(1));
    }

    /** Zeros where it has none. */
    double[] bias() {
        double[] bias = new double[outputs()];
        if (!node.input(2).isEmpty()) {
            float[] values = graph.constant(node.input(2)).toFloats();
            for (int o = 0; o < bias.length; o++) {
                bias[o] = values[o];
            }
        }
        return bias;
    }

    int group() {
        return group;
    }

    /** Channels that come out. */
    int outputs() {
        return (int) (transposed ? weight().dim(1) * group : weight().dim(0));
    }

    /** Channels that go in. */
    int inputs() {
        return (int) (transposed ? weight().dim(0) : weight().dim(1) * group);
    }

    boolean isPadded() {
        String auto = node.stringAttribute("auto_pad", "NOTSET");
        return auto.startsWith("SAME")
                || (auto.equals("NOTSET")
                        && Arrays.stream(node.longsAttribute("pads")).anyMatch(pad -> pad != 0));
    }

    /** Makes it compute what it computed and then the affine. */
    void then(Affine affine) {
        Tensor old = weight();
        float[] weights = old.toFloats();
        int kernel = kernelSize(old);
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) (weights[i] * affine.scale()[outputOf(old, i, kernel)]);
        }
        double[] bias = bias();
        for (int o = 0; o < bias.length; o++) {
            bias[o] = bias[o] * affine.scale()[o] + affine.shift()[o];
        }
        set(Tensor.floats(old.dims(), weights), bias);
    }

    /** Makes a Conv take what the affine took; exact without padding, or without shift. */
    void after(Affine affine) {
        Tensor old = weight();
        float[] weights = old.toFloats();
        int kernel = kernelSize(old);
        double[] bias = bias();
        for (int i = 0; i < weights.length; i++) {
            int in = inputOf(old, i, kernel);
            if (!transposed) {
                bias[outputOf(old, i, kernel)] += weights[i] * affine.shift()[in];
            }
            weights[i] = (float) (weights[i] * affine.scale()[in]);
        }
        set(Tensor.floats(old.dims(), weights), bias);
    }

    private static int kernelSize(Tensor weight) {
        return (int) (weight.size() / (weight.dim(0) * weight.dim(1)));
    }

    private int outputOf(Tensor weight, int index, int kernel) {
        int second = (int) weight.dim(1);
        int first = index / (kernel * second);
        if (!transposed) {
            return first;
        }
        int groupOfInput = (int) (first / (weight.dim(0) / group));
        return groupOfInput * second + index / kernel % second;
    }

    private int inputOf(Tensor weight, int index, int kernel) {
        int second = (int) weight.dim(1);
        int first = index / (kernel * second);
        if (transposed) {
            return first;
        }
        int groupOfOutput = (int) (first / (weight.dim(0) / group));
        return groupOfOutput * second + index / kernel % second;
    }

    /** Gives it these constants under the names it has, or new ones where others use those too. */
    void set(Tensor weight, double[] bias) {
        put(1, "weight", weight);
        if (node.input(2).isEmpty() && Arrays.stream(bias).allMatch(value -> value == 0)) {
            return;
        }
        float[] values = new float[bias.length];
        for (int o = 0; o < values.length; o++) {
            values[o] = (float) bias[o];
        }
        put(2, "bias", Tensor.floats(new long[] {values.length}, values));
    }

    private void put(int index, String what, Tensor value) {
        String name = node.input(index);
        if (!name.isEmpty() && graph.soleConsumer(name).isPresent()) {
            graph.initializers().put(name, value);
            return;
        }
        String own = graph.addConstant(node.name() + "." + what, value);
        if (index < node.inputs().size()) {
            node.inputs().set(index, own);
        } else {
            node.inputs().add(own);
        }
    }
}

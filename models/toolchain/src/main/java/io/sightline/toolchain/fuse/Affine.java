// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import java.util.Arrays;
import java.util.Optional;

/**
 * Per channel: scale · x + shift.
 *
 * @param scale one a channel
 * @param shift one a channel
 */
record Affine(double[] scale, double[] shift) {

    private static final float DEFAULT_EPSILON = 1e-5f;

    /** Why a BatchNormalization is no constant scale and shift; empty where it is. */
    static Optional<String> unfit(Graph graph, Node norm) {
        if (norm.longAttribute("training_mode", 0) != 0
                || norm.outputs().stream().filter(output -> !output.isEmpty()).count() > 1) {
            return Optional.of("it is in training mode");
        }
        for (int i = 1; i <= 4; i++) {
            Tensor constant = graph.constant(norm.input(i));
            if (constant == null || constant.type() != ElementType.FLOAT) {
                return Optional.of("its statistics are not float32 constants");
            }
        }
        return Optional.empty();
    }

    /** scale = γ / √(σ² + ε), shift = β − μ · scale. */
    static Affine ofBatchNorm(Graph graph, Node norm) {
        float[] gamma = graph.constant(norm.input(1)).toFloats();
        float[] beta = graph.constant(norm.input(2)).toFloats();
        float[] mean = graph.constant(norm.input(3)).toFloats();
        float[] variance = graph.constant(norm.input(4)).toFloats();
        double epsilon = norm.floatAttribute("epsilon", DEFAULT_EPSILON);
        double[] scale = new double[gamma.length];
        double[] shift = new double[gamma.length];
        for (int c = 0; c < gamma.length; c++) {
            scale[c] = gamma[c] / Math.sqrt(variance[c] + epsilon);
            shift[c] = beta[c] - mean[c] * scale[c];
        }
        return new Affine(scale, shift);
    }

    static Affine scaling(double[] scale) {
        return new Affine(scale, new double[scale.length]);
    }

    static Affine shifting(double[] shift) {
        double[] scale = new double[shift.length];
        Arrays.fill(scale, 1);
        return new Affine(scale, shift);
    }

    int channels() {
        return scale.length;
    }

    boolean shifts() {
        return Arrays.stream(shift).anyMatch(value -> value != 0);
    }

    boolean isFinite() {
        return Arrays.stream(scale).allMatch(Double::isFinite)
                && Arrays.stream(shift).allMatch(Double::isFinite);
    }

    /**
     * A float constant that is combined with maps [batch, channels, …], one value a channel; empty
     * where it differs within a channel or widens the maps.
     */
    static Optional<double[]> perChannel(Tensor constant, int channels, int rank) {
        if (constant.type() != ElementType.FLOAT || constant.rank() > rank) {
            return Optional.empty();
        }
        for (int axis = 0; axis < constant.rank(); axis++) {
            boolean channelAxis = axis == constant.rank() - rank + 1;
            if (constant.dim(axis) != 1 && !(channelAxis && constant.dim(axis) == channels)) {
                return Optional.empty();
            }
        }
        float[] values = constant.toFloats();
        double[] each = new double[channels];
        for (int c = 0; c < channels; c++) {
            each[c] = values[values.length == 1 ? 0 : c];
        }
        return Optional.of(each);
    }
}

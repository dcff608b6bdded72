// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.inference.onnxruntime.GraphSession.Value;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * How far two tensors of one shape are apart. Boxes and scores often share a tensor, and an error
 * that is nothing to a box of 600 pixels is everything to a score: so each channel is measured
 * against its own largest value. Channels are the shorter of the axes behind the batch. Where even
 * the largest value is below a hundredth, it is measured against that: a sigmoid in float32 is
 * exact to about 1e-7 only, and noise gives no score that is larger.
 *
 * @param relative largest distance of two values over the largest value of their channel
 * @param where the values that are furthest apart
 */
record Difference(double relative, String where) {

    private static final float SMALLEST = 0.01f;
    private static final Difference NONE = new Difference(0, "");

    static Difference between(Value expected, Value found) {
        if (!Arrays.equals(expected.shape(), found.shape())) {
            return new Difference(
                    Double.POSITIVE_INFINITY,
                    "shape %s, expected %s"
                            .formatted(
                                    Arrays.toString(found.shape()),
                                    Arrays.toString(expected.shape())));
        }
        return expected.floats() != null
                ? ofFloats(expected.shape(), expected.floats(), found.floats())
                : ofIntegers(expected, found);
    }

    private static Difference ofIntegers(Value expected, Value found) {
        boolean same =
                expected.longs() != null
                        ? expected.longs().rewind().equals(found.longs().rewind())
                        : expected.bytes().rewind().equals(found.bytes().rewind());
        return same ? NONE : new Difference(Double.POSITIVE_INFINITY, "integers differ");
    }

    private static Difference ofFloats(long[] shape, FloatBuffer expected, FloatBuffer found) {
        int axis = channelAxis(shape);
        int channels = axis < 0 ? 1 : (int) shape[axis];
        int stride = 1;
        for (int i = axis + 1; axis >= 0 && i < shape.length; i++) {
            stride *= (int) shape[i];
        }
        float[] largest = new float[channels];
        float[] distance = new float[channels];
        int[] place = new int[channels];
        for (int i = 0; i < expected.limit(); i++) {
            float a = expected.get(i);
            float b = found.get(i);
            int channel = i / stride % channels;
            largest[channel] = Math.max(largest[channel], Math.abs(a));
            float apart = Float.compare(a, b) == 0 ? 0 : Math.abs(a - b);
            // Written so that NaN counts.
            if (!(apart <= distance[channel])) {
                distance[channel] = Float.isNaN(apart) ? Float.POSITIVE_INFINITY : apart;
                place[channel] = i;
            }
        }
        Difference worst = NONE;
        for (int channel = 0; channel < channels; channel++) {
            double relative =
                    distance[channel] == 0
                            ? 0
                            : distance[channel] / Math.max(largest[channel], SMALLEST);
            if (relative > worst.relative) {
                int i = place[channel];
                worst =
                        new Difference(
                                relative,
                                "%s instead of %s at element %d of %s"
                                        .formatted(
                                                found.get(i),
                                                expected.get(i),
                                                i,
                                                Arrays.toString(shape)));
            }
        }
        return worst;
    }

    /** Negative where there is none. */
    private static int channelAxis(long[] shape) {
        int axis = -1;
        for (int i = 1; i < shape.length; i++) {
            if (axis < 0 || shape[i] < shape[axis]) {
                axis = i;
            }
        }
        return axis;
    }

    Difference or(Difference other) {
        return other.relative > relative ? other : this;
    }
}

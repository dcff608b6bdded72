// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import java.nio.FloatBuffer;

/** How well values agree with the true ones, gathered over any number of tensors. */
final class Agreement {

    private long count;
    private double noise;
    private double signal;
    private double product;
    private double power;

    /** Both from index 0 to the limit of the first. */
    void add(FloatBuffer truth, FloatBuffer values) {
        int size = truth.limit();
        if (values.limit() != size) {
            throw new IllegalArgumentException(size + " true values, " + values.limit());
        }
        for (int i = 0; i < size; i++) {
            double t = truth.get(i);
            double v = values.get(i);
            noise += (t - v) * (t - v);
            signal += t * t;
            power += v * v;
            product += t * v;
        }
        count += size;
    }

    /** Mean squared error. */
    double mse() {
        return count == 0 ? 0 : noise / count;
    }

    /** Signal power to noise power, dB; infinite where there is no noise. */
    double snr() {
        return noise == 0 ? Double.POSITIVE_INFINITY : 10 * Math.log10(signal / noise);
    }

    /** Cosine of the angle between the two; 1 where both are zero, 0 where one is. */
    double cosine() {
        if (power == 0 || signal == 0) {
            return power == signal ? 1 : 0;
        }
        return product / Math.sqrt(signal) / Math.sqrt(power);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

/**
 * What makes a quantised convolution agree with the float one on average: output' = scale · output
 * + shift, for each output channel.
 *
 * @param scale positive, one a channel
 * @param shift one a channel
 */
record ChannelCorrection(float[] scale, float[] shift) {

    ChannelCorrection {
        if (scale.length != shift.length) {
            throw new IllegalArgumentException(scale.length + " scales, " + shift.length);
        }
    }
}

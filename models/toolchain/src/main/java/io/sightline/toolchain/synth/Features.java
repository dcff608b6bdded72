// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

/**
 * Feature maps on their way through a network.
 *
 * @param tensor name of the tensor [1, channels, height, width]
 */
record Features(String tensor, int channels) {}

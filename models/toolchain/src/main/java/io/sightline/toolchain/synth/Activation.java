// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

/** What follows a convolution. */
enum Activation {
    NONE,
    RELU,
    SILU,
    SIGMOID
}

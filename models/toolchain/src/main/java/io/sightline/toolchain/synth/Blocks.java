// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

/** Writes a network's convolutions, without the activation behind them. */
interface Blocks {

    /** A convolution that is one in every form; its BatchNorm where the form has them. */
    Features plain(Layers layers, String name, Features in, int out, int kernel, int stride);

    /** What is one 3×3 convolution at inference, however it was trained. */
    Features rep(Layers layers, String name, Features in, int out, int stride);
}

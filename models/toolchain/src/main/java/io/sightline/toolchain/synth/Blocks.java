// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

/** Writes a network's convolutions, without the activation behind them. */
interface Blocks {

    /** A convolution that is one in every form, with its BatchNorm: training keeps them apart. */
    default Features plain(
            Layers layers, String name, Features in, int out, int kernel, int stride) {
        return layers.normalisedConv(name, in, out, kernel, stride, 1);
    }

    /** What is one 3×3 convolution at inference, however it was trained. */
    Features rep(Layers layers, String name, Features in, int out, int stride);
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

/** Convolutions with bias, as exports for inference have them. */
final class FusedBlocks implements Blocks {

    @Override
    public Features plain(
            Layers layers, String name, Features in, int out, int kernel, int stride) {
        return layers.biasedConv(name, in, out, kernel, stride);
    }

    @Override
    public Features rep(Layers layers, String name, Features in, int out, int stride) {
        return layers.biasedConv(name, in, out, 3, stride);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

/**
 * RepVGG: BN(3×3) + BN(1×1) + BN(identity), the last where nothing changes size
 * (https://arxiv.org/abs/2101.03697, section 3.3).
 */
final class RepVggBlocks implements Blocks {

    /** What the branches give together keeps about the scale of their input. */
    private static final double DENSE_GAIN = 0.8;

    private static final double POINTWISE_GAIN = 0.4;
    private static final double IDENTITY_GAIN = 0.25;

    @Override
    public Features rep(Layers layers, String name, Features in, int out, int stride) {
        Features sum =
                layers.add(
                        name + ".sum",
                        layers.normalisedConv(name + ".dense", in, out, 3, stride, DENSE_GAIN),
                        layers.normalisedConv(name + ".1x1", in, out, 1, stride, POINTWISE_GAIN));
        if (in.channels() != out || stride != 1) {
            return sum;
        }
        return layers.add(
                name + ".sum_identity",
                sum,
                layers.batchNorm(name + ".identity.bn", in, IDENTITY_GAIN));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

/**
 * QARepVGG: BN(BN(3×3) + 1×1 + identity), in its second version with 3×3 average pooling beside the
 * identity (https://arxiv.org/abs/2212.01593, section 4).
 */
final class QaRepVggBlocks implements Blocks {

    private static final double DENSE_GAIN = 0.8;
    private static final double POINTWISE_GAIN = 0.5;

    /** Of the last BatchNorm: the branches that carry the input itself add to the scale. */
    private static final double SUM_GAIN = 1;

    private static final double SUM_GAIN_WITH_IDENTITY = 0.65;
    private static final double SUM_GAIN_WITH_POOL = 0.45;

    private final boolean pool;

    QaRepVggBlocks(boolean pool) {
        this.pool = pool;
    }

    @Override
    public Features rep(Layers layers, String name, Features in, int out, int stride) {
        Features sum =
                layers.add(
                        name + ".sum",
                        layers.normalisedConv(name + ".dense", in, out, 3, stride, DENSE_GAIN),
                        layers.bareConv(name + ".1x1", in, out, 1, stride, POINTWISE_GAIN));
        double gain = SUM_GAIN;
        if (in.channels() == out && stride == 1) {
            sum = layers.add(name + ".sum_identity", sum, in);
            gain = SUM_GAIN_WITH_IDENTITY;
            if (pool) {
                sum = layers.add(name + ".sum_avg", sum, layers.averagePool(name + ".avg", in));
                gain = SUM_GAIN_WITH_POOL;
            }
        }
        return layers.batchNorm(name + ".bn", sum, gain);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

/** How a network's convolutions stand in the graph. */
public enum BlockForm {
    /** As exported for inference: convolutions with bias. */
    INFERENCE,
    /** As trained: BatchNorm everywhere, 3×3 blocks as RepVGG's three normalised branches. */
    REPVGG,
    /** As trained: 3×3 blocks as QARepVGG's branches under one more BatchNorm. */
    QAREPVGG,
    /** As {@link #QAREPVGG}, with an average-pooling branch wherever there is an identity. */
    QAREPVGG_V2;

    Blocks blocks() {
        return switch (this) {
            case INFERENCE -> new FusedBlocks();
            case REPVGG -> new RepVggBlocks();
            case QAREPVGG -> new QaRepVggBlocks(false);
            case QAREPVGG_V2 -> new QaRepVggBlocks(true);
        };
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.toolchain.Target;
import java.util.OptionalInt;

/**
 * What a prepared model is for.
 *
 * @param target the engine
 * @param batch frames of a run; empty for any number
 * @param topK rows of the compact output, 1 to {@value #MAX_TOP_K}; empty to leave the predictions
 *     as they are
 */
public record PrepareSettings(Target target, OptionalInt batch, OptionalInt topK) {

    /** TensorRT's TopK gives no more. */
    public static final int MAX_TOP_K = 3840;

    /** Loses nothing in mean average precision on the models measured. */
    private static final int DEFAULT_TOP_K = 1000;

    public PrepareSettings {
        if (batch.isPresent() && batch.getAsInt() < 1) {
            throw new IllegalArgumentException(
                    "batch " + batch.getAsInt() + ": expected 1 or more, or symbolic");
        }
        if (topK.isPresent() && (topK.getAsInt() < 1 || topK.getAsInt() > MAX_TOP_K)) {
            throw new IllegalArgumentException(
                    "top K %d: expected 1 to %d, or 0 for none"
                            .formatted(topK.getAsInt(), MAX_TOP_K));
        }
    }

    /**
     * Any number of frames. TensorRT's output is compact, because what it gives is moved from the
     * GPU; ONNX Runtime's is not: there choosing the best costs more than reading all of them where
     * they lie.
     */
    public static PrepareSettings of(Target target) {
        return new PrepareSettings(
                target,
                OptionalInt.empty(),
                target == Target.TENSORRT ? OptionalInt.of(DEFAULT_TOP_K) : OptionalInt.empty());
    }
}

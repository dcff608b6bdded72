// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelFile;
import java.util.Locale;

/** In what an engine computes. */
public enum Precision {
    /** float32 throughout. */
    FP32,
    /** float16 where that is faster. */
    FP16,
    /** int8 where the graph has Q/DQ pairs, float16 elsewhere. */
    INT8;

    /** As an event's {@code model.precision} and {@code --precision} have it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * What a model is run in.
     *
     * @param wanted null where the user leaves it open: int8 for a quantised model, else fp16
     * @throws InferenceException if the model is quantised for another engine, or is not quantised
     *     as {@code wanted} needs it
     */
    static Precision of(ModelFile model, Precision wanted) {
        boolean quantised = model.precision().equals(INT8.label());
        if (!model.target().orElse(TensorRtBackend.NAME).equals(TensorRtBackend.NAME)) {
            throw new InferenceException(
                    "model %s: is %s for %s, which TensorRT cannot take: use the file that was written for %s beside it, or run ./sightline model %s --target tensorrt on the float model"
                            .formatted(
                                    model.path(),
                                    quantised ? "quantised" : "prepared",
                                    model.target().get(),
                                    TensorRtBackend.NAME,
                                    quantised ? "quantize" : "prepare"));
        }
        if (wanted == INT8 && !quantised) {
            throw new InferenceException(
                    "model %s: has no Q/DQ pairs to compute in int8 by: run ./sightline model quantize --target tensorrt on it, or use --precision fp16"
                            .formatted(model.path()));
        }
        if (wanted != null && wanted != INT8 && quantised) {
            throw new InferenceException(
                    "model %s: is quantised, which leaves no choice of precision: use --precision int8, or the float model for %s"
                            .formatted(model.path(), wanted.label()));
        }
        return quantised ? INT8 : wanted == null ? FP16 : wanted;
    }
}

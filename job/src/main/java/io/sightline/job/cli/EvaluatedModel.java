// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.ModelSpec;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.EvaluationSettings;
import java.nio.file.Path;

/**
 * A row of what {@code evaluate} prints.
 *
 * @param backend that ran it: onnxruntime or tensorrt
 * @param spec with the border that was used
 */
record EvaluatedModel(
        Path file,
        String backend,
        ModelSpec spec,
        EvaluationSettings settings,
        Evaluation evaluation) {}

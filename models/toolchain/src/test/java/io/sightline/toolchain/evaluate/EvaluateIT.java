// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.testing.SharedFiles;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackendFactory;
import io.sightline.toolchain.Progress;
import io.sightline.vision.Interpolation;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Real detectors on 173 images of COCO, against what an independent evaluator found for the same
 * files. Its letterbox rounds the resized size where ours truncates.
 */
class EvaluateIT {

    private static final double TOLERANCE = 0.005;

    @ParameterizedTest
    @CsvSource({
        "yolov6-lite-s-320,          0.2955, 0.4231",
        "yolov6-lite-l-320,          0.3470, 0.4855",
        "yolov6-lite-l-640,          0.3557, 0.5275",
        "yolov5n-640,                0.3328, 0.5099",
        "yolov10n-640-dynamic-int8,  0.4276, 0.5812"
    })
    void shouldAgreeWithAnIndependentEvaluator(String model, double map, double map50) {
        Path file = SharedFiles.require("models/" + model + ".onnx");
        LabelledImages images = LabelledImages.read(SharedFiles.require("data/coco-val-dev"));
        assertThat(images.size()).isEqualTo(173);
        assertThat(images.classes()).isEqualTo(78);
        List<InferenceBackend> lanes =
                new OnnxRuntimeBackendFactory(file.toString(), null, 0, null, 1)
                        .open(Runtime.getRuntime().availableProcessors());
        Evaluation evaluation;
        try {
            evaluation =
                    new Evaluator(
                                    images,
                                    EvaluationSettings.standard(Interpolation.LINEAR),
                                    Progress.SILENT)
                            .evaluate(lanes);
        } finally {
            lanes.forEach(InferenceBackend::close);
        }
        System.out.printf(
                Locale.ROOT,
                "%s: mAP %.4f (independent: %.4f), at 0.50 %.4f (%.4f)%n",
                model,
                evaluation.map(),
                map,
                evaluation.map50(),
                map50);
        assertThat(evaluation.map()).isCloseTo(map, within(TOLERANCE));
        assertThat(evaluation.map50()).isCloseTo(map50, within(TOLERANCE));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.events.FrameRejectedException;
import io.sightline.inference.InferenceBackend;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.ToolchainException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Evaluates detectors on the same labelled images, through what the job does with a frame. */
public final class Evaluator {

    private final LabelledImages images;
    private final EvaluationSettings settings;
    private final Progress progress;

    /**
     * @throws ToolchainException if the images hold no object: nothing could be found in them
     */
    public Evaluator(LabelledImages images, EvaluationSettings settings, Progress progress) {
        if (images.objects() == 0) {
            throw new ToolchainException(
                    "the labels of %d images hold no object: expected at least one"
                            .formatted(images.size()));
        }
        this.images = images;
        this.settings = settings;
        this.progress = progress;
    }

    /**
     * @param backend stays the caller's
     * @throws ToolchainException if a picture cannot be read, or the labels do not fit the model or
     *     the pictures
     */
    public Evaluation evaluate(InferenceBackend backend) {
        List<String> labels = backend.spec().labels();
        List<LabelledImage> toDo = images.withClassesOf(labels).images();
        MeanAveragePrecision map = new MeanAveragePrecision(settings.maxDetections());
        String what = "evaluating " + backend.spec().name();
        try (PictureDetector detector =
                new PictureDetector(backend, settings.interpolation(), settings.nms())) {
            for (int i = 0; i < toDo.size(); i++) {
                LabelledImage image = toDo.get(i);
                PictureDetector.Result found = detect(detector, image.file());
                map.add(image.file(), image.truth(found.width(), found.height()), found.objects());
                progress.step(what, i + 1, toDo.size());
            }
        }
        return map.evaluation(labels);
    }

    private static PictureDetector.Result detect(PictureDetector detector, Path file) {
        try {
            return detector.detect(Files.readAllBytes(file));
        } catch (FrameRejectedException e) {
            throw new ToolchainException(file + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new ToolchainException(file + ": cannot be read: " + e, e);
        }
    }
}

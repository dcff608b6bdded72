// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.FrameRejectedException;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelSpec;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.ToolchainException;
import io.sightline.vision.Interpolation;
import io.sightline.vision.NmsSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;

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

    /** As {@link #evaluate(List)}, with one lane. */
    public Evaluation evaluate(InferenceBackend backend) {
        return evaluate(List.of(backend));
    }

    /**
     * @param lanes one network, opened once or several times: each looks at its share of the images
     *     on a thread of its own. They stay the caller's
     * @throws ToolchainException if a picture cannot be read, or the labels do not fit the model or
     *     the pictures
     * @throws InferenceException if the engine fails
     */
    public Evaluation evaluate(List<InferenceBackend> lanes) {
        ModelSpec spec = lanes.get(0).spec();
        List<LabelledImage> toDo = images.withClassesOf(spec.labels()).images();
        PictureDetector.Result[] found = new PictureDetector.Result[toDo.size()];
        AtomicInteger next = new AtomicInteger();
        Steps steps = new Steps(progress, "evaluating " + spec.name(), found.length);
        CompletableFuture<?>[] running = new CompletableFuture<?>[lanes.size()];
        for (int i = 0; i < running.length; i++) {
            InferenceBackend lane = lanes.get(i);
            running[i] =
                    CompletableFuture.runAsync(
                            () -> look(lane, toDo, found, next, steps),
                            task -> new Thread(task, "evaluator").start());
        }
        try {
            // Waits for every lane, also where one fails: the caller closes them next.
            CompletableFuture.allOf(running).join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw e;
        }
        MeanAveragePrecision map = new MeanAveragePrecision(settings.maxDetections());
        for (int i = 0; i < found.length; i++) {
            LabelledImage image = toDo.get(i);
            map.add(
                    image.file(),
                    image.truth(found[i].width(), found[i].height()),
                    found[i].objects());
        }
        return map.evaluation(spec.labels());
    }

    /**
     * The same pictures labelled by what a model finds in them: what another one finds can be held
     * against that, whether the model is right or not.
     *
     * @param nms which of its detections count
     * @throws ToolchainException if a picture cannot be read
     */
    public static LabelledImages findings(
            InferenceBackend backend,
            LabelledImages images,
            Interpolation interpolation,
            NmsSettings nms) {
        List<LabelledImage> labelled = new ArrayList<>();
        try (PictureDetector detector = new PictureDetector(backend, interpolation, nms)) {
            for (LabelledImage image : images.images()) {
                PictureDetector.Result found = detect(detector, image.file());
                List<GroundTruth> truths = new ArrayList<>();
                for (DetectedObject object : found.objects()) {
                    Box box = Box.of(object.bbox());
                    truths.add(new GroundTruth(object.classId(), box, box.area(), false));
                }
                labelled.add(
                        new LabelledImage(image.file(), found.width(), found.height(), truths));
            }
        }
        return new LabelledImages(labelled, Optional.empty(), "");
    }

    /** Looks at images until there are none left. */
    private void look(
            InferenceBackend lane,
            List<LabelledImage> toDo,
            PictureDetector.Result[] found,
            AtomicInteger next,
            Steps steps) {
        try (PictureDetector detector =
                new PictureDetector(lane, settings.interpolation(), settings.nms())) {
            for (int i = next.getAndIncrement(); i < found.length; i = next.getAndIncrement()) {
                found[i] = detect(detector, toDo.get(i).file());
                steps.done();
            }
        } finally {
            // After a failure the other lanes need not go on.
            next.set(found.length);
        }
    }

    /** Counts what several threads do. */
    private static final class Steps {
        private final Progress progress;
        private final String what;
        private final int total;
        private int done;

        private Steps(Progress progress, String what, int total) {
            this.progress = progress;
            this.what = what;
            this.total = total;
        }

        private synchronized void done() {
            progress.step(what, ++done, total);
        }
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

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.camera.simulated.FrameTruth;
import io.sightline.camera.simulated.ObjectClass;
import io.sightline.camera.simulated.TrueObject;
import io.sightline.camera.simulated.TruthSink;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.inference.ModelSpec;
import io.sightline.toolchain.evaluate.Box;
import io.sightline.vision.LetterboxGeometry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Scores events against what is known to be in their frames. For any number of threads.
 *
 * <p>The detections of a frame, by falling confidence, each take the free object of their class
 * that they overlap most, if by an IoU of at least 0.5. One that takes none is wrong, unless at
 * least half of it lies on an object that does not count ({@link TrueObject#counts}), of whatever
 * class: then it is neither right nor wrong. Classes go by their names; what is of a class that the
 * model does not know does not count, and neither do detections of further classes of the model's.
 *
 * <p>Average precision is COCO's (precision, made monotone, read at 101 recalls), of all detections
 * there are; so these should go down to a low score. Precision and recall are of those above the
 * confidence that an operator sees. Scores are kept to three digits: memory does not grow with the
 * number of frames.
 */
final class Scoring implements TruthSink {

    private static final double OVERLAP = 0.5;
    private static final int STEPS = 1_000;
    private static final int RECALL_STEPS = 100;

    private final ModelSpec spec;
    private final float confidence;
    private final Map<Frame, FrameTruth> unanswered = new HashMap<>();

    /** By label, in the order of {@link ObjectClass}. */
    private final Map<String, Tally> tallies = new LinkedHashMap<>();

    private boolean scored;

    private record Frame(String camera, long epoch, long seq) {}

    /**
     * @param spec of the model that detects
     * @param confidence an operator sees what is above it
     */
    Scoring(ModelSpec spec, float confidence) {
        this.spec = spec;
        this.confidence = confidence;
        for (ObjectClass known : ObjectClass.values()) {
            if (spec.labels().contains(known.label())) {
                tallies.put(known.label(), new Tally());
            }
        }
    }

    @Override
    public synchronized void accept(FrameTruth truth) {
        unanswered.put(new Frame(truth.cameraId(), truth.epoch(), truth.seq()), truth);
    }

    /** Events of frames whose truth is not known, or that were scored before, are left out. */
    synchronized void add(DetectionEvent event) {
        if (event.seq() == null) {
            return;
        }
        FrameTruth truth =
                unanswered.remove(new Frame(event.cameraId(), event.epoch(), event.seq()));
        if (truth != null) {
            add(truth, event.objects());
        }
    }

    synchronized void add(FrameTruth frame, List<DetectedObject> detections) {
        scored = true;
        double scale = scale(frame);
        Map<String, List<Box>> free = new HashMap<>();
        List<Box> ignored = new ArrayList<>();
        for (TrueObject object : frame.objects()) {
            Box box = new Box(object.x1(), object.y1(), object.x2(), object.y2());
            String label = object.objectClass().label();
            if (tallies.containsKey(label) && object.counts(scale)) {
                tallies.get(label).objects++;
                free.computeIfAbsent(label, any -> new ArrayList<>()).add(box);
            } else {
                ignored.add(box);
            }
        }
        for (DetectedObject detection : detections) {
            Tally tally = tallies.get(detection.label());
            if (tally == null) {
                continue;
            }
            Box box = Box.of(detection.bbox());
            boolean right = take(box, free.getOrDefault(detection.label(), List.of()));
            if (right || ignored.stream().noneMatch(one -> box.coveredBy(one) >= OVERLAP)) {
                tally.count(detection.confidence(), right, detection.confidence() > confidence);
            }
        }
    }

    /** Pixels of the network's input per pixel of the picture. */
    private double scale(FrameTruth frame) {
        LetterboxGeometry geometry =
                LetterboxGeometry.of(
                        frame.width(),
                        frame.height(),
                        spec.inputWidth(),
                        spec.inputHeight(),
                        spec.border());
        return geometry.resizedHeight() / (double) frame.height();
    }

    /** Whether there was an object to take; it is free no more. */
    private static boolean take(Box detection, List<Box> free) {
        Box best = null;
        double largest = OVERLAP;
        for (Box object : free) {
            double overlap = detection.iou(object);
            if (overlap >= largest) {
                largest = overlap;
                best = object;
            }
        }
        return best != null && free.remove(best);
    }

    /** Whether the model and the truth have a class in common. */
    boolean possible() {
        return !tallies.isEmpty();
    }

    /** Empty where it is not {@link #possible}, or no event of a frame with known truth came. */
    synchronized Optional<Score> score() {
        if (!scored || !possible()) {
            return Optional.empty();
        }
        Tally all = new Tally();
        List<Score.OfClass> classes = new ArrayList<>();
        tallies.forEach(
                (label, tally) -> {
                    all.objects += tally.objects;
                    all.shown += tally.shown;
                    all.shownRight += tally.shownRight;
                    if (tally.objects > 0) {
                        classes.add(tally.score(label));
                    }
                });
        double map50 =
                classes.stream()
                        .mapToDouble(Score.OfClass::averagePrecision)
                        .average()
                        .orElse(Double.NaN);
        return Optional.of(
                new Score(map50, confidence, all.precision(), all.recall(), all.objects, classes));
    }

    /** What was detected of one class. */
    private static final class Tally {

        /** By score, in steps: detections that are right, and that are wrong. */
        private final long[] right = new long[STEPS];

        private final long[] wrong = new long[STEPS];

        private long objects;
        private long shown;
        private long shownRight;

        private void count(double score, boolean isRight, boolean isShown) {
            int step = Math.min(STEPS - 1, (int) (score * STEPS));
            (isRight ? right : wrong)[step]++;
            if (isShown) {
                shown++;
                shownRight += isRight ? 1 : 0;
            }
        }

        private double precision() {
            return shown == 0 ? Double.NaN : shownRight / (double) shown;
        }

        private double recall() {
            return objects == 0 ? Double.NaN : shownRight / (double) objects;
        }

        private Score.OfClass score(String label) {
            return new Score.OfClass(label, averagePrecision(), precision(), recall(), objects);
        }

        /** The area under precision over recall; only where there are objects. */
        private double averagePrecision() {
            long[] found = new long[STEPS + 1];
            long[] detected = new long[STEPS + 1];
            for (int step = STEPS - 1; step >= 0; step--) {
                found[step] = found[step + 1] + right[step];
                detected[step] = detected[step + 1] + right[step] + wrong[step];
            }
            double best = 0;
            double area = 0;
            for (int step = 0; step < STEPS; step++) {
                if (detected[step] > 0) {
                    best = Math.max(best, found[step] / (double) detected[step]);
                }
                // Whole numbers: a recall that is reached exactly must not be missed by rounding.
                long reached = RECALL_STEPS * found[step] / objects;
                long before = RECALL_STEPS * found[step + 1] / objects;
                area += best * (reached - before);
            }
            // Recall 0 is reached from the first.
            return (area + best) / (RECALL_STEPS + 1);
        }
    }
}

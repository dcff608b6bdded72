// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.accuracy;

import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.toolchain.evaluate.Box;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Detected persons against a MOT ground truth: lines {@code frame, id, left, top, width, height,
 * flag, …}, frames counted from 1. A detection, by falling confidence, takes the free person it
 * overlaps most, if by at least half.
 */
public final class MotScore {

    private static final double LEAST_CONFIDENCE = 0.4;
    private static final double LEAST_IOU = 0.5;

    private final Map<Integer, List<Box>> persons = new HashMap<>();
    private int frames;
    private int truths;
    private int detections;
    private int hits;

    /**
     * @param scale of the video's pixels to the ground truth's
     */
    public MotScore(Path groundTruth, double scale) throws IOException {
        for (String line : Files.readAllLines(groundTruth)) {
            String[] fields = line.split(",", -1);
            if (Double.parseDouble(fields[6]) == 0) {
                continue;
            }
            double left = Double.parseDouble(fields[2]) * scale;
            double top = Double.parseDouble(fields[3]) * scale;
            persons.computeIfAbsent(Integer.parseInt(fields[0]), frame -> new ArrayList<>())
                    .add(
                            new Box(
                                    left,
                                    top,
                                    left + Double.parseDouble(fields[4]) * scale,
                                    top + Double.parseDouble(fields[5]) * scale));
        }
    }

    /**
     * @param seq number of the frame, counted from 0
     */
    public void add(long seq, List<DetectedObject> objects) {
        List<Box> free = new ArrayList<>(persons.getOrDefault((int) seq + 1, List.of()));
        frames++;
        truths += free.size();
        List<DetectedObject> found =
                objects.stream()
                        .filter(object -> object.label().equals("person"))
                        .filter(object -> object.confidence() >= LEAST_CONFIDENCE)
                        .sorted(Comparator.comparing(DetectedObject::confidence).reversed())
                        .toList();
        detections += found.size();
        for (DetectedObject object : found) {
            Box box = Box.of(object.bbox());
            Box best = free.stream().max(Comparator.comparing(box::iou)).orElse(null);
            if (best != null && box.iou(best) >= LEAST_IOU) {
                free.remove(best);
                hits++;
            }
        }
    }

    /** Persons that were found, of all there are in the frames added. */
    public double recall() {
        return hits / (double) truths;
    }

    /** Detections that are persons, of all. */
    public double precision() {
        return hits / (double) detections;
    }

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%d frames, %d persons, %d detections, %d hits: recall %.3f, precision %.3f",
                frames,
                truths,
                detections,
                hits,
                recall(),
                precision());
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.accuracy;

import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Mean average precision as COCO defines it, without its crowds and size ranges: detections of an
 * image, by falling score, each take the free box of their class that they overlap most, if by at
 * least the threshold; precision is made monotone and read at 101 recalls; the mean is over classes
 * that occur, and over the thresholds 0.50, 0.55 … 0.95.
 */
final class MeanAveragePrecision {

    private static final int THRESHOLDS = 10;
    private static final int RECALLS = 101;

    /** COCO's own slack, so that a recall computed as a quotient reaches the point it names. */
    private static final double EPSILON = 1e-10;

    /** One detection, and at which thresholds it was a hit. */
    private record Scored(double score, boolean[] hit) {}

    private static final class ClassResults {
        private int truths;
        private final List<Scored> detections = new ArrayList<>();
    }

    private final int maxDetections;
    private final Map<Integer, ClassResults> classes = new TreeMap<>();

    /**
     * @param maxDetections the best of an image that count
     */
    MeanAveragePrecision(int maxDetections) {
        this.maxDetections = maxDetections;
    }

    /**
     * @param truth boxes of each class in one image
     */
    void add(Map<Integer, List<Box>> truth, List<DetectedObject> objects) {
        truth.forEach((classId, boxes) -> results(classId).truths += boxes.size());
        Map<Integer, List<DetectedObject>> byClass = new TreeMap<>();
        objects.stream()
                .sorted(Comparator.comparing(DetectedObject::confidence).reversed())
                .limit(maxDetections)
                .forEach(
                        object ->
                                byClass.computeIfAbsent(object.classId(), id -> new ArrayList<>())
                                        .add(object));
        byClass.forEach(
                (classId, found) ->
                        match(
                                found,
                                truth.getOrDefault(classId, List.of()),
                                results(classId).detections));
    }

    /** Mean over all thresholds and classes. */
    double mean() {
        double sum = 0;
        for (int threshold = 0; threshold < THRESHOLDS; threshold++) {
            sum += at(threshold);
        }
        return sum / THRESHOLDS;
    }

    /** At the lowest threshold, 0.50. */
    double at50() {
        return at(0);
    }

    private ClassResults results(int classId) {
        return classes.computeIfAbsent(classId, id -> new ClassResults());
    }

    private static void match(List<DetectedObject> found, List<Box> truth, List<Scored> scored) {
        boolean[][] taken = new boolean[THRESHOLDS][truth.size()];
        for (DetectedObject object : found) {
            Box box = Box.of(object.bbox());
            boolean[] hit = new boolean[THRESHOLDS];
            for (int threshold = 0; threshold < THRESHOLDS; threshold++) {
                int best = -1;
                double bestIou = (50 + 5 * threshold) / 100.0;
                for (int i = 0; i < truth.size(); i++) {
                    double iou = box.iou(truth.get(i));
                    if (!taken[threshold][i] && iou >= bestIou) {
                        bestIou = iou;
                        best = i;
                    }
                }
                if (best >= 0) {
                    taken[threshold][best] = true;
                    hit[threshold] = true;
                }
            }
            scored.add(new Scored(object.confidence(), hit));
        }
    }

    private double at(int threshold) {
        return classes.values().stream()
                .filter(results -> results.truths > 0)
                .mapToDouble(results -> averagePrecision(results, threshold))
                .average()
                .orElse(Double.NaN);
    }

    private static double averagePrecision(ClassResults results, int threshold) {
        List<Scored> ranked = new ArrayList<>(results.detections);
        ranked.sort(Comparator.comparing(Scored::score).reversed());
        double[] recall = new double[ranked.size()];
        double[] precision = new double[ranked.size()];
        int hits = 0;
        for (int i = 0; i < ranked.size(); i++) {
            hits += ranked.get(i).hit()[threshold] ? 1 : 0;
            recall[i] = hits / (double) results.truths;
            precision[i] = hits / (double) (i + 1);
        }
        for (int i = ranked.size() - 2; i >= 0; i--) {
            precision[i] = Math.max(precision[i], precision[i + 1]);
        }
        double sum = 0;
        int i = 0;
        for (int point = 0; point < RECALLS; point++) {
            double wanted = point / (RECALLS - 1.0);
            while (i < ranked.size() && recall[i] < wanted - EPSILON) {
                i++;
            }
            sum += i < ranked.size() ? precision[i] : 0;
        }
        return sum / RECALLS;
    }
}

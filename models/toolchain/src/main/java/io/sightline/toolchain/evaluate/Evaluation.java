// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.events.DetectionEvent.DetectedObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * How well a detector finds what is in a set of images: mean average precision as COCO defines it
 * (see {@link MeanAveragePrecision}), and all matches behind it, so that a resample of the images
 * can be evaluated without looking at them again. Precision is made monotone and read at 101
 * recalls; means are over the classes that occur. All values are 0..1, and NaN where nothing is to
 * be found. Immutable.
 */
public final class Evaluation {

    private static final int AT_50 = 0;
    private static final int AT_75 = 5;

    private final List<Path> images;
    private final List<String> labels;
    private final List<List<DetectedObject>> confident;
    private final Map<ObjectSize, Map<Integer, Ranking>> rankings;

    /** Each image once. */
    private final int[] once;

    private final int longest;

    /**
     * One class.
     *
     * @param classId index into the model's labels
     * @param label its name
     * @param objects how many there are, crowds not counted
     * @param map mean over the thresholds 0.50, 0.55 … 0.95
     * @param map50 at 0.50
     */
    public record OfClass(int classId, String label, int objects, double map, double map50) {}

    /** Takes the rankings over. */
    Evaluation(
            List<Path> images,
            List<String> labels,
            List<List<DetectedObject>> confident,
            Map<ObjectSize, Map<Integer, Ranking>> rankings) {
        this.images = List.copyOf(images);
        this.labels = List.copyOf(labels);
        this.confident = List.copyOf(confident);
        this.rankings = rankings;
        once = new int[images.size()];
        Arrays.fill(once, 1);
        longest =
                rankings.values().stream()
                        .flatMap(ofClass -> ofClass.values().stream())
                        .mapToInt(Ranking::detections)
                        .max()
                        .orElse(0);
    }

    /** In the order in which they were looked at. */
    public List<Path> images() {
        return images;
    }

    /** Of each image what matters to a {@link DetectionAgreement}. */
    List<List<DetectedObject>> confident() {
        return confident;
    }

    /** How many objects there are, crowds not counted. */
    public int objects() {
        return rankings.get(ObjectSize.ALL).values().stream()
                .mapToInt(ranking -> ranking.truths(once))
                .sum();
    }

    /** mAP 50-95: the mean over the overlap thresholds 0.50, 0.55 … 0.95. */
    public double map() {
        return map(ObjectSize.ALL);
    }

    /** mAP 50-95 of objects of that size. */
    public double map(ObjectSize size) {
        return mean(size, once, 0, MeanAveragePrecision.THRESHOLDS);
    }

    /** mAP at overlap 0.50. */
    public double map50() {
        return mean(ObjectSize.ALL, once, AT_50, AT_50 + 1);
    }

    /** mAP at overlap 0.75. */
    public double map75() {
        return mean(ObjectSize.ALL, once, AT_75, AT_75 + 1);
    }

    /** The classes that occur, by index. */
    public List<OfClass> classes() {
        List<OfClass> classes = new ArrayList<>();
        int[] above = new int[longest + 1];
        rankings.get(ObjectSize.ALL)
                .forEach(
                        (classId, ranking) -> {
                            int truths = ranking.truths(once);
                            ranking.countAbove(once, above);
                            double sum = 0;
                            for (int i = 0; i < MeanAveragePrecision.THRESHOLDS; i++) {
                                sum += ranking.averagePrecision(i, once, above, truths);
                            }
                            classes.add(
                                    new OfClass(
                                            classId,
                                            labels.get(classId),
                                            truths,
                                            sum / MeanAveragePrecision.THRESHOLDS,
                                            ranking.averagePrecision(AT_50, once, above, truths)));
                        });
        return classes;
    }

    /**
     * mAP 50-95 of a resample.
     *
     * @param weights how often each image is in it, one number an image
     */
    double map(int[] weights) {
        return mean(ObjectSize.ALL, weights, 0, MeanAveragePrecision.THRESHOLDS);
    }

    private double mean(ObjectSize size, int[] weights, int fromThreshold, int toThreshold) {
        int[] above = new int[longest + 1];
        double sum = 0;
        int classes = 0;
        for (Ranking ranking : rankings.get(size).values()) {
            int truths = ranking.truths(weights);
            if (truths == 0) {
                continue;
            }
            classes++;
            ranking.countAbove(weights, above);
            for (int i = fromThreshold; i < toThreshold; i++) {
                sum += ranking.averagePrecision(i, weights, above, truths);
            }
        }
        return classes == 0 ? Double.NaN : sum / classes / (toThreshold - fromThreshold);
    }
}

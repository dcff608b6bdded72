// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.events.DetectionEvent.DetectedObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Collects detections and truth, image by image, for mean average precision as COCO defines it
 * (cocodataset.org, detection evaluation): the detections of an image, by falling confidence, each
 * take the free object of their class that they overlap most, if by at least the threshold, 0.50,
 * 0.55 … 0.95.
 *
 * <p>Crowds, and objects outside the size range that is asked for, are ignored: a detection takes
 * one only where no object that counts is left for it, and then neither counts as right nor as
 * wrong; as does one that takes nothing and is itself outside the range. Any number of detections
 * may lie in a crowd, whose overlap is the covered share of the detection. A crowd may be one of
 * all classes.
 *
 * <p>The best detections of an image count over all its classes, as COCO's text has it; its program
 * limits each class by itself.
 */
public final class MeanAveragePrecision {

    /** Overlap thresholds 0.50, 0.55 … 0.95. */
    static final int THRESHOLDS = 10;

    private static final int NONE = -1;

    /** A detection, and at which thresholds it is what: a bit each. */
    private record Scored(double score, int image, int hits, int ignored) {}

    private static final class Results {
        private final List<Scored> detections = new ArrayList<>();
        private final List<Integer> truths = new ArrayList<>();

        private Ranking rank() {
            List<Scored> ranked = new ArrayList<>(detections);
            // Stable: of equal scores the earlier image's comes first.
            ranked.sort(Comparator.comparing(Scored::score).reversed());
            int[][] hits = new int[THRESHOLDS][];
            int[][] ignored = new int[THRESHOLDS][];
            for (int threshold = 0; threshold < THRESHOLDS; threshold++) {
                int bit = 1 << threshold;
                hits[threshold] =
                        IntStream.range(0, ranked.size())
                                .filter(rank -> (ranked.get(rank).hits & bit) != 0)
                                .toArray();
                ignored[threshold] =
                        IntStream.range(0, ranked.size())
                                .filter(rank -> (ranked.get(rank).ignored & bit) != 0)
                                .toArray();
            }
            return new Ranking(
                    ranked.stream().mapToInt(Scored::image).toArray(),
                    hits,
                    ignored,
                    truths.stream().mapToInt(Integer::intValue).toArray());
        }
    }

    private final int maxDetections;
    private final List<Path> images = new ArrayList<>();
    private final List<List<DetectedObject>> confident = new ArrayList<>();
    private final Map<ObjectSize, Map<Integer, Results>> results = new EnumMap<>(ObjectSize.class);

    /**
     * @param maxDetections the best of an image that count
     */
    public MeanAveragePrecision(int maxDetections) {
        this.maxDetections = maxDetections;
        for (ObjectSize size : ObjectSize.values()) {
            results.put(size, new TreeMap<>());
        }
    }

    /**
     * Adds an image.
     *
     * @param truth in pixels of the image
     * @param objects in pixels of the image, in any order
     */
    public void add(Path image, List<GroundTruth> truth, List<DetectedObject> objects) {
        int number = images.size();
        images.add(image);
        List<DetectedObject> best =
                objects.stream()
                        .sorted(Comparator.comparing(DetectedObject::confidence).reversed())
                        .limit(maxDetections)
                        .toList();
        confident.add(best.stream().filter(DetectionAgreement::mayMatter).toList());
        TreeSet<Integer> classes = new TreeSet<>();
        truth.forEach(object -> classes.add(object.classId()));
        classes.remove(GroundTruth.ANY_CLASS);
        best.forEach(object -> classes.add(object.classId()));
        for (int classId : classes) {
            List<GroundTruth> wanted =
                    truth.stream().filter(object -> object.isOf(classId)).toList();
            List<DetectedObject> found =
                    best.stream().filter(object -> object.classId() == classId).toList();
            double[][] overlaps = overlaps(found, wanted);
            results.forEach(
                    (size, ofClass) ->
                            match(
                                    number,
                                    size,
                                    found,
                                    wanted,
                                    overlaps,
                                    ofClass.computeIfAbsent(classId, id -> new Results())));
        }
    }

    /**
     * What it comes to.
     *
     * @param labels names in class order
     */
    public Evaluation evaluation(List<String> labels) {
        Map<ObjectSize, Map<Integer, Ranking>> rankings = new EnumMap<>(ObjectSize.class);
        results.forEach(
                (size, ofClass) -> {
                    Map<Integer, Ranking> ranked = new TreeMap<>();
                    ofClass.forEach(
                            (classId, collected) -> {
                                // A class that does not occur has no recall.
                                if (!collected.truths.isEmpty()) {
                                    ranked.put(classId, collected.rank());
                                }
                            });
                    rankings.put(size, ranked);
                });
        return new Evaluation(images, labels, confident, rankings);
    }

    private static double[][] overlaps(List<DetectedObject> found, List<GroundTruth> truth) {
        double[][] overlaps = new double[found.size()][truth.size()];
        for (int i = 0; i < overlaps.length; i++) {
            Box box = Box.of(found.get(i).bbox());
            for (int j = 0; j < overlaps[i].length; j++) {
                GroundTruth object = truth.get(j);
                overlaps[i][j] =
                        object.crowd() ? box.coveredBy(object.box()) : box.iou(object.box());
            }
        }
        return overlaps;
    }

    private static void match(
            int image,
            ObjectSize size,
            List<DetectedObject> found,
            List<GroundTruth> truth,
            double[][] overlaps,
            Results results) {
        boolean[] counts = new boolean[truth.size()];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = !truth.get(i).crowd() && size.holds(truth.get(i).area());
            if (counts[i]) {
                results.truths.add(image);
            }
        }
        int[] hits = new int[found.size()];
        int[] ignored = new int[found.size()];
        boolean[] taken = new boolean[truth.size()];
        for (int threshold = 0; threshold < THRESHOLDS; threshold++) {
            Arrays.fill(taken, false);
            double least = (50 + 5 * threshold) / 100.0;
            for (int i = 0; i < hits.length; i++) {
                int object = take(overlaps[i], truth, taken, counts, true, least);
                if (object == NONE) {
                    object = take(overlaps[i], truth, taken, counts, false, least);
                }
                if (object != NONE) {
                    taken[object] = true;
                }
                if (object != NONE && counts[object]) {
                    hits[i] |= 1 << threshold;
                } else if (object != NONE || !size.holds(Box.of(found.get(i).bbox()).area())) {
                    ignored[i] |= 1 << threshold;
                }
            }
        }
        for (int i = 0; i < hits.length; i++) {
            results.detections.add(
                    new Scored(found.get(i).confidence(), image, hits[i], ignored[i]));
        }
    }

    /** The free object, of those that count or of the others, with the largest overlap. */
    private static int take(
            double[] overlaps,
            List<GroundTruth> truth,
            boolean[] taken,
            boolean[] counts,
            boolean counting,
            double least) {
        int best = NONE;
        double largest = least;
        for (int i = 0; i < overlaps.length; i++) {
            boolean free = !taken[i] || truth.get(i).crowd();
            if (free && counts[i] == counting && overlaps[i] >= largest) {
                largest = overlaps[i];
                best = i;
            }
        }
        return best;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.Comparator;
import java.util.List;

/**
 * How far two detectors find the same in the same images, whether that is right or not: the engine
 * that serves against the one that the model was judged by, say. A detection of either counts where
 * its score is at least {@link #LEAST_SCORE}; it is matched where the other has one of the same
 * label that overlaps it by {@link #LEAST_OVERLAP} or more and whose score differs by no more than
 * {@link #MOST_DIFFERENCE}, whatever that score is. None is matched with two.
 *
 * @param detections that count, of both
 * @param matched of these
 */
public record DetectionAgreement(int detections, int matched) {

    /** Of a detection that counts. */
    public static final double LEAST_SCORE = 0.4;

    /** Intersection over union. */
    public static final double LEAST_OVERLAP = 0.9;

    /** Between the scores of a match. */
    public static final double MOST_DIFFERENCE = 0.05;

    /** Scores are written with so many digits that this is none. */
    private static final double ROUNDING = 1e-6;

    /**
     * @throws IllegalArgumentException if they are not of the same images in the same order
     */
    public static DetectionAgreement of(Evaluation one, Evaluation other) {
        if (!one.images().equals(other.images())) {
            throw new IllegalArgumentException(
                    "evaluations of %d and %d images: expected the same ones"
                            .formatted(one.images().size(), other.images().size()));
        }
        int detections = 0;
        int matched = 0;
        for (int i = 0; i < one.images().size(); i++) {
            List<DetectedObject> left = one.confident().get(i);
            List<DetectedObject> right = other.confident().get(i);
            detections += counted(left) + counted(right);
            matched += matched(left, right) + matched(right, left);
        }
        return new DetectionAgreement(detections, matched);
    }

    /** Whether a detection counts, or could be the match of one that does. */
    static boolean mayMatter(DetectedObject detection) {
        return detection.confidence() >= LEAST_SCORE - MOST_DIFFERENCE - ROUNDING;
    }

    /** 0 to 1; NaN where nothing counts. */
    public double share() {
        return detections == 0 ? Double.NaN : (double) matched / detections;
    }

    private static int counted(List<DetectedObject> detections) {
        return (int) detections.stream().filter(DetectionAgreement::counts).count();
    }

    private static boolean counts(DetectedObject detection) {
        return detection.confidence() >= LEAST_SCORE - ROUNDING;
    }

    /** How many of the first that count the second has, the best first. */
    private static int matched(List<DetectedObject> detections, List<DetectedObject> others) {
        boolean[] taken = new boolean[others.size()];
        int matched = 0;
        for (DetectedObject detection :
                detections.stream()
                        .filter(DetectionAgreement::counts)
                        .sorted(Comparator.comparing(DetectedObject::confidence).reversed())
                        .toList()) {
            int match = match(detection, others, taken);
            if (match >= 0) {
                taken[match] = true;
                matched++;
            }
        }
        return matched;
    }

    /** The free one with the largest overlap; −1 where there is none. */
    private static int match(
            DetectedObject detection, List<DetectedObject> others, boolean[] taken) {
        Box box = Box.of(detection.bbox());
        int match = -1;
        double largest = LEAST_OVERLAP;
        for (int i = 0; i < taken.length; i++) {
            DetectedObject other = others.get(i);
            double overlap = box.iou(Box.of(other.bbox()));
            if (!taken[i]
                    && overlap >= largest
                    && other.label().equals(detection.label())
                    && Math.abs(other.confidence() - detection.confidence())
                            <= MOST_DIFFERENCE + ROUNDING) {
                largest = overlap;
                match = i;
            }
        }
        return match;
    }
}

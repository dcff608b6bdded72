// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.ModelSpec;

/**
 * What becomes of a network's raw predictions. The presets are those of YOLOv6's own tools.
 *
 * @param confidence scores must be above it, 0..1
 * @param iou boxes that overlap a better one of their class by more are suppressed, 0..1
 * @param maxCandidates the best that suppression looks at
 * @param maxDetections the best that remain after it
 * @param multiLabel whether a box may count for every class above the threshold, or only for its
 *     best one
 */
public record NmsSettings(
        float confidence, float iou, int maxCandidates, int maxDetections, boolean multiLabel) {

    private static final int MAX_CANDIDATES = 30_000;

    /**
     * @throws IllegalArgumentException if a threshold is not 0..1 or a count not positive
     */
    public NmsSettings {
        // Negated, so that NaN is refused too.
        if (!(confidence >= 0 && confidence <= 1) || !(iou >= 0 && iou <= 1)) {
            throw new IllegalArgumentException(
                    "confidence " + confidence + ", iou " + iou + ": expected 0 to 1 each");
        }
        if (maxCandidates < 1 || maxDetections < 1) {
            throw new IllegalArgumentException(
                    "max candidates "
                            + maxCandidates
                            + ", max detections "
                            + maxDetections
                            + ": expected at least 1 each");
        }
    }

    /** For looking at pictures: each box is of its best class. */
    public static NmsSettings infer(float confidence, float iou) {
        return new NmsSettings(confidence, iou, MAX_CANDIDATES, 1000, false);
    }

    /**
     * {@link #infer(float, float)} at the model's own thresholds, where the user states no others.
     *
     * @param confidence null for the model's
     * @param iou null for the model's
     */
    public static NmsSettings infer(ModelSpec spec, Float confidence, Float iou) {
        return infer(
                confidence == null ? spec.confidence() : confidence,
                iou == null ? spec.iou() : iou);
    }

    /** For measuring mean average precision: low threshold, every class of a box. */
    public static NmsSettings eval() {
        return new NmsSettings(0.03f, 0.65f, MAX_CANDIDATES, 300, true);
    }
}

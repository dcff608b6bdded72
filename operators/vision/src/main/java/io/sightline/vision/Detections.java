// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.ArrayList;
import java.util.List;

/**
 * What was found in one frame, by falling confidence. Boxes are corners in pixels of the
 * letterboxed input, not clamped to it.
 */
public final class Detections {

    private static final double COORDINATE_STEPS = 100;
    private static final double CONFIDENCE_STEPS = 100_000;

    private final float[] x1;
    private final float[] y1;
    private final float[] x2;
    private final float[] y2;
    private final float[] confidence;
    private final int[] classId;

    /** Takes the arrays over. */
    Detections(float[] x1, float[] y1, float[] x2, float[] y2, float[] confidence, int[] classId) {
        this.x1 = x1;
        this.y1 = y1;
        this.x2 = x2;
        this.y2 = y2;
        this.confidence = confidence;
        this.classId = classId;
    }

    public int size() {
        return classId.length;
    }

    public float x1(int index) {
        return x1[index];
    }

    public float y1(int index) {
        return y1[index];
    }

    public float x2(int index) {
        return x2[index];
    }

    public float y2(int index) {
        return y2[index];
    }

    public float confidence(int index) {
        return confidence[index];
    }

    /** Index into the model's labels. */
    public int classId(int index) {
        return classId[index];
    }

    /**
     * The detections in pixels of the source image: mapped back, clamped to the image, corners
     * rounded to 1/100 pixel and confidence to five digits, limited to 1. Boxes that keep no area
     * are left out.
     *
     * @param geometry where the image lay in the input
     * @param labels of the model, in class order
     */
    public List<DetectedObject> toObjects(LetterboxGeometry geometry, List<String> labels) {
        List<DetectedObject> objects = new ArrayList<>(size());
        for (int i = 0; i < size(); i++) {
            // Whole hundredths, so that neither a width nor an edge picks up binary dust.
            long left = Math.round(geometry.toImageX(x1[i]) * COORDINATE_STEPS);
            long top = Math.round(geometry.toImageY(y1[i]) * COORDINATE_STEPS);
            long width = Math.round(geometry.toImageX(x2[i]) * COORDINATE_STEPS) - left;
            long height = Math.round(geometry.toImageY(y2[i]) * COORDINATE_STEPS) - top;
            if (width <= 0 || height <= 0) {
                continue;
            }
            objects.add(
                    new DetectedObject(
                            classId[i],
                            labels.get(classId[i]),
                            Math.round(Math.min(1, confidence[i]) * CONFIDENCE_STEPS)
                                    / CONFIDENCE_STEPS,
                            new BoundingBox(
                                    left / COORDINATE_STEPS,
                                    top / COORDINATE_STEPS,
                                    width / COORDINATE_STEPS,
                                    height / COORDINATE_STEPS)));
        }
        return objects;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("Detections[");
        for (int i = 0; i < size(); i++) {
            text.append(i == 0 ? "" : ", ")
                    .append(classId[i])
                    .append('@')
                    .append(confidence[i])
                    .append(" (")
                    .append(x1[i])
                    .append(", ")
                    .append(y1[i])
                    .append(", ")
                    .append(x2[i])
                    .append(", ")
                    .append(y2[i])
                    .append(')');
        }
        return text.append(']').toString();
    }
}

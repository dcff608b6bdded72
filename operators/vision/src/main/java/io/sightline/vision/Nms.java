// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import java.util.Arrays;

/**
 * Greedy non-maximum suppression within each class: by falling score, a box stays unless it
 * overlaps a box of its class that stayed by more than the threshold. Of equal scores the one added
 * first comes first. Keeps scratch memory; for one thread at a time.
 */
final class Nms {

    private static final int NONE = -1;

    private final NmsSettings settings;
    private final boolean suppress;

    /** Negated score bits above the candidate's index: ascending order is falling score. */
    private long[] order = new long[0];

    private int[] kept = new int[0];

    /** By place in {@link #kept}: the place of the one of its class kept before it. */
    private int[] previous = new int[0];

    /** By class: the place of the one kept last. */
    private final int[] last;

    /**
     * @param suppress false to select by score alone
     */
    Nms(NmsSettings settings, boolean suppress, int classes) {
        this.settings = settings;
        this.suppress = suppress;
        this.last = new int[classes];
    }

    Detections select(Candidates candidates) {
        int considered = sort(candidates);
        int limit = Math.min(settings.maxDetections(), considered);
        if (kept.length < limit) {
            kept = new int[limit];
            previous = new int[limit];
        }
        Arrays.fill(last, NONE);
        int count = 0;
        for (int i = 0; i < considered && count < limit; i++) {
            int candidate = (int) order[i];
            int classId = candidates.classId[candidate];
            if (!suppress || !overlapsKept(candidates, candidate, last[classId])) {
                kept[count] = candidate;
                previous[count] = last[classId];
                last[classId] = count++;
            }
        }
        return detections(candidates, count);
    }

    private int sort(Candidates candidates) {
        if (order.length < candidates.size) {
            order = new long[candidates.score.length];
        }
        for (int i = 0; i < candidates.size; i++) {
            // Bits of floats that are not negative order as the floats do; + 0 drops negative zero.
            int bits = Float.floatToRawIntBits(candidates.score[i] + 0f);
            order[i] = (long) ~bits << Integer.SIZE | i;
        }
        Arrays.sort(order, 0, candidates.size);
        return Math.min(candidates.size, settings.maxCandidates());
    }

    private boolean overlapsKept(Candidates candidates, int candidate, int lastOfClass) {
        for (int i = lastOfClass; i != NONE; i = previous[i]) {
            if (iou(candidates, candidate, kept[i]) > settings.iou()) {
                return true;
            }
        }
        return false;
    }

    /** Intersection over union; NaN, which is above no threshold, for two boxes without area. */
    private static float iou(Candidates boxes, int a, int b) {
        float width = Math.min(boxes.x2[a], boxes.x2[b]) - Math.max(boxes.x1[a], boxes.x1[b]);
        float height = Math.min(boxes.y2[a], boxes.y2[b]) - Math.max(boxes.y1[a], boxes.y1[b]);
        float intersection = Math.max(0, width) * Math.max(0, height);
        return intersection / (area(boxes, a) + area(boxes, b) - intersection);
    }

    private static float area(Candidates boxes, int i) {
        return (boxes.x2[i] - boxes.x1[i]) * (boxes.y2[i] - boxes.y1[i]);
    }

    private Detections detections(Candidates candidates, int count) {
        float[] x1 = new float[count];
        float[] y1 = new float[count];
        float[] x2 = new float[count];
        float[] y2 = new float[count];
        float[] confidence = new float[count];
        int[] classId = new int[count];
        for (int i = 0; i < count; i++) {
            int candidate = kept[i];
            x1[i] = candidates.x1[candidate];
            y1[i] = candidates.y1[candidate];
            x2[i] = candidates.x2[candidate];
            y2[i] = candidates.y2[candidate];
            confidence[i] = candidates.score[candidate];
            classId[i] = candidates.classId[candidate];
        }
        return new Detections(x1, y1, x2, y2, confidence, classId);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Mean average precision a second time, straight from COCO's definition: one class, one threshold,
 * one size range at a time, whole precision and recall curves, images repeated rather than
 * weighted. Slow, and shares no code with what it checks but the records.
 */
final class PlainAveragePrecision {

    record Picture(List<GroundTruth> truth, List<DetectedObject> objects) {}

    private record Outcome(double score, boolean right) {}

    private PlainAveragePrecision() {}

    static double map(
            List<Picture> pictures, int classes, int best, double leastArea, double mostArea) {
        double sum = 0;
        int terms = 0;
        for (int classId = 0; classId < classes; classId++) {
            for (int percent = 50; percent <= 95; percent += 5) {
                double ap = ap(pictures, classId, percent / 100.0, best, leastArea, mostArea);
                if (!Double.isNaN(ap)) {
                    sum += ap;
                    terms++;
                }
            }
        }
        return terms == 0 ? Double.NaN : sum / terms;
    }

    static double ap(
            List<Picture> pictures,
            int classId,
            double threshold,
            int best,
            double leastArea,
            double mostArea) {
        List<Outcome> outcomes = new ArrayList<>();
        int positives = 0;
        for (Picture picture : pictures) {
            List<GroundTruth> normal = new ArrayList<>();
            List<GroundTruth> aside = new ArrayList<>();
            for (GroundTruth t : picture.truth()) {
                if (t.classId() == classId || t.classId() == GroundTruth.ANY_CLASS) {
                    boolean out = t.crowd() || t.area() < leastArea || t.area() > mostArea;
                    (out ? aside : normal).add(t);
                }
            }
            positives += normal.size();
            List<DetectedObject> sorted = new ArrayList<>(picture.objects());
            sorted.sort(Comparator.comparingDouble(d -> -d.confidence()));
            for (DetectedObject d : sorted.subList(0, Math.min(best, sorted.size()))) {
                if (d.classId() != classId) {
                    continue;
                }
                int hit = closest(d.bbox(), normal, threshold);
                if (hit >= 0) {
                    normal.remove(hit);
                    outcomes.add(new Outcome(d.confidence(), true));
                    continue;
                }
                int shrug = closest(d.bbox(), aside, threshold);
                if (shrug >= 0) {
                    if (!aside.get(shrug).crowd()) {
                        aside.remove(shrug);
                    }
                    continue;
                }
                double area = d.bbox().width() * d.bbox().height();
                if (area >= leastArea && area <= mostArea) {
                    outcomes.add(new Outcome(d.confidence(), false));
                }
            }
        }
        return positives == 0 ? Double.NaN : area(outcomes, positives);
    }

    private static int closest(BoundingBox box, List<GroundTruth> truth, double threshold) {
        int closest = -1;
        double overlap = threshold;
        for (int i = 0; i < truth.size(); i++) {
            Box t = truth.get(i).box();
            double w =
                    Math.max(
                            0, Math.min(box.x() + box.width(), t.x2()) - Math.max(box.x(), t.x1()));
            double h =
                    Math.max(
                            0,
                            Math.min(box.y() + box.height(), t.y2()) - Math.max(box.y(), t.y1()));
            double own = box.width() * box.height();
            double union = own + (t.x2() - t.x1()) * (t.y2() - t.y1()) - w * h;
            double share = w * h / (truth.get(i).crowd() ? own : union);
            if (share >= overlap) {
                overlap = share;
                closest = i;
            }
        }
        return closest;
    }

    private static double area(List<Outcome> outcomes, int positives) {
        outcomes.sort(Comparator.comparingDouble(o -> -o.score()));
        double sum = 0;
        for (int point = 0; point <= 100; point++) {
            double highest = 0;
            int right = 0;
            for (int i = 0; i < outcomes.size(); i++) {
                right += outcomes.get(i).right() ? 1 : 0;
                if (right / (double) positives >= point / 100.0 - 1e-10) {
                    highest = Math.max(highest, right / (i + 1.0));
                }
            }
            sum += highest;
        }
        return sum / 101;
    }
}

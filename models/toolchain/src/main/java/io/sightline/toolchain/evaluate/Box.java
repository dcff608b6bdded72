// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.events.DetectionEvent.BoundingBox;

/** Corners in pixels. */
public record Box(double x1, double y1, double x2, double y2) {

    public static Box of(BoundingBox box) {
        return new Box(box.x(), box.y(), box.x() + box.width(), box.y() + box.height());
    }

    /** Square pixels. */
    public double area() {
        return (x2 - x1) * (y2 - y1);
    }

    /** Intersection over union, 0..1. */
    public double iou(Box other) {
        double intersection = intersection(other);
        return intersection == 0 ? 0 : intersection / (area() + other.area() - intersection);
    }

    /** How much of this box lies inside the other, 0..1. */
    public double coveredBy(Box other) {
        double intersection = intersection(other);
        return intersection == 0 ? 0 : intersection / area();
    }

    private double intersection(Box other) {
        double width = Math.min(x2, other.x2) - Math.max(x1, other.x1);
        double height = Math.min(y2, other.y2) - Math.max(y1, other.y1);
        return width <= 0 || height <= 0 ? 0 : width * height;
    }
}

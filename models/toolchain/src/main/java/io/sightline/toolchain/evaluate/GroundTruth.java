// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

/**
 * An object that is in a picture.
 *
 * @param classId index into the labels of the model that is evaluated, or {@link #ANY_CLASS} of a
 *     crowd
 * @param box in pixels of the picture
 * @param area square pixels, which decide its {@link ObjectSize}: of its outline where the labels
 *     know it, else of its box
 * @param crowd whether the box holds a group that nobody told apart: detections in it neither count
 *     as right nor as wrong
 */
public record GroundTruth(int classId, Box box, double area, boolean crowd) {

    /** Of a region in which detections of no class count. */
    static final int ANY_CLASS = -1;

    /** A region in which detections, whatever their class, neither count as right nor as wrong. */
    static GroundTruth ignored(Box box) {
        return new GroundTruth(ANY_CLASS, box, box.area(), true);
    }

    boolean isOf(int wanted) {
        return classId == wanted || classId == ANY_CLASS;
    }

    GroundTruth withClass(int other) {
        return new GroundTruth(other, box, area, crowd);
    }

    GroundTruth scaled(double x, double y) {
        return new GroundTruth(
                classId,
                new Box(box.x1() * x, box.y1() * y, box.x2() * x, box.y2() * y),
                area * x * y,
                crowd);
    }
}

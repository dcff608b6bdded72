// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

/** COCO's ranges of an object's area; an area on a limit is in both. */
public enum ObjectSize {
    ALL(0, Double.POSITIVE_INFINITY),
    /** Up to 32² pixels. */
    SMALL(0, 32 * 32),
    /** 32² to 96² pixels. */
    MEDIUM(32 * 32, 96 * 96),
    /** From 96² pixels. */
    LARGE(96 * 96, Double.POSITIVE_INFINITY);

    private final double least;
    private final double most;

    ObjectSize(double least, double most) {
        this.least = least;
        this.most = most;
    }

    boolean holds(double area) {
        return area >= least && area <= most;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/**
 * One object as it is seen in a picture.
 *
 * @param id the same for the same object from frame to frame
 * @param objectClass what it is
 * @param x1 left edge of what can be seen of it, in pixels
 * @param y1 top edge
 * @param x2 right edge
 * @param y2 bottom edge
 * @param occluded the part of its pixels inside the picture that nearer things hide, 0 to 1
 * @param outside the part of its pixels that lies beyond the picture's edge, 0 to 1
 */
public record TrueObject(
        int id,
        ObjectClass objectClass,
        double x1,
        double y1,
        double x2,
        double y2,
        double occluded,
        double outside) {

    private static final double MIN_HEIGHT = 12;
    private static final double MAX_OCCLUDED = 0.6;
    private static final double MAX_OUTSIDE = 0.5;

    /**
     * Whether a detector is expected to find it: a detection of an object that does not count is
     * neither right nor wrong.
     *
     * @param networkScale pixels of the network's input per pixel of the picture
     */
    public boolean counts(double networkScale) {
        return (y2 - y1) * networkScale >= MIN_HEIGHT
                && occluded <= MAX_OCCLUDED
                && outside <= MAX_OUTSIDE;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

/** How the letterbox computes pixels that lie between those of the source. */
public enum Interpolation {
    /** Between the four nearest source pixels, always: several times cheaper when shrinking. */
    LINEAR,
    /**
     * As YOLOv6 evaluates: the mean of the covered source pixels when shrinking, {@link #LINEAR}
     * when enlarging.
     */
    YOLOV6
}

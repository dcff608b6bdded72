// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.List;

/**
 * What is to be seen in one frame that a simulated camera has given out.
 *
 * @param cameraId the camera
 * @param epoch the frame's epoch
 * @param seq the frame's number within its epoch
 * @param captureTimeMillis when it was given out, milliseconds since 1970
 * @param width the picture's width in pixels
 * @param height the picture's height in pixels
 * @param objects all objects in the picture
 */
public record FrameTruth(
        String cameraId,
        long epoch,
        long seq,
        long captureTimeMillis,
        int width,
        int height,
        List<TrueObject> objects) {

    public FrameTruth {
        objects = List.copyOf(objects);
    }
}

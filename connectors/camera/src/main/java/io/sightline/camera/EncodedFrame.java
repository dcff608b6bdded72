// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

/**
 * One camera frame on its way to the frames topic.
 *
 * @param cameraId the camera
 * @param jpeg the encoded picture, shared by all cameras that play the same video: not to be
 *     changed
 * @param captureTimeMillis when the picture was given out, milliseconds since 1970
 * @param seq number of the frame within its epoch, from 0
 * @param epoch how often the video has begun anew, from 0
 * @param pts presentation time in the video, in units of the timebase
 * @param timebase seconds per unit of pts, as a fraction: {@code 1/12800}
 */
public record EncodedFrame(
        String cameraId,
        byte[] jpeg,
        long captureTimeMillis,
        long seq,
        long epoch,
        long pts,
        String timebase) {}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

/**
 * A frame record that keeps the contract of the frames topic: what the operator works on. Made by
 * {@link CameraFrameCodec#decode}.
 *
 * @param cameraId the camera, never null or empty
 * @param image the encoded picture (JPEG, PNG or WebP), not copied
 * @param captureTimeMillis when the picture was taken, milliseconds since 1970
 * @param seq the camera's frame number, null where it sent none
 * @param epoch raised by the camera when it restarts its clock; 0 where it sent none
 * @param traceparent W3C trace context, null where the record carried none
 * @param malformedHeaders how many optional headers were ignored because they could not be read
 */
public record CameraFrame(
        String cameraId,
        byte[] image,
        long captureTimeMillis,
        Long seq,
        long epoch,
        String traceparent,
        int malformedHeaders) {}

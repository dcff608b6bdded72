// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.events.CameraFrame;

/**
 * A frame in the window. The picture is the array that came from Kafka; every viewer is sent that
 * one. The rest belongs to {@link FrameWindow} and is guarded by it.
 */
final class WindowFrame {

    /** Of an entry beside its arrays, with room to spare. */
    private static final int OVERHEAD_BYTES = 512;

    final FrameKey key;
    final CameraFrame frame;
    final String contentType;

    /** Counts the frames of all cameras as they came. */
    final long index;

    final long arrivedMillis;

    /** JSON of what is known of the frame; null until it is ready to be shown. */
    private byte[] header;

    private boolean answered;

    /** Why the job gave it up; null where it is not known to have. */
    private String dropReason;

    WindowFrame(
            FrameKey key, CameraFrame frame, String contentType, long index, long arrivedMillis) {
        this.key = key;
        this.frame = frame;
        this.contentType = contentType;
        this.index = index;
        this.arrivedMillis = arrivedMillis;
    }

    boolean ready() {
        return header != null;
    }

    /** Whether the job has said what it saw. */
    boolean answered() {
        return answered;
    }

    String dropReason() {
        return dropReason;
    }

    void dropped(String reason) {
        dropReason = reason;
    }

    void describe(byte[] json, boolean withAnswer) {
        header = json;
        answered = withAnswer;
    }

    long bytes() {
        return (long) OVERHEAD_BYTES + frame.image().length + (header == null ? 0 : header.length);
    }

    /** What a viewer is sent: arrays that nobody changes. */
    Picture picture() {
        return new Picture(frame.cameraId(), index, header, contentType, frame.image());
    }

    /**
     * A frame as it is shown.
     *
     * @param header JSON, UTF-8
     * @param image the encoded picture; shared, never written to
     */
    record Picture(String camera, long index, byte[] header, String contentType, byte[] image) {

        private static final byte[] NO_IMAGE = {};

        Picture withoutImage() {
            return new Picture(camera, index, header, contentType, NO_IMAGE);
        }
    }
}

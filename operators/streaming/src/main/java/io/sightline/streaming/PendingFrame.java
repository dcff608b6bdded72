// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.CameraFrame;
import io.sightline.events.FrameRecord;
import io.sightline.events.FrameRejectedException;
import io.sightline.inference.FrameCallback;
import io.sightline.inference.RunTiming;
import io.sightline.vision.Detections;
import io.sightline.vision.LetterboxGeometry;

/**
 * A frame on its way through the operator. The task's thread writes everything but the outcome,
 * which a lane's thread leaves here: detections or a failure, published by the volatile {@code
 * done}.
 */
final class PendingFrame implements FrameCallback<Detections> {

    private final Runnable finished;
    final FrameRecord record;
    final long arrivedNanos;

    /** Null where the record broke the contract. */
    CameraFrame frame;

    Camera camera;
    Marks.Stretch stretch;
    FrameRejectedException rejection;
    LetterboxGeometry geometry;
    int imageWidth;
    int imageHeight;
    long decodeStartNanos;
    long decodedNanos;
    long claimedNanos;
    long committedNanos;

    Detections detections;
    RunTiming timing;
    Throwable failure;
    private volatile boolean done;

    /**
     * @param finished called from a lane's thread when it is done with the frame
     */
    PendingFrame(Runnable finished, FrameRecord record, long arrivedNanos) {
        this.finished = finished;
        this.record = record;
        this.arrivedNanos = arrivedNanos;
    }

    int encodedBytes() {
        return record.valueBytes();
    }

    long captureMillis() {
        return record.timestampMillis();
    }

    CameraLine line() {
        return camera.line;
    }

    void reject(FrameRejectedException reason) {
        rejection = reason;
        done = true;
    }

    @Override
    public void complete(Detections result, RunTiming runTiming) {
        detections = result;
        timing = runTiming;
        done = true;
        finished.run();
    }

    @Override
    public void fail(Throwable cause) {
        failure = cause;
        done = true;
        finished.run();
    }

    /** Whether it can be handed on. */
    boolean done() {
        return done;
    }
}

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
final class PendingFrame implements PendingElement, FrameCallback<Detections> {

    /** What the operator does with a frame that can leave. */
    interface Exit {
        void emit(PendingFrame frame) throws Exception;

        /** A lane has finished a frame; called from its thread. */
        void finished();
    }

    private final Exit exit;
    final FrameRecord record;
    final long arrivedNanos;

    /** Null where the record broke the contract. */
    CameraFrame frame;

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

    PendingFrame(Exit exit, FrameRecord record, long arrivedNanos) {
        this.exit = exit;
        this.record = record;
        this.arrivedNanos = arrivedNanos;
    }

    int encodedBytes() {
        return record.valueBytes();
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
        exit.finished();
    }

    @Override
    public void fail(Throwable cause) {
        failure = cause;
        done = true;
        exit.finished();
    }

    @Override
    public boolean done() {
        return done;
    }

    @Override
    public void emit() throws Exception {
        exit.emit(this);
    }
}

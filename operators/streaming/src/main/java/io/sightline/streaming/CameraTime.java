// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

/**
 * A camera's clock as its frames show it. A clock has jumped forward where the capture time went
 * ahead by more than passed here meanwhile, and backward where it fell behind the frame before, by
 * more than the tolerance each; where the epoch changed with it, the camera has said so itself and
 * it counts as that alone. In a backlog, where frames come faster than they were captured, a
 * silence of the past looks like a jump forward.
 */
final class CameraTime {

    private final long toleranceMillis;
    private boolean seen;
    private long captureMillis;
    private long arrivalMillis;
    private long arrivalNanos;
    private long epoch;
    private long forwardJumps;
    private long backwardJumps;
    private long epochChanges;

    CameraTime(long toleranceMillis) {
        this.toleranceMillis = toleranceMillis;
    }

    /**
     * @param nowMillis wall-clock time
     * @param nowNanos of a clock that nobody sets: a step of the wall clock is none of the camera's
     */
    void frame(long frameCaptureMillis, long frameEpoch, long nowMillis, long nowNanos) {
        if (seen) {
            long step = frameCaptureMillis - captureMillis;
            if (frameEpoch != epoch) {
                epochChanges++;
            } else if (step < -toleranceMillis) {
                backwardJumps++;
            } else if (step - millisSinceArrival(nowNanos) > toleranceMillis) {
                forwardJumps++;
            }
        }
        seen = true;
        captureMillis = frameCaptureMillis;
        arrivalMillis = nowMillis;
        arrivalNanos = nowNanos;
        epoch = frameEpoch;
    }

    /** Whether there was a frame at all: without one there are no times. */
    boolean seen() {
        return seen;
    }

    long captureMillis() {
        return captureMillis;
    }

    long arrivalMillis() {
        return arrivalMillis;
    }

    /** How long the last frame has been here. */
    long millisSinceArrival(long nowNanos) {
        return (nowNanos - arrivalNanos) / 1_000_000;
    }

    long epoch() {
        return epoch;
    }

    /** From the capture of the last frame to its arrival; 0 before the first. */
    long lagMillis() {
        return arrivalMillis - captureMillis;
    }

    /** Since the last frame arrived; 0 before the first. */
    long silentMillis(long nowNanos) {
        return seen ? millisSinceArrival(nowNanos) : 0;
    }

    long forwardJumps() {
        return forwardJumps;
    }

    long backwardJumps() {
        return backwardJumps;
    }

    long epochChanges() {
        return epochChanges;
    }

    /** Begins to count anew; the times stay. */
    void resetCounts() {
        forwardJumps = 0;
        backwardJumps = 0;
        epochChanges = 0;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

/** How fast a replay gives out frames. All frames are given out at every pace. */
public final class Pace {

    /** A longer step is no pause between two pictures but another clock: a cut, a reset. */
    private static final long LONGEST_STEP_NANOS = 5_000_000_000L;

    private static final Pace FILMED = new Pace(0);
    private static final Pace UNLIMITED = new Pace(Double.POSITIVE_INFINITY);

    private final double framesPerSecond;

    private Pace(double framesPerSecond) {
        this.framesPerSecond = framesPerSecond;
    }

    /**
     * At the times the video itself gives its pictures. Times that go back, or on by more than 5 s
     * and two frames, count as one frame.
     */
    public static Pace asFilmed() {
        return FILMED;
    }

    /**
     * At so many frames per second and camera, whatever the video's own rate: what it shows then
     * moves faster or slower than in life.
     *
     * @throws IllegalArgumentException where the rate is not a positive number
     */
    public static Pace fps(double framesPerSecond) {
        if (!(framesPerSecond > 0) || Double.isInfinite(framesPerSecond)) {
            throw new IllegalArgumentException(
                    "frame rate " + framesPerSecond + ": expected a number above 0");
        }
        return new Pace(framesPerSecond);
    }

    /** As fast as frames can be decoded, encoded and taken. */
    public static Pace unlimited() {
        return UNLIMITED;
    }

    /**
     * The times of one video's frames at this pace.
     *
     * @param startNanos when the first frame is due
     * @param frameRate the video's pictures per second: the step where its times give none
     */
    Schedule schedule(long startNanos, double frameRate) {
        return new Schedule(startNanos, frameRate);
    }

    /** When each frame of one video is due; asked once per frame, in order. */
    final class Schedule {

        private final long startNanos;
        private final long stepNanos;
        private long index;
        private long lastDueNanos;
        private long lastMediaNanos = Long.MAX_VALUE;

        private Schedule(long startNanos, double frameRate) {
            this.startNanos = startNanos;
            this.stepNanos = Math.round(1e9 / frameRate);
        }

        /** When the next frame is due, given its time in the video. */
        long dueNanos(long mediaNanos) {
            if (Pace.this == UNLIMITED) {
                return startNanos;
            }
            if (Pace.this != FILMED) {
                return startNanos + Math.round(index++ * (1e9 / framesPerSecond));
            }
            long due = startNanos;
            if (index++ > 0) {
                // Time goes back where the video begins anew, and jumps where it was cut.
                long step = mediaNanos - lastMediaNanos;
                boolean steady = step > 0 && step <= Math.max(LONGEST_STEP_NANOS, 2 * stepNanos);
                due = lastDueNanos + (steady ? step : stepNanos);
            }
            lastDueNanos = due;
            lastMediaNanos = mediaNanos;
            return due;
        }
    }
}

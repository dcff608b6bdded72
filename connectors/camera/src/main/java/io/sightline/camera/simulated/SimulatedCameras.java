// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import io.sightline.camera.EncodedFrame;
import io.sightline.camera.FrameSink;
import io.sightline.camera.ReplayClock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Plays loops as cameras; before each frame goes its truth. One thread serves all cameras, each at
 * its own moment within the time between two frames, as cameras that nobody has synchronised.
 *
 * <p>When a loop begins anew, its camera's epoch rises by one and seq and pts start over. Cameras
 * that fall behind leave nothing out: they give frames without pause until they have caught up.
 */
public final class SimulatedCameras implements AutoCloseable {

    /** The usual unit of presentation times in streams. */
    private static final int TIMEBASE = 90_000;

    private final Duration duration;
    private final double framesPerSecond;
    private final FrameSink frames;
    private final TruthSink truth;
    private final ReplayClock clock;
    private final List<Camera> cameras = new ArrayList<>();
    private final Object lock = new Object();
    private Thread playing;
    private volatile boolean stopping;

    private record Camera(String id, SceneLoop loop, AtomicLong sent) {}

    /**
     * Cameras to sinks that stay the caller's to close.
     *
     * @param loops what each camera shows, by camera id; cameras may share a loop
     * @param framesPerSecond of each camera, whatever rate its loop was rendered for
     * @param duration how long to play, or null: until {@link #close()}
     * @throws IllegalArgumentException where there is no camera, or the rate is not above 0
     */
    public SimulatedCameras(
            Map<String, SceneLoop> loops,
            double framesPerSecond,
            Duration duration,
            FrameSink frames,
            TruthSink truth,
            ReplayClock clock) {
        if (loops.isEmpty()) {
            throw new IllegalArgumentException("simulated cameras: none, expected at least one");
        }
        if (!(framesPerSecond > 0) || Double.isInfinite(framesPerSecond)) {
            throw new IllegalArgumentException(
                    "simulated cameras: "
                            + framesPerSecond
                            + " frames/s, expected a number above 0");
        }
        this.framesPerSecond = framesPerSecond;
        this.duration = duration;
        this.frames = frames;
        this.truth = truth;
        this.clock = clock;
        loops.forEach((id, loop) -> cameras.add(new Camera(id, loop, new AtomicLong())));
    }

    /**
     * Plays until the duration's end or {@link #close()}, and returns when all frames given out are
     * delivered. May be called once.
     *
     * @return frames per camera, all of them delivered
     * @throws IOException where a frame cannot be delivered or its truth not be kept
     * @throws InterruptedException where the calling thread is interrupted by anyone else than
     *     {@link #close()}
     */
    public Map<String, Long> run() throws IOException, InterruptedException {
        synchronized (lock) {
            playing = Thread.currentThread();
        }
        try {
            play();
        } catch (InterruptedException e) {
            if (!stopping) {
                throw e;
            }
        } finally {
            synchronized (lock) {
                playing = null;
                if (stopping) {
                    // Whoever closes the cameras means them, not what the thread does next.
                    Thread.interrupted();
                }
            }
        }
        frames.flush();
        return sent();
    }

    private void play() throws IOException, InterruptedException {
        long start = clock.nanoTime();
        for (long tick = 0; !stopping; tick++) {
            for (int i = 0; i < cameras.size(); i++) {
                double steps = tick + (double) i / cameras.size();
                long due = start + Math.round(steps / framesPerSecond * 1e9);
                if (duration != null
                        && Math.max(due, clock.nanoTime()) - start >= duration.toNanos()) {
                    return;
                }
                clock.sleepUntil(due);
                if (stopping) {
                    return;
                }
                give(cameras.get(i), tick);
            }
        }
    }

    private void give(Camera camera, long tick) throws IOException, InterruptedException {
        List<SimulatedFrame> loop = camera.loop.frames();
        long epoch = tick / loop.size();
        int seq = (int) (tick % loop.size());
        SimulatedFrame frame = loop.get(seq);
        SceneSettings scene = camera.loop.settings();
        long captureTimeMillis = clock.currentTimeMillis();
        truth.accept(
                new FrameTruth(
                        camera.id,
                        epoch,
                        seq,
                        captureTimeMillis,
                        scene.width(),
                        scene.height(),
                        frame.truth()));
        frames.accept(
                new EncodedFrame(
                        camera.id,
                        frame.jpeg(),
                        captureTimeMillis,
                        seq,
                        epoch,
                        Math.round(seq * TIMEBASE / framesPerSecond),
                        "1/" + TIMEBASE));
        camera.sent.incrementAndGet();
    }

    /** Frames given out so far, per camera. */
    public Map<String, Long> sent() {
        Map<String, Long> counts = new LinkedHashMap<>();
        cameras.forEach(camera -> counts.put(camera.id, camera.sent.get()));
        return Collections.unmodifiableMap(counts);
    }

    /** Ends the play after the frame at hand; {@link #run()} then returns. */
    @Override
    public void close() {
        synchronized (lock) {
            stopping = true;
            if (playing != null) {
                playing.interrupt();
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import io.sightline.camera.FrameSink;
import io.sightline.camera.ReplayClock;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;

/** Plays loops as cameras, at their frame rate; with each frame goes its truth. */
public final class SimulatedCameras implements AutoCloseable {

    /**
     * Cameras to sinks that stay the caller's to close.
     *
     * @param loops what each camera shows, by camera id
     * @param duration how long to play, or null: until {@link #close()}
     */
    public SimulatedCameras(
            Map<String, SceneLoop> loops,
            double framesPerSecond,
            Duration duration,
            FrameSink frames,
            TruthSink truth,
            ReplayClock clock) {}

    /**
     * Plays until the duration's end or {@link #close()}, and returns when all frames given out are
     * delivered. May be called once.
     *
     * @return frames per camera, all of them delivered
     */
    public Map<String, Long> run() throws IOException, InterruptedException {
        return sent();
    }

    /** Frames given out so far, per camera. */
    public Map<String, Long> sent() {
        return Map.of();
    }

    @Override
    public void close() {}
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.camera.CameraReplay;
import io.sightline.camera.FrameSink;
import io.sightline.camera.ReplayClock;
import io.sightline.camera.ReplayPlan;
import io.sightline.camera.VideoSource;
import io.sightline.camera.simulated.TruthSink;
import io.sightline.toolchain.Progress;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/** Cameras that play videos, at the rate asked for whatever the machine carries. */
public final class VideoCameras implements DemoCameras {

    private static final int SAMPLE = 16;

    private final ReplayPlan plan;
    private CameraReplay replay;
    private boolean stopped;

    public VideoCameras(ReplayPlan plan) {
        this.plan = plan;
    }

    @Override
    public List<byte[]> sample(Progress progress) throws IOException {
        for (String video : plan.videos()) {
            VideoSource.open(video).close();
        }
        String first = plan.videos().get(0);
        List<byte[]> pictures = CameraReplay.encodeAll(first, plan.jpegQuality(), SAMPLE);
        if (pictures.isEmpty()) {
            throw new IOException(
                    "video " + VideoSource.shown(first) + ": no picture could be decoded");
        }
        return pictures;
    }

    @Override
    public String settle(double carried) {
        return String.format(
                Locale.ROOT,
                "this machine carries %.0f frames/s; %d %s",
                carried,
                plan.cameraIds().size(),
                plan.cameraIds().size() == 1 ? "camera" : "cameras");
    }

    @Override
    public void prepare(Progress progress) {
        // Videos are decoded as they are played.
    }

    @Override
    public boolean truthIsKnown() {
        return false;
    }

    @Override
    public long play(FrameSink frames, TruthSink truth) throws IOException, InterruptedException {
        synchronized (this) {
            if (stopped) {
                return 0;
            }
            replay = new CameraReplay(plan, frames, ReplayClock.system());
        }
        return replay.run().values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public synchronized void stop() {
        stopped = true;
        if (replay != null) {
            replay.close();
        }
    }
}

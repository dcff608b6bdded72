// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.camera.FrameSink;
import io.sightline.camera.ReplayClock;
import io.sightline.camera.ReplayPlan;
import io.sightline.camera.simulated.Light;
import io.sightline.camera.simulated.Place;
import io.sightline.camera.simulated.SceneLoop;
import io.sightline.camera.simulated.SceneSettings;
import io.sightline.camera.simulated.SimulatedCameras;
import io.sightline.camera.simulated.SimulatedFrame;
import io.sightline.camera.simulated.TruthFile;
import io.sightline.camera.simulated.TruthSink;
import io.sightline.toolchain.Progress;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Simulated cameras: scenes rendered beforehand and played over and over, with their truth. */
public final class SceneCameras implements DemoCameras {

    /** First of the seeds of {@link #SCENES}; no model was trained on them. */
    public static final long SEED = 9_000_001;

    private static final int WIDTH = 1280;
    private static final int HEIGHT = 720;

    /** What camera i shows, modulo their number: further cameras share the pictures. */
    private static final List<Kind> SCENES =
            List.of(
                    new Kind(Place.STREET, Light.DAY, false),
                    new Kind(Place.STREET, Light.DUSK, false),
                    new Kind(Place.HALL, Light.DAY, false),
                    new Kind(Place.STREET, Light.NIGHT, false),
                    new Kind(Place.STREET, Light.DAY, true),
                    new Kind(Place.HALL, Light.DUSK, false),
                    new Kind(Place.STREET, Light.DUSK, true),
                    new Kind(Place.STREET, Light.NIGHT, true));

    private static final double LOOP_SECONDS = 10;

    /** Of all loops together: they are held in memory. */
    private static final int MAX_FRAMES = 400;

    private static final int SAMPLE_SCENES = 4;
    private static final int SAMPLE = 16;

    private record Kind(Place place, Light light, boolean rain) {}

    private final Settings settings;
    private Load load;
    private Map<String, SceneLoop> loops;
    private SimulatedCameras cameras;
    private boolean stopped;

    /**
     * What the user asks for.
     *
     * @param cameras how many; null for the usual number
     * @param framesPerSecond of each camera; null for the usual rate, or less where the machine
     *     does not carry it
     * @param seed of the first camera's scene; each further one has the next
     * @param duration how long they play; null: until they are stopped
     * @param jpegQuality 1 to 100
     * @param truthFile gets what is to be seen in each frame, a line each; null for nowhere
     */
    public record Settings(
            Integer cameras,
            Double framesPerSecond,
            long seed,
            Duration duration,
            int jpegQuality,
            Path truthFile) {

        /**
         * @throws IllegalArgumentException if a number is out of its range
         */
        public Settings {
            require("--cameras", cameras, cameras == null || cameras >= 1);
            require(
                    "--fps",
                    framesPerSecond,
                    framesPerSecond == null
                            || (framesPerSecond > 0 && Double.isFinite(framesPerSecond)));
            require("--duration", duration, duration == null || !duration.isZero());
            if (jpegQuality < 1 || jpegQuality > 100) {
                throw new IllegalArgumentException(
                        "JPEG quality " + jpegQuality + ": expected 1 to 100");
            }
        }

        private static void require(String option, Object value, boolean holds) {
            if (!holds) {
                throw new IllegalArgumentException(
                        option + " is " + value + ", expected more than 0");
            }
        }
    }

    public SceneCameras(Settings settings) {
        this.settings = settings;
    }

    /** So many pictures of several scenes. */
    public static List<byte[]> pictures(long seed, int count, int jpegQuality) {
        List<byte[]> pictures = new ArrayList<>();
        for (int i = 0; i < SAMPLE_SCENES && pictures.size() < count; i++) {
            int frames = (count - pictures.size()) / (SAMPLE_SCENES - i);
            SceneLoop.render(
                            scene(seed, i),
                            Load.FRAMES_PER_SECOND,
                            Math.max(1, frames),
                            jpegQuality)
                    .frames()
                    .stream()
                    .map(SimulatedFrame::jpeg)
                    .forEach(pictures::add);
        }
        return pictures;
    }

    private static SceneSettings scene(long seed, int index) {
        Kind kind = SCENES.get(index);
        return new SceneSettings(
                seed + index, WIDTH, HEIGHT, kind.place(), kind.light(), kind.rain());
    }

    @Override
    public List<byte[]> sample() {
        return pictures(settings.seed(), SAMPLE, settings.jpegQuality());
    }

    @Override
    public String settle(double carried) {
        load = Load.decide(settings.cameras(), settings.framesPerSecond(), carried);
        return load.toString();
    }

    /** Renders every scene once, side by side. */
    @Override
    public void prepare(Progress progress) throws InterruptedException {
        int scenes = Math.min(load.cameras(), SCENES.size());
        int frames = framesOfLoop(scenes);
        ExecutorService threads =
                Executors.newFixedThreadPool(
                        Math.min(scenes, Runtime.getRuntime().availableProcessors()));
        try {
            ExecutorCompletionService<Void> rendering = new ExecutorCompletionService<>(threads);
            SceneLoop[] rendered = new SceneLoop[scenes];
            for (int i = 0; i < scenes; i++) {
                int index = i;
                rendering.submit(
                        () -> {
                            rendered[index] =
                                    SceneLoop.render(
                                            scene(settings.seed(), index),
                                            load.framesPerSecond(),
                                            frames,
                                            settings.jpegQuality());
                            return null;
                        });
            }
            for (int i = 0; i < scenes; i++) {
                progress.step("rendering scenes", i, scenes);
                rendering.take().get();
            }
            loops = new LinkedHashMap<>();
            List<String> ids = ReplayPlan.numberedCameras(load.cameras());
            for (int i = 0; i < ids.size(); i++) {
                loops.put(ids.get(i), rendered[i % scenes]);
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a scene cannot be rendered", e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    private int framesOfLoop(int scenes) {
        double seconds = LOOP_SECONDS;
        if (settings.duration() != null) {
            seconds = Math.min(seconds, settings.duration().toNanos() / 1e9);
        }
        int frames = (int) Math.ceil(seconds * load.framesPerSecond());
        return Math.max(1, Math.min(frames, MAX_FRAMES / scenes));
    }

    @Override
    public boolean truthIsKnown() {
        return true;
    }

    @Override
    public long play(FrameSink frames, TruthSink truth) throws IOException, InterruptedException {
        if (settings.truthFile() == null) {
            return playTo(frames, truth);
        }
        try (TruthFile file = new TruthFile(settings.truthFile())) {
            return playTo(
                    frames,
                    frame -> {
                        file.accept(frame);
                        truth.accept(frame);
                    });
        }
    }

    private long playTo(FrameSink frames, TruthSink truth)
            throws IOException, InterruptedException {
        synchronized (this) {
            if (stopped) {
                return 0;
            }
            cameras =
                    new SimulatedCameras(
                            loops,
                            load.framesPerSecond(),
                            settings.duration(),
                            frames,
                            truth,
                            ReplayClock.system());
        }
        return cameras.run().values().stream().mapToLong(Long::longValue).sum();
    }

    @Override
    public synchronized void stop() {
        stopped = true;
        if (cameras != null) {
            cameras.close();
        }
    }
}

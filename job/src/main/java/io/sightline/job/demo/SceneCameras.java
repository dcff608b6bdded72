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
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Simulated cameras: scenes rendered beforehand and played over and over, with their truth. */
public final class SceneCameras implements DemoCameras {

    /**
     * First of the seeds of {@link #SCENES}, of which no model was trained on any: the first one
     * whose four usual cameras see at least five objects of every class.
     */
    public static final long SEED = 9_000_033;

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
    private static final int SAMPLE_OF_EACH = 2;

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

    /**
     * Pictures of several scenes.
     *
     * @param count how many; rounded up to as many of each scene
     */
    public static List<byte[]> pictures(int count, int jpegQuality, Progress progress)
            throws InterruptedException {
        int ofEach = (count + SAMPLE_SCENES - 1) / SAMPLE_SCENES;
        return pictures(SEED, ofEach, jpegQuality, progress);
    }

    private static List<byte[]> pictures(long seed, int ofEach, int jpegQuality, Progress progress)
            throws InterruptedException {
        return render(SAMPLE_SCENES, seed, Load.FRAMES_PER_SECOND, ofEach, jpegQuality, progress)
                .stream()
                .flatMap(loop -> loop.frames().stream())
                .map(SimulatedFrame::jpeg)
                .toList();
    }

    private static List<SceneLoop> render(
            int scenes,
            long seed,
            double framesPerSecond,
            int frames,
            int jpegQuality,
            Progress progress)
            throws InterruptedException {
        return SceneLoop.render(
                IntStream.range(0, scenes).mapToObj(index -> scene(seed, index)).toList(),
                framesPerSecond,
                frames,
                jpegQuality,
                done -> progress.step("rendering scenes", done, scenes * frames));
    }

    private static SceneSettings scene(long seed, int index) {
        Kind kind = SCENES.get(index);
        return new SceneSettings(
                seed + index, WIDTH, HEIGHT, kind.place(), kind.light(), kind.rain());
    }

    @Override
    public List<byte[]> sample(Progress progress) throws InterruptedException {
        return pictures(settings.seed(), SAMPLE_OF_EACH, settings.jpegQuality(), progress);
    }

    @Override
    public String settle(double carried) {
        load = Load.decide(settings.cameras(), settings.framesPerSecond(), carried);
        return load.toString();
    }

    @Override
    public void prepare(Progress progress) throws InterruptedException {
        int scenes = Math.min(load.cameras(), SCENES.size());
        loops =
                SceneLoop.share(
                        ReplayPlan.numberedCameras(load.cameras()),
                        render(
                                scenes,
                                settings.seed(),
                                load.framesPerSecond(),
                                SceneLoop.frames(
                                        LOOP_SECONDS,
                                        settings.duration(),
                                        load.framesPerSecond(),
                                        MAX_FRAMES / scenes),
                                settings.jpegQuality(),
                                progress));
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

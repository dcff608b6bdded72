// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;

/**
 * Some seconds of a scene, rendered and encoded beforehand, to be played again and again: giving
 * out its frames costs next to nothing.
 *
 * @param settings the scene
 * @param frames the frames, in order
 */
public record SceneLoop(SceneSettings settings, List<SimulatedFrame> frames) {

    /**
     * Checks and copies.
     *
     * @throws IllegalArgumentException where there is no frame
     */
    public SceneLoop {
        frames = List.copyOf(frames);
        if (frames.isEmpty()) {
            throw new IllegalArgumentException("scene loop: no frames, expected at least one");
        }
    }

    /**
     * How many frames a loop takes.
     *
     * @param longestSeconds that it may last
     * @param play how long it will be played, and need not last longer; null where that is open
     * @param framesPerSecond at which it is played
     * @param most that there may be
     * @return at least 1
     */
    public static int frames(
            double longestSeconds, Duration play, double framesPerSecond, long most) {
        double seconds =
                play == null ? longestSeconds : Math.min(longestSeconds, play.toNanos() / 1e9);
        return (int) Math.max(1, Math.min((long) Math.ceil(seconds * framesPerSecond), most));
    }

    /**
     * Renders loops, each from its scene's time 0 on, as many side by side as there are cores.
     *
     * @param framesPerSecond the rate at which what they show moves as in life
     * @param frames how many of each, at least 1
     * @param jpegQuality 1 to 100
     * @param done is told, by any thread, how many frames of all are rendered
     */
    public static List<SceneLoop> render(
            List<SceneSettings> scenes,
            double framesPerSecond,
            int frames,
            int jpegQuality,
            IntConsumer done)
            throws InterruptedException {
        AtomicInteger rendered = new AtomicInteger();
        ExecutorService threads =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        try {
            List<Future<SceneLoop>> rendering = new ArrayList<>();
            for (SceneSettings scene : scenes) {
                rendering.add(
                        threads.submit(
                                () ->
                                        render(
                                                scene,
                                                framesPerSecond,
                                                frames,
                                                jpegQuality,
                                                () -> done.accept(rendered.incrementAndGet()))));
            }
            List<SceneLoop> loops = new ArrayList<>();
            for (Future<SceneLoop> loop : rendering) {
                loops.add(loop.get());
            }
            return loops;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a scene cannot be rendered", e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    /** Gives every camera a loop; where there are fewer of them, several cameras show the same. */
    public static Map<String, SceneLoop> share(List<String> cameras, List<SceneLoop> loops) {
        Map<String, SceneLoop> shared = new LinkedHashMap<>();
        for (int i = 0; i < cameras.size(); i++) {
            shared.put(cameras.get(i), loops.get(i % loops.size()));
        }
        return shared;
    }

    private static SceneLoop render(
            SceneSettings settings,
            double framesPerSecond,
            int frames,
            int jpegQuality,
            Runnable done) {
        List<SimulatedFrame> rendered = new ArrayList<>(frames);
        try (Scene scene = new Scene(settings)) {
            for (int i = 0; i < frames; i++) {
                scene.render(i / framesPerSecond);
                rendered.add(new SimulatedFrame(scene.jpeg(jpegQuality), scene.truth()));
                done.run();
            }
        }
        return new SceneLoop(settings, rendered);
    }
}

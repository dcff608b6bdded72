// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/**
 * Writes pictures of many scenes as a training or test set: {@code images/*.jpg}; {@code
 * labels/*.txt} with the truth that counts, a line {@code class cx cy w h} each; {@code
 * ignore/*.txt} with what does not count, {@code cx cy w h}; and {@code truth.jsonl} with all of
 * it. Coordinates in the text files are parts of the picture's width and height.
 *
 * @param seed of the first scene; the next ones have the numbers after it
 * @param scenes how many scenes
 * @param framesPerScene pictures of each
 * @param framesPerSecond how close together in time they are
 * @param width of the pictures, in pixels
 * @param height of the pictures, in pixels
 * @param jpegQuality 1 to 100
 */
public record SceneDataset(
        long seed,
        int scenes,
        int framesPerScene,
        double framesPerSecond,
        int width,
        int height,
        int jpegQuality) {

    /** The input that a picture is scaled to before it is judged what counts in it. */
    private static final int NETWORK_WIDTH = 640;

    private static final int NETWORK_HEIGHT = 384;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException where one is out of its range
     */
    public SceneDataset {
        if (scenes < 1 || framesPerScene < 1 || !(framesPerSecond > 0)) {
            throw new IllegalArgumentException(
                    "dataset of "
                            + scenes
                            + " scenes with "
                            + framesPerScene
                            + " frames at "
                            + framesPerSecond
                            + " frames/s: expected at least one of each, and a rate above 0");
        }
        if (jpegQuality < 1 || jpegQuality > 100) {
            throw new IllegalArgumentException(
                    "JPEG quality " + jpegQuality + ": expected 1 to 100");
        }
        SceneSettings.requireSize(width, height);
    }

    /**
     * Renders and writes everything, on all cores.
     *
     * @param done is told after each scene how many are written
     * @throws IOException where the folder cannot be written
     */
    public void write(Path folder, IntConsumer done) throws IOException, InterruptedException {
        for (String part : List.of("images", "labels", "ignore")) {
            Files.createDirectories(folder.resolve(part));
        }
        ExecutorService threads =
                Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
        try (TruthFile truth = new TruthFile(folder.resolve("truth.jsonl"))) {
            List<Future<List<FrameTruth>>> written = new ArrayList<>();
            for (int i = 0; i < scenes; i++) {
                int scene = i;
                written.add(threads.submit(() -> writeScene(folder, scene)));
            }
            for (int i = 0; i < scenes; i++) {
                for (FrameTruth frame : written.set(i, null).get()) {
                    truth.accept(frame);
                }
                done.accept(i + 1);
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            throw new IllegalStateException("dataset " + folder + ": a scene failed", e.getCause());
        } finally {
            threads.shutdownNow();
        }
    }

    private List<FrameTruth> writeScene(Path folder, int index) throws IOException {
        List<FrameTruth> truth = new ArrayList<>();
        SceneSettings settings = SceneSettings.ofSeed(seed + index, width, height);
        try (Scene scene = new Scene(settings)) {
            for (int frame = 0; frame < framesPerScene; frame++) {
                double seconds = frame / framesPerSecond;
                scene.render(seconds);
                String camera = String.format(Locale.ROOT, "scene-%d", seed + index);
                String name = camera + "-" + frame;
                Files.write(
                        folder.resolve("images").resolve(name + ".jpg"), scene.jpeg(jpegQuality));
                writeLabels(folder, name, scene.truth());
                truth.add(
                        new FrameTruth(
                                camera,
                                0,
                                frame,
                                Math.round(1000 * seconds),
                                width,
                                height,
                                scene.truth()));
            }
        }
        return truth;
    }

    private void writeLabels(Path folder, String name, List<TrueObject> objects)
            throws IOException {
        double scale = Math.min((double) NETWORK_WIDTH / width, (double) NETWORK_HEIGHT / height);
        StringBuilder labels = new StringBuilder();
        StringBuilder ignored = new StringBuilder();
        for (TrueObject object : objects) {
            String box =
                    String.format(
                            Locale.ROOT,
                            "%.6f %.6f %.6f %.6f%n",
                            (object.x1() + object.x2()) / 2 / width,
                            (object.y1() + object.y2()) / 2 / height,
                            (object.x2() - object.x1()) / width,
                            (object.y2() - object.y1()) / height);
            if (object.counts(scale)) {
                labels.append(object.objectClass().id()).append(' ').append(box);
            } else {
                ignored.append(box);
            }
        }
        Files.writeString(folder.resolve("labels").resolve(name + ".txt"), labels);
        Files.writeString(folder.resolve("ignore").resolve(name + ".txt"), ignored);
    }
}

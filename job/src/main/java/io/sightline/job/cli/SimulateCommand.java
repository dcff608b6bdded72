// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.camera.simulated.SceneDataset;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./sightline simulate}: pictures of simulated cameras, with what is to be seen in them. */
@Command(
        name = "simulate",
        description = "Render what simulated cameras see, with exact ground truth.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class SimulateCommand implements Callable<Integer> {

    private static final Pattern SIZE = Pattern.compile("(\\d{2,4})x(\\d{2,4})");

    @Option(
            names = "--output",
            required = true,
            paramLabel = "DIR",
            description = "Folder to write images/, labels/, ignore/ and truth.jsonl to.")
    Path output;

    @Option(names = "--scenes", paramLabel = "N", defaultValue = "10", description = "Scenes.")
    int scenes;

    @Option(
            names = "--frames-per-scene",
            paramLabel = "N",
            defaultValue = "5",
            description = "Pictures of each scene.")
    int framesPerScene;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of the first scene; the next have the numbers after it.")
    long seed;

    @Option(
            names = "--size",
            paramLabel = "WxH",
            defaultValue = "1280x720",
            description = "Of the pictures, pixels.")
    String size;

    @Option(
            names = "--fps",
            paramLabel = "F",
            defaultValue = "0.4",
            description = "Pictures per second of the scene's time.")
    double fps;

    @Option(
            names = "--jpeg-quality",
            paramLabel = "1..100",
            defaultValue = "90",
            description = "Quality of the pictures.")
    int jpegQuality;

    @Override
    public Integer call() throws Exception {
        Matcher sides = SIZE.matcher(size);
        if (!sides.matches()) {
            throw new IllegalArgumentException(
                    "--size " + size + ": expected width x height in pixels, such as 1280x720");
        }
        SceneDataset dataset =
                new SceneDataset(
                        seed,
                        scenes,
                        framesPerScene,
                        fps,
                        Integer.parseInt(sides.group(1)),
                        Integer.parseInt(sides.group(2)),
                        jpegQuality);
        try (ProgressLine progress = ProgressLine.open()) {
            dataset.write(output, done -> progress.step("scenes", done, scenes));
        }
        System.out.printf("%d pictures written to %s%n", scenes * framesPerScene, output);
        return 0;
    }
}

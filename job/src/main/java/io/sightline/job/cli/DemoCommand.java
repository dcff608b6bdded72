// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.camera.JpegEncoder;
import io.sightline.camera.Pace;
import io.sightline.camera.ReplayPlan;
import io.sightline.job.ModelChoice;
import io.sightline.job.UserException;
import io.sightline.job.demo.Demo;
import io.sightline.job.demo.DemoCameras;
import io.sightline.job.demo.SceneCameras;
import io.sightline.job.demo.VideoCameras;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./sightline demo}. */
@Command(
        name = "demo",
        description =
                "Show Sightline at work in one process: a Kafka broker, Flink, cameras, the job and the live page. Without options: four simulated cameras and the bundled model, until Ctrl-C.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class DemoCommand implements Callable<Integer> {

    private static final int JPEG_QUALITY = 90;

    @Option(
            names = "--video",
            paramLabel = "FILE",
            description = "Video that the cameras play, in place of simulated scenes; repeatable.")
    List<String> videos;

    @Mixin ModelChoice model;

    @Option(
            names = "--cameras",
            paramLabel = "N",
            description =
                    "Number of cameras: 4 simulated ones, or one a video; camera i plays video i modulo the videos.")
    Integer cameras;

    @Option(
            names = "--fps",
            paramLabel = "F",
            description =
                    "Frames per second and camera. Absent: 5, or without --cameras less where this machine does not carry it; of videos, their own rate.")
    Double fps;

    @Option(
            names = "--duration",
            paramLabel = "DURATION",
            description =
                    "Play for that long, such as 30s, videos over and over. Absent: until Ctrl-C; videos once.")
    Duration duration;

    @Option(
            names = "--seed",
            paramLabel = "SEED",
            description = "Draws the simulated scenes: equal seeds show equal pictures.")
    Long seed;

    @Option(
            names = "--jpeg-quality",
            paramLabel = "1..100",
            description =
                    "Quality of the cameras' frames: "
                            + JPEG_QUALITY
                            + ", of videos "
                            + JpegEncoder.DEFAULT_QUALITY
                            + ".")
    Integer jpegQuality;

    @Option(
            names = "--events",
            paramLabel = "FILE",
            description =
                    "Write the events to that file, a line of JSON each; of simulated cameras with objects of low score as well, which scoring needs.")
    Path events;

    @Option(
            names = "--truth",
            paramLabel = "FILE",
            description =
                    "Write what is to be seen in each frame of the simulated cameras to that file, a line of JSON each.")
    Path truth;

    @Option(names = "--no-ui", description = "Do not serve the live page.")
    boolean noUi;

    @Override
    public Integer call() throws Exception {
        DemoCameras playing = videos == null ? scenes() : videos();
        requireWritable("--events", events);
        requireWritable("--truth", truth);
        try (ProgressLine progress = ProgressLine.open()) {
            System.out.println(new Demo(model, playing, events, !noUi, progress, System.out).run());
        }
        return 0;
    }

    /** Before anything is measured or started. */
    private static void requireWritable(String option, Path file) {
        if (file == null) {
            return;
        }
        try {
            Files.newOutputStream(file).close();
        } catch (IOException e) {
            throw new UserException(
                    option
                            + " "
                            + file
                            + " cannot be written: is it in a folder that exists and is yours?",
                    e);
        }
    }

    private DemoCameras scenes() {
        return new SceneCameras(
                new SceneCameras.Settings(
                        cameras,
                        fps,
                        seed == null ? SceneCameras.SEED : seed,
                        duration,
                        jpegQuality == null ? JPEG_QUALITY : jpegQuality,
                        truth));
    }

    private DemoCameras videos() {
        if (seed != null || truth != null) {
            throw new UserException(
                    "--seed and --truth are for simulated cameras, --video for others: leave one out");
        }
        return new VideoCameras(
                new ReplayPlan(
                        videos,
                        ReplayPlan.numberedCameras(cameras == null ? videos.size() : cameras),
                        jpegQuality == null ? JpegEncoder.DEFAULT_QUALITY : jpegQuality,
                        fps == null ? Pace.asFilmed() : Pace.fps(fps),
                        duration != null,
                        duration));
    }
}

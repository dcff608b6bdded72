// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.camera.Pace;
import io.sightline.camera.ReplayPlan;
import io.sightline.job.ModelChoice;
import io.sightline.job.demo.Demo;
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
                "Show Sightline at work in one process: a Kafka broker, Flink, cameras and the job.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class DemoCommand implements Callable<Integer> {

    @Option(
            names = "--video",
            required = true,
            paramLabel = "FILE",
            description = "Video that the cameras play; repeatable.")
    List<String> videos;

    @Mixin ModelChoice model;

    @Option(
            names = "--cameras",
            paramLabel = "N",
            description =
                    "Number of cameras; camera i plays video i modulo the videos. Default: one a video.")
    Integer cameras;

    @Option(
            names = "--fps",
            paramLabel = "F",
            description = "Frames per second and camera; the video's own rate where absent.")
    Double fps;

    @Option(
            names = "--duration",
            paramLabel = "DURATION",
            description =
                    "Play the videos over and over for that long, such as 30s; once where absent.")
    Duration duration;

    @Option(
            names = "--jpeg-quality",
            paramLabel = "1..100",
            defaultValue = "95",
            description = "Quality of the cameras' frames.")
    int jpegQuality;

    @Option(
            names = "--events",
            paramLabel = "FILE",
            description = "Write the events to that file, a line of JSON each.")
    Path events;

    @Override
    public Integer call() throws Exception {
        ReplayPlan plan =
                new ReplayPlan(
                        videos,
                        ReplayPlan.numberedCameras(cameras == null ? videos.size() : cameras),
                        jpegQuality,
                        fps == null ? Pace.asFilmed() : Pace.fps(fps),
                        duration != null,
                        duration);
        System.out.println(new Demo(model, plan, events, System.out).run());
        return 0;
    }
}

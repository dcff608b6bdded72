// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.camera.CameraReplay;
import io.sightline.camera.JpegEncoder;
import io.sightline.job.ModelChoice;
import io.sightline.job.UserException;
import io.sightline.job.bench.Bench;
import io.sightline.job.demo.SceneCameras;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./sightline bench}. */
@Command(
        name = "bench",
        description =
                "Measure what the job costs beyond the engine: the bare engine, the same work without Kafka and Flink, and the whole job.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class BenchCommand implements Callable<Integer> {

    /** Each takes a while to render, and none is easier to decode than the others. */
    private static final int SIMULATED = 40;

    @Option(
            names = "--video",
            paramLabel = "FILE",
            description = "Video whose pictures are the frames; absent: simulated scenes.")
    String video;

    @Mixin ModelChoice model;

    @Option(
            names = "--workers",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads that decode, and on a CPU lanes; 0 for one a core.")
    int workers;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "5",
            description = "Rounds that count; one more warms up.")
    int rounds;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "8",
            description = "Length of each part of a round.")
    double seconds;

    @Option(
            names = "--pictures",
            paramLabel = "N",
            defaultValue = "200",
            description =
                    "Most pictures that are used, in turn; of simulated scenes "
                            + SIMULATED
                            + " suffice.")
    int pictures;

    @Option(
            names = "--jpeg-quality",
            paramLabel = "1..100",
            defaultValue = "" + JpegEncoder.DEFAULT_QUALITY,
            description = "Quality of the frames.")
    int jpegQuality;

    private List<byte[]> frames() throws IOException, InterruptedException {
        if (video != null) {
            return CameraReplay.encodeAll(video, jpegQuality, pictures);
        }
        try (ProgressLine progress = ProgressLine.open()) {
            return SceneCameras.pictures(Math.min(pictures, SIMULATED), jpegQuality, progress);
        }
    }

    @Override
    public Integer call() throws Exception {
        if (workers < 0 || rounds < 1 || pictures < 1 || !(seconds > 0)) {
            throw new UserException(
                    "--workers, --rounds, --pictures and --seconds are "
                            + List.of(workers, rounds, pictures, seconds)
                            + ", expected more than zero");
        }
        model.requireHere();
        List<byte[]> frames = frames();
        int threads = workers > 0 ? workers : Runtime.getRuntime().availableProcessors();
        try (Bench bench = new Bench(model, frames, threads, rounds, seconds)) {
            bench.run(System.out);
        }
        return 0;
    }
}

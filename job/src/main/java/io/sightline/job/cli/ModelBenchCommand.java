// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.camera.CameraReplay;
import io.sightline.camera.JpegEncoder;
import io.sightline.inference.tensorrt.TensorRtEngines;
import io.sightline.job.ModelChoice;
import io.sightline.job.UserException;
import io.sightline.job.bench.EngineTiming;
import io.sightline.job.bench.OpenCloseTrial;
import io.sightline.job.demo.SceneCameras;
import io.sightline.toolchain.evaluate.LabelledImages;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./sightline model bench}. */
@Command(
        name = "bench",
        description =
                "Time a model's engine: by itself, with copies, behind the batcher, and from JPEGs.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class ModelBenchCommand implements Callable<Integer> {

    private static final int PICTURES = 40;

    @Mixin ModelChoice model;

    @Option(
            names = "--batches",
            paramLabel = "N",
            split = ",",
            defaultValue = "1,8,32",
            description =
                    "Largest batches to time, with tensorrt all on the engine for the largest; a model with a fixed batch has only that.")
    List<Integer> batches;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads that fill batches; 0 for one a core.")
    int threads;

    @Option(
            names = "--seconds",
            paramLabel = "S",
            defaultValue = "5",
            description = "Length of each measurement.")
    double seconds;

    @Option(
            names = "--open-close",
            paramLabel = "N",
            description =
                    "Instead: open and close a lane so often, let a tenth as many loads fail, and say what memory was in use before, half-way and after.")
    Integer openClose;

    @Option(
            names = "--video",
            paramLabel = "FILE",
            description = "Video whose pictures are the frames; absent: simulated scenes.")
    String video;

    @Option(
            names = "--images",
            paramLabel = "DIR",
            description =
                    "Folder whose JPEGs are the frames, and not a video's or simulated scenes.")
    Path images;

    @Override
    public Integer call() throws Exception {
        if (openClose != null) {
            return tryOpenAndClose();
        }
        if (threads < 0 || !(seconds > 0) || batches.stream().anyMatch(batch -> batch < 1)) {
            throw new UserException(
                    "--batches, --threads and --seconds are "
                            + List.of(batches, threads, seconds)
                            + ", expected more than zero");
        }
        model.requireHere();
        if (model.onGpu()) {
            System.out.println(TensorRtEngines.describe(model.gpu()));
        }
        new EngineTiming(
                        model,
                        pictures(),
                        threads > 0 ? threads : Runtime.getRuntime().availableProcessors(),
                        seconds)
                .run(batches, System.out);
        return 0;
    }

    private int tryOpenAndClose() throws IOException {
        if (openClose < 1 || model.file() == null) {
            throw new UserException(
                    "--open-close is %d with --model %s: expected at least 1, and a file"
                            .formatted(openClose, model.file()));
        }
        model.requireHere();
        new OpenCloseTrial(model, openClose, Math.max(1, openClose / 10)).run(System.out);
        return 0;
    }

    private List<byte[]> pictures() throws IOException, InterruptedException {
        if (images != null) {
            List<byte[]> found = new ArrayList<>();
            for (Path picture : LabelledImages.picturesIn(LabelledImages.picturesOf(images))) {
                found.add(Files.readAllBytes(picture));
            }
            return found;
        }
        if (video != null) {
            return CameraReplay.encodeAll(video, JpegEncoder.DEFAULT_QUALITY, PICTURES);
        }
        try (ProgressLine progress = ProgressLine.open()) {
            return SceneCameras.pictures(PICTURES, JpegEncoder.DEFAULT_QUALITY, progress);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.tensorrt.Int8Report;
import io.sightline.inference.tensorrt.TensorRtEngines;
import io.sightline.job.EngineFlags;
import io.sightline.job.ModelChoice;
import io.sightline.job.UserException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./sightline model build}: a TensorRT engine for the GPU of this machine. */
@Command(
        name = "build",
        description =
                "Build a TensorRT engine for the GPU at hand, and say which convolutions it computes in int8. Jobs build what is missing by themselves; this does it beforehand.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class BuildCommand implements Callable<Integer> {

    @Option(
            names = {"--onnx", "--model"},
            required = true,
            paramLabel = "FILE",
            description = "ONNX model; quantised for TensorRT, or float.")
    Path onnx;

    @Option(
            names = "--max-batch",
            paramLabel = "N",
            defaultValue = "" + ModelChoice.MAX_BATCH_ON_GPU,
            description = "Most frames in one run, where the model leaves its batch open.")
    int maxBatch;

    @Mixin EngineFlags engine;

    @Option(
            names = "--gpu-device",
            paramLabel = "N",
            defaultValue = "0",
            description = "GPU, as the CUDA driver counts.")
    int gpuDevice;

    @Option(names = "--rebuild", description = "Build it even if it is there.")
    boolean rebuild;

    @Override
    public Integer call() {
        if (maxBatch < 1) {
            throw new UserException("--max-batch is " + maxBatch + ", expected at least 1");
        }
        TensorRtEngines engines =
                new TensorRtEngines(
                        ModelFile.read(onnx),
                        ModelOptions.of(engine.layout(), null, engine.inputSize()),
                        engine.precision(),
                        maxBatch,
                        engine.cacheFolder());
        TensorRtEngines.Built built = engines.build(gpuDevice, rebuild, System.err::println);
        System.out.printf(
                Locale.ROOT,
                "%s: %s, %s, batches %s, %s %.1f s%n",
                built.file(),
                built.gpu(),
                built.precision().label(),
                built.profiles(),
                built.built() ? "built in" : "was there, built before in",
                built.buildSeconds());
        if (built.int8() != null) {
            print(built.int8());
        }
        return 0;
    }

    private static void print(Int8Report int8) {
        System.out.printf(
                "%d of %d quantised convolutions read int8%n", int8.int8(), int8.quantised());
        int8.exceptions().forEach(exception -> System.out.println("  not in int8: " + exception));
    }
}

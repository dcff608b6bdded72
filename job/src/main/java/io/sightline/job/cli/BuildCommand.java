// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.tensorrt.Int8Report;
import io.sightline.inference.tensorrt.Precision;
import io.sightline.inference.tensorrt.TensorRtEngines;
import io.sightline.job.ModelChoice;
import io.sightline.job.UserException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
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

    @Option(
            names = "--precision",
            paramLabel = "PRECISION",
            description =
                    "int8, fp16 or fp32; absent: int8 where the model is quantised, else fp16.")
    Precision precision;

    @Option(
            names = "--layout",
            paramLabel = "LAYOUT",
            description =
                    "Output layout, where model and ModelSpec leave it open: anchors-obj, channels-first, pairs, end2end.")
    OutputLayout layout;

    @Option(
            names = "--input-size",
            paramLabel = "WxH",
            description =
                    "Size of the network's input in multiples of 32, such as 640x640, for models that leave it open; the ModelSpec's where absent.")
    InputSize inputSize;

    @Option(
            names = "--gpu-device",
            paramLabel = "N",
            defaultValue = "0",
            description = "GPU, as the CUDA driver counts.")
    int gpuDevice;

    @Option(
            names = "--engine-cache",
            paramLabel = "DIR",
            description = "Folder of engines; absent: .cache/sightline/engines in the user's home.")
    Path engineCache;

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
                        ModelOptions.of(layout, null, inputSize),
                        precision,
                        maxBatch,
                        engineCache == null ? TensorRtEngines.defaultCache() : engineCache);
        TensorRtEngines.Built engine = engines.build(gpuDevice, rebuild, System.err::println);
        System.out.printf(
                Locale.ROOT,
                "%s: %s, %s, batches %s, %s %.1f s%n",
                engine.file(),
                engine.gpu(),
                engine.precision().label(),
                engine.profiles(),
                engine.built() ? "built in" : "was there, built before in",
                engine.buildSeconds());
        if (engine.int8() != null) {
            print(engine.int8());
        }
        return 0;
    }

    private static void print(Int8Report int8) {
        System.out.printf(
                "%d of %d quantised convolutions read int8%n", int8.int8(), int8.quantised());
        int8.exceptions().forEach(exception -> System.out.println("  not in int8: " + exception));
    }
}

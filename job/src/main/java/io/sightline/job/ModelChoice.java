// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.FileBackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackendFactory;
import io.sightline.inference.tensorrt.TensorRtBackendFactory;
import io.sightline.inference.tensorrt.TensorRtEngines;
import io.sightline.vision.Interpolation;
import io.sightline.vision.NmsSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that say which network looks at the frames and how: the same for every command that
 * runs one.
 */
public final class ModelChoice {

    /** What runs the network. */
    public enum Backend {
        /** ONNX Runtime on the CPU. */
        ONNXRUNTIME,
        /** TensorRT on an NVIDIA GPU. */
        TENSORRT
    }

    /** A GPU computes many frames in little more time than one. */
    public static final int MAX_BATCH_ON_GPU = 32;

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description =
                    "ONNX model; on a cluster the path on the task managers. A ModelSpec of the same name ending in .json may lie beside it. Without it the bundled model, which knows persons and vehicles.")
    Path file;

    @Option(
            names = "--border",
            paramLabel = "PIXELS",
            description =
                    "Gray border of the letterbox, where the ModelSpec's is not wanted (YOLOv6: 1 to 6); 0 where nobody says one.")
    Integer border;

    @Option(
            names = "--backend",
            paramLabel = "BACKEND",
            defaultValue = "onnxruntime",
            description = "What runs the network: onnxruntime (CPU), or tensorrt (NVIDIA GPU).")
    Backend backend;

    @Option(
            names = "--gpu-device",
            paramLabel = "N",
            description =
                    "GPU for TensorRT, as the CUDA driver counts; absent: those that Flink assigns (external resource gpu), else 0.")
    Integer gpuDevice;

    @Mixin EngineFlags engine;

    @Option(
            names = "--confidence",
            paramLabel = "0..1",
            description = "Least score of an object; the model's own where absent.")
    Float confidence;

    @Option(
            names = "--iou",
            paramLabel = "0..1",
            description =
                    "Overlap above which the lesser of two boxes of a class is suppressed; the model's own where absent.")
    Float iou;

    @Option(
            names = "--interpolation",
            paramLabel = "KIND",
            defaultValue = "linear",
            description =
                    "How frames are resized: linear, or yolov6 (area when shrinking, as YOLOv6 evaluates).")
    Interpolation interpolation;

    /** The same network at another least score. */
    public ModelChoice withConfidence(float other) {
        ModelChoice choice = copy();
        choice.confidence = other;
        return choice;
    }

    /** Another file, to be run in the same way. */
    public ModelChoice withFile(Path other) {
        ModelChoice choice = copy();
        choice.file = other;
        return choice;
    }

    private ModelChoice copy() {
        ModelChoice choice = new ModelChoice();
        choice.file = file;
        choice.engine = engine;
        choice.border = border;
        choice.backend = backend;
        choice.gpuDevice = gpuDevice;
        choice.confidence = confidence;
        choice.iou = iou;
        choice.interpolation = interpolation;
        return choice;
    }

    void validate(List<String> problems) {
        if (border != null) {
            DetectionOptions.atLeast(problems, "--border", border, 0);
        }
        fraction(problems, "--confidence", confidence);
        fraction(problems, "--iou", iou);
        if (backend == Backend.TENSORRT) {
            if (gpuDevice != null) {
                DetectionOptions.atLeast(problems, "--gpu-device", gpuDevice, 0);
            }
        } else if (engine.precision() != null
                || gpuDevice != null
                || engine.cacheFolder() != null) {
            problems.add(
                    "--precision, --gpu-device and --engine-cache are for --backend tensorrt: leave them out");
        }
    }

    private static void fraction(List<String> problems, String option, Float value) {
        if (value != null && !(value >= 0 && value <= 1)) {
            problems.add(option + " is " + value + ", expected 0 to 1");
        }
    }

    /**
     * For commands that run the network on this machine.
     *
     * @throws UserException if the model file is not there, or an option is out of range
     * @throws InferenceException if the backend needs a GPU and there is none
     */
    public void requireHere() {
        List<String> problems = new ArrayList<>();
        validate(problems);
        if (file != null && !Files.isRegularFile(file)) {
            problems.add("--model " + file + ": no such file");
        }
        if (!problems.isEmpty()) {
            throw new UserException(String.join("; ", problems));
        }
        if (backend == Backend.TENSORRT) {
            TensorRtEngines.requireGpu(gpu());
        }
    }

    /**
     * As {@link #requireHere()}, and opens the model once.
     *
     * @throws InferenceException if it is none that can be run
     */
    void requireUsableHere() {
        requireHere();
        backendFactory().open(1).forEach(InferenceBackend::close);
    }

    /** For batches as large as suit the backend: single frames on a CPU. */
    public BackendFactory backendFactory() {
        return backendFactory(onGpu() ? MAX_BATCH_ON_GPU : 1);
    }

    public BackendFactory backendFactory(int maxBatch) {
        return backendFactory(maxBatch, maxBatch);
    }

    /**
     * For measurements that run batches of several sizes on one engine.
     *
     * @param maxBatch slots of a batch, where the model leaves its batch open
     * @param engineBatch largest of those sizes, for which the engine is built, where one is
     */
    public BackendFactory backendFactory(int maxBatch, int engineBatch) {
        return file == null
                ? new BundledBackendFactory(
                        fileFactory(
                                onGpu()
                                        ? BundledBackendFactory.TENSORRT
                                        : BundledBackendFactory.ONNXRUNTIME,
                                maxBatch,
                                engineBatch))
                : fileFactory(file.toString(), maxBatch, engineBatch);
    }

    private FileBackendFactory fileFactory(String model, int maxBatch, int engineBatch) {
        return switch (backend) {
            case TENSORRT ->
                    new TensorRtBackendFactory(
                            model,
                            engine.layout(),
                            border,
                            engine.inputSize(),
                            maxBatch,
                            engineBatch,
                            engine.precision(),
                            gpuDevice == null ? List.of() : List.of(gpuDevice),
                            engine.cacheFolder());
            case ONNXRUNTIME ->
                    new OnnxRuntimeBackendFactory(
                            model, engine.layout(), border, engine.inputSize(), maxBatch);
        };
    }

    /** Whether it runs on GPUs, where one lane serves any number of threads that decode. */
    public boolean onGpu() {
        return backend == Backend.TENSORRT;
    }

    /** The first that it runs on, where no task manager assigns others. */
    public int gpu() {
        return gpuDevice == null ? 0 : gpuDevice;
    }

    /** Null for the bundled model. */
    public Path file() {
        return file;
    }

    public NmsSettings nms(ModelSpec spec) {
        return NmsSettings.infer(spec, confidence, iou);
    }

    public Interpolation interpolation() {
        return interpolation;
    }

    /** Batch buffers of a lane: on a GPU one more, since two of them are in flight there. */
    public int buffersPerLane() {
        return onGpu() ? 3 : 2;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.InputSize;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackendFactory;
import io.sightline.vision.Interpolation;
import io.sightline.vision.NmsSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * The options that say which network looks at the frames and how: the same for every command that
 * runs one.
 */
public final class ModelChoice {

    /** What runs the network. */
    public enum Backend {
        /** ONNX Runtime on the CPU. */
        ONNXRUNTIME
    }

    @Option(
            names = "--model",
            paramLabel = "FILE",
            description =
                    "ONNX model; on a cluster the path on the task managers. A ModelSpec of the same name ending in .json may lie beside it. Without it the bundled model, which knows persons and vehicles.")
    Path file;

    @Option(
            names = "--layout",
            paramLabel = "LAYOUT",
            description =
                    "Output layout, where model and ModelSpec leave it open: anchors-obj, channels-first, pairs, end2end.")
    OutputLayout layout;

    @Option(
            names = "--border",
            paramLabel = "PIXELS",
            description =
                    "Gray border of the letterbox, where the ModelSpec's is not wanted (YOLOv6: 3).")
    Integer border;

    @Option(
            names = "--input-size",
            paramLabel = "WxH",
            description =
                    "Size of the network's input, for models that leave it open, such as 640x640; the ModelSpec's where absent.")
    InputSize inputSize;

    @Option(
            names = "--backend",
            paramLabel = "BACKEND",
            defaultValue = "onnxruntime",
            description = "What runs the network: onnxruntime.")
    Backend backend;

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
        ModelChoice choice = new ModelChoice();
        choice.file = file;
        choice.layout = layout;
        choice.border = border;
        choice.inputSize = inputSize;
        choice.backend = backend;
        choice.confidence = other;
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
    }

    /**
     * As {@link #requireHere()}, and opens the model once.
     *
     * @throws InferenceException if it is none that can be run
     */
    public void requireUsableHere() {
        requireHere();
        backendFactory(1).open(1).forEach(InferenceBackend::close);
    }

    public BackendFactory backendFactory(int maxBatch) {
        return switch (backend) {
            case ONNXRUNTIME ->
                    file == null
                            ? new BundledBackendFactory(
                                    BundledBackendFactory.MODEL,
                                    layout,
                                    border,
                                    inputSize,
                                    maxBatch)
                            : new OnnxRuntimeBackendFactory(
                                    file.toString(), layout, border, inputSize, maxBatch);
        };
    }

    public NmsSettings nms(ModelSpec spec) {
        return NmsSettings.infer(
                confidence == null ? spec.confidence() : confidence,
                iou == null ? spec.iou() : iou);
    }

    public Interpolation interpolation() {
        return interpolation;
    }
}

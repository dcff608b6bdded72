// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.InferenceBackend;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackendFactory;
import io.sightline.job.UserException;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.EvaluationSettings;
import io.sightline.toolchain.evaluate.Evaluator;
import io.sightline.toolchain.evaluate.LabelledImages;
import io.sightline.vision.Interpolation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * {@code ./sightline model evaluate}: mean average precision of models, borders, interpolations.
 */
@Command(
        name = "evaluate",
        description =
                "Measure how well models find what is in labelled images, through the job's own decode, letterbox, engine and parser: COCO's mean average precision, and whether a difference is more than chance.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class EvaluateCommand implements Callable<Integer> {

    /** Each holds the weights anew. */
    private static final int MOST_LANES = 8;

    @Option(
            names = "--model",
            required = true,
            paramLabel = "FILE",
            description =
                    "ONNX model; repeat it to compare several, each against the first. A ModelSpec of the same name ending in .json may lie beside it.")
    List<Path> models;

    @Option(
            names = "--images",
            required = true,
            paramLabel = "DIR",
            description =
                    "Folder of JPEG, PNG or WebP files; without --labels one that holds the folders images and labels.")
    Path images;

    @Option(
            names = "--labels",
            paramLabel = "DIR|FILE",
            description =
                    "Folder of YOLO text files (lines of class cx cy width height, relative to the picture), or a JSON file of COCO's form.")
    Path labels;

    @Option(
            names = "--border",
            split = ",",
            paramLabel = "PIXELS",
            description =
                    "Gray border of the letterbox, where the ModelSpec's is not wanted; several are compared: 0,3.")
    List<Integer> borders;

    @Option(
            names = "--interpolation",
            split = ",",
            paramLabel = "KIND",
            defaultValue = "linear",
            description =
                    "How images are resized: linear, or yolov6 (area when shrinking, as YOLOv6 evaluates); several are compared: linear,yolov6.")
    List<Interpolation> interpolations;

    @Option(
            names = "--layout",
            paramLabel = "LAYOUT",
            description =
                    "Output layout, where model and ModelSpec leave it open: anchors-obj, channels-first, pairs, end2end.")
    OutputLayout layout;

    @Option(names = "--per-class", description = "Print every class as well.")
    boolean perClass;

    @Option(names = "--json", description = "Print one document of JSON, classes included.")
    boolean json;

    @Override
    public Integer call() throws Exception {
        requireUsable();
        LabelledImages data =
                labels == null ? LabelledImages.read(images) : LabelledImages.read(images, labels);
        List<EvaluatedModel> rows = new ArrayList<>();
        try (ProgressLine progress = ProgressLine.open()) {
            for (Path model : models) {
                if (borders == null) {
                    evaluate(model, null, data, progress, rows);
                } else {
                    for (Integer border : borders) {
                        evaluate(model, border, data, progress, rows);
                    }
                }
            }
        }
        EvaluationPrinter printer = new EvaluationPrinter(data, rows);
        if (json) {
            printer.printJson(System.out);
        } else {
            printer.printTable(System.out, perClass);
        }
        return 0;
    }

    private void requireUsable() {
        for (Path model : models) {
            if (!Files.isRegularFile(model)) {
                throw new UserException("--model " + model + ": no such file");
            }
        }
        if (borders != null) {
            for (int border : borders) {
                if (border < 0) {
                    throw new UserException("--border is " + border + ", expected at least 0");
                }
            }
        }
    }

    private void evaluate(
            Path model,
            Integer border,
            LabelledImages data,
            Progress progress,
            List<EvaluatedModel> rows) {
        int lanes =
                Math.min(
                        Math.min(Runtime.getRuntime().availableProcessors(), MOST_LANES),
                        data.size());
        List<InferenceBackend> backends =
                new OnnxRuntimeBackendFactory(model.toString(), layout, border, null, 1)
                        .open(lanes);
        try {
            ModelSpec spec = backends.get(0).spec();
            for (Interpolation interpolation : interpolations) {
                EvaluationSettings settings = EvaluationSettings.standard(interpolation);
                String row = "row " + (rows.size() + 1) + ", ";
                Evaluation evaluation =
                        new Evaluator(
                                        data,
                                        settings,
                                        (what, done, total) ->
                                                progress.step(row + what, done, total))
                                .evaluate(backends);
                rows.add(new EvaluatedModel(model, spec, settings, evaluation));
            }
        } finally {
            backends.forEach(InferenceBackend::close);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackendFactory;
import io.sightline.inference.tensorrt.TensorRtBackendFactory;
import io.sightline.inference.tensorrt.TensorRtEngines;
import io.sightline.job.EngineFlags;
import io.sightline.job.ModelChoice;
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
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
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
                    "Folder of YOLO text files (lines of class cx cy width height, relative to the picture), or a JSON file of COCO's form. A folder ignore beside that of the text files holds regions where nothing counts (cx cy width height).")
    Path labels;

    @Option(
            names = "--border",
            split = ",",
            paramLabel = "PIXELS",
            description =
                    "Gray border of the letterbox, where the ModelSpec's is not wanted (0 where nobody says one); several are compared: 0,3.")
    List<Integer> borders;

    @Option(
            names = "--interpolation",
            split = ",",
            paramLabel = "KIND",
            defaultValue = "linear",
            description =
                    "How images are resized: linear, or yolov6 (area when shrinking, as YOLOv6 evaluates); several are compared: linear,yolov6.")
    List<Interpolation> interpolations;

    @Mixin EngineFlags engine;

    @Option(
            names = "--backend",
            split = ",",
            paramLabel = "BACKEND",
            defaultValue = "onnxruntime",
            description =
                    "What runs the model: onnxruntime, or tensorrt on GPU 0; several stand for the models in turn. A file for TensorRT is run by onnxruntime as ONNX defines it, slowly.")
    List<ModelChoice.Backend> backends;

    @Option(
            names = "--max-batch",
            paramLabel = "N",
            defaultValue = "" + ModelChoice.MAX_BATCH_ON_GPU,
            description =
                    "Largest batch of TensorRT's engine, as it was built; pictures are looked at one by one.")
    int maxBatch;

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
            for (int i = 0; i < models.size(); i++) {
                Path model = models.get(i);
                ModelChoice.Backend backend = backends.get(Math.min(i, backends.size() - 1));
                if (borders == null) {
                    evaluate(backend, model, null, data, progress, rows);
                } else {
                    for (Integer border : borders) {
                        evaluate(backend, model, border, data, progress, rows);
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
        if (maxBatch < 1) {
            throw new UserException("--max-batch is " + maxBatch + ", expected at least 1");
        }
        if (backends.contains(ModelChoice.Backend.TENSORRT)) {
            TensorRtEngines.requireGpu(0);
        }
        if (borders != null) {
            for (int border : borders) {
                if (border < 0) {
                    throw new UserException("--border is " + border + ", expected at least 0");
                }
            }
        }
    }

    private BackendFactory factory(ModelChoice.Backend backend, Path model, Integer border) {
        return switch (backend) {
            case ONNXRUNTIME ->
                    new OnnxRuntimeBackendFactory(
                            model.toString(), engine.layout(), border, engine.inputSize(), 1);
            // One picture after the other, on the engine that the job runs.
            case TENSORRT ->
                    new TensorRtBackendFactory(
                            model.toString(),
                            engine.layout(),
                            border,
                            engine.inputSize(),
                            1,
                            maxBatch,
                            engine.precision(),
                            List.of(),
                            engine.cacheFolder());
        };
    }

    private static List<InferenceBackend> open(BackendFactory factory, Path model, int most) {
        int lanes = Math.min(Math.min(factory.defaultLanes(), MOST_LANES), most);
        return factory instanceof OnnxRuntimeBackendFactory cpu && isForAnother(model)
                ? cpu.openAsDefined(lanes)
                : factory.open(lanes);
    }

    /** Than ONNX Runtime. */
    private static boolean isForAnother(Path model) {
        return ModelFile.read(model)
                .target()
                .filter(target -> !target.equals(OnnxRuntimeBackend.NAME))
                .isPresent();
    }

    private void evaluate(
            ModelChoice.Backend backend,
            Path model,
            Integer border,
            LabelledImages data,
            Progress progress,
            List<EvaluatedModel> rows) {
        BackendFactory factory = factory(backend, model, border);
        List<InferenceBackend> lanes = open(factory, model, data.size());
        try {
            ModelSpec spec = lanes.get(0).spec();
            for (Interpolation interpolation : interpolations) {
                EvaluationSettings settings = EvaluationSettings.standard(interpolation);
                String row = "row " + (rows.size() + 1) + ", ";
                Evaluation evaluation =
                        new Evaluator(
                                        data,
                                        settings,
                                        (what, done, total) ->
                                                progress.step(row + what, done, total))
                                .evaluate(lanes);
                rows.add(
                        new EvaluatedModel(
                                model,
                                backend.name().toLowerCase(Locale.ROOT),
                                spec,
                                settings,
                                evaluation));
            }
        } finally {
            lanes.forEach(InferenceBackend::close);
        }
    }
}

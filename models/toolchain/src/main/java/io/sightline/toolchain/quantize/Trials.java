// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.InferenceBackend;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.EvaluationSettings;
import io.sightline.toolchain.evaluate.Evaluator;
import io.sightline.toolchain.evaluate.LabelledImages;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.vision.NmsSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;

/**
 * Evaluates graphs that may never be kept: each is written to a folder of its own, opened as the
 * job would open it, and removed. A graph for TensorRT runs node by node as ONNX defines it, which
 * is what that engine approximates.
 */
final class Trials implements AutoCloseable {

    private static final int THREADS = 2;
    private static final int PROFILE_ROUNDS = 12;

    /** Least confidence of what counts as found. */
    private static final float FOUND = 0.25f;

    private final EvaluationSettings settings;
    private final Progress progress;
    private final Path folder;

    Trials(EvaluationSettings settings, Progress progress) {
        this.settings = settings;
        this.progress = progress;
        try {
            folder = Files.createTempDirectory("sightline-quantize");
        } catch (IOException e) {
            throw new ToolchainException("no temporary folder: " + e, e);
        }
    }

    /** Of each graph, run in turn. */
    List<RuntimeProfile> profile(List<Graph> graphs) {
        List<Map<String, Value>> inputs = new ArrayList<>();
        for (Graph graph : graphs) {
            inputs.add(TensorShapes.randomInputs(graph, 1, new Random(1)));
        }
        return RuntimeProfile.of(graphs, inputs, PROFILE_ROUNDS, folder);
    }

    Evaluation evaluate(Graph graph, ModelSpec spec, Target target, LabelledImages images) {
        try (InferenceBackend backend = open(graph, spec, target)) {
            return new Evaluator(images, settings, progress).evaluate(backend);
        }
    }

    /** The pictures labelled by what the graph finds in them. */
    LabelledImages findings(Graph graph, ModelSpec spec, LabelledImages images) {
        try (InferenceBackend backend = open(graph, spec, Target.ONNXRUNTIME)) {
            return Evaluator.findings(
                    backend,
                    images,
                    settings.interpolation(),
                    NmsSettings.infer(FOUND, spec.iou()));
        }
    }

    private InferenceBackend open(Graph graph, ModelSpec spec, Target target) {
        Path onnx = folder.resolve("trial.onnx");
        graph.write(onnx);
        ModelFile file =
                ModelFile.write(onnx, spec, Optional.of(target.label()), OptionalInt.empty());
        return OnnxRuntimeBackend.open(
                file,
                ModelOptions.NONE,
                1,
                target == Target.ONNXRUNTIME
                        ? SessionSettings.serving(THREADS)
                        : SessionSettings.reference(THREADS));
    }

    @Override
    public void close() {
        try (var files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            throw new ToolchainException("temporary folder " + folder + " stays: " + e, e);
        }
    }
}

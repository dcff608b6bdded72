// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Sha256;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Runs a float graph on pictures and keeps a histogram of each tensor. */
public final class Calibrator {

    /** Tensors of one run: all of a large network at once would take gigabytes. */
    private static final long MAX_ELEMENTS = 64L << 20;

    private static final int THREADS = 2;

    private Calibrator() {}

    /**
     * @param graph float, one picture input
     * @param tensors of the graph; those that hold no floats are passed over
     * @throws ToolchainException if a picture cannot be read, or a tensor holds what is no number
     */
    public static CalibrationTable calibrate(
            Graph graph,
            List<String> tensors,
            Pictures pictures,
            List<Path> files,
            Progress progress) {
        Map<String, Histogram> histograms = new TreeMap<>();
        TensorShapes shapes = TensorShapes.of(graph);
        List<String> floats = tensors.stream().filter(shapes::isFloat).toList();
        floats.forEach(tensor -> histograms.put(tensor, new Histogram()));
        Map<String, String> hashes = new LinkedHashMap<>();
        ValueInfo input = graph.inputs().get(0);
        boolean ofInput = input.type() == ElementType.FLOAT && tensors.contains(input.name());
        if (ofInput) {
            histograms.put(input.name(), new Histogram());
        }
        List<List<String>> runs = split(floats, shapes);
        int done = 0;
        for (List<String> run : runs) {
            byte[] onnx = TensorShapes.exposing(graph, run).toBytes();
            try (GraphSession session = GraphSession.open(onnx, SessionSettings.serving(THREADS))) {
                for (Path file : files) {
                    hashes.computeIfAbsent(file.getFileName().toString(), f -> Sha256.of(file));
                    Value picture = pictures.read(file, input);
                    if (ofInput && run == runs.get(0)) {
                        histograms.get(input.name()).add(picture.floats());
                    }
                    session.run(
                            Map.of(input.name(), picture),
                            (name, value) -> {
                                try {
                                    histograms.get(name).add(value.floats());
                                } catch (IllegalArgumentException e) {
                                    throw new ToolchainException(
                                            "tensor '%s' on picture %s: %s: the float model is broken"
                                                    .formatted(name, file, e.getMessage()),
                                            e);
                                }
                            });
                    progress.step("calibrate", ++done, runs.size() * files.size());
                }
            }
        }
        return new CalibrationTable(Sha256.of(graph.toBytes()), hashes, histograms);
    }

    private static List<List<String>> split(List<String> tensors, TensorShapes shapes) {
        List<List<String>> runs = new ArrayList<>();
        long elements = MAX_ELEMENTS;
        for (String tensor : tensors) {
            long size = shapes.size(tensor);
            if (elements + size > MAX_ELEMENTS) {
                runs.add(new ArrayList<>());
                elements = 0;
            }
            elements += size;
            runs.get(runs.size() - 1).add(tensor);
        }
        return runs;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.TensorShapes;
import java.nio.FloatBuffer;
import java.util.OptionalInt;
import java.util.Random;

/**
 * The letterbox's border of a model whose JSON does not tell: 3 for YOLOv6, whose authors evaluate
 * with one of 1 to 6 pixels according to the size, 0 for all others. YOLOv6 is known by its
 * objectness, which its export fills with ones.
 */
public final class AssumedBorder {

    private static final int YOLOV6 = 3;
    private static final int OBJECTNESS = 4;
    private static final int THREADS = 2;

    private AssumedBorder() {}

    /** The options, with a border where neither they nor the file have one and YOLOv6 wants it. */
    public static ModelOptions complete(
            ModelOptions options, ModelFile file, Graph graph, ModelSpec spec) {
        return options.border().isEmpty() && file.border().isEmpty() && isYoloV6(graph, spec)
                ? new ModelOptions(options.layout(), OptionalInt.of(YOLOV6))
                : options;
    }

    private static boolean isYoloV6(Graph graph, ModelSpec spec) {
        if (spec.layout() != OutputLayout.ANCHORS_OBJ) {
            return false;
        }
        String output = graph.outputs().get(0).name();
        try (GraphSession session =
                GraphSession.open(graph.toBytes(), SessionSettings.serving(THREADS))) {
            FloatBuffer rows =
                    session.run(TensorShapes.randomInputs(graph, 1, new Random(1)))
                            .get(output)
                            .floats();
            int columns = 5 + spec.labels().size();
            for (int i = OBJECTNESS; i < rows.limit(); i += columns) {
                if (rows.get(i) != 1) {
                    return false;
                }
            }
            return true;
        }
    }
}

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
enum AssumedBorder {
    NONE(0, "border 0 assumed: neither --border nor a ModelSpec beside the model says one"),
    YOLOV6(3, "YOLOv6 recognised, its objectness is always 1: border 3 assumed");

    private static final int OBJECTNESS = 4;
    private static final int THREADS = 2;

    private final int pixels;
    private final String remark;

    AssumedBorder(int pixels, String remark) {
        this.pixels = pixels;
        this.remark = remark;
    }

    /** Whether neither options nor file have one. */
    static boolean isOpen(ModelOptions options, ModelFile file) {
        return options.border().isEmpty() && file.border().isEmpty();
    }

    static AssumedBorder of(Graph graph, ModelSpec spec) {
        return isYoloV6(graph, spec) ? YOLOV6 : NONE;
    }

    /** The one that a spec was given. */
    static AssumedBorder of(ModelSpec spec) {
        return spec.border() == YOLOV6.pixels ? YOLOV6 : NONE;
    }

    /** The options with this border. */
    ModelOptions in(ModelOptions options) {
        return new ModelOptions(options.layout(), OptionalInt.of(pixels), options.size());
    }

    String remark() {
        return remark;
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

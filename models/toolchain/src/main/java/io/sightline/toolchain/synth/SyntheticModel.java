// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.SpecFile;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.Graph;
import java.nio.file.Path;
import java.util.Random;

/**
 * A YOLOv6 graph with random weights: for measuring speed and testing tools where trained weights
 * cannot be had. Equal values give equal files.
 *
 * @param width of the input, pixels, a multiple of 32
 * @param height of the input, pixels, a multiple of 32
 * @param seed of the weights
 */
public record SyntheticModel(
        YoloV6 architecture, BlockForm form, int width, int height, int classes, long seed) {

    private static final int OPSET = 13;
    private static final int COARSEST_STRIDE = 32;

    /**
     * @throws ToolchainException if the size is no multiple of 32, or there are no classes
     */
    public SyntheticModel {
        if (width < COARSEST_STRIDE
                || height < COARSEST_STRIDE
                || width % COARSEST_STRIDE != 0
                || height % COARSEST_STRIDE != 0) {
            throw new ToolchainException(
                    "input of %dx%d: expected multiples of %d, such as 640x640 or 640x384"
                            .formatted(width, height, COARSEST_STRIDE));
        }
        if (classes < 1) {
            throw new ToolchainException(classes + " classes: expected at least 1");
        }
    }

    /**
     * Input {@code images} float32 [1, 3, height, width], RGB, 0..1; output {@code outputs} float32
     * [1, anchors, 5 + classes]: cx, cy, w, h in pixels, 1, class scores.
     */
    public Graph graph() {
        return graph(new Random(seed));
    }

    Graph graph(Random random) {
        Graph graph = new Graph(architecture.name(), OPSET);
        new Network(architecture, new Layers(graph, random), form.blocks(), width, height, classes)
                .build();
        graph.validate();
        return graph;
    }

    /**
     * Writes the graph and the JSON that describes it.
     *
     * @return what was written
     */
    public Graph write(Path onnx) {
        Graph graph = graph();
        graph.write(onnx);
        ObjectNode spec = SpecFile.empty();
        spec.put("name", architecture.name() + "-random");
        spec.put("input_width", width);
        spec.put("input_height", height);
        spec.put("border", architecture.border());
        spec.put("layout", OutputLayout.ANCHORS_OBJ.label());
        spec.put("suppress", true);
        spec.put("precision", "fp32");
        spec.put("licence", "Apache-2.0");
        spec.put(
                "provenance",
                "random weights of seed %d in the graph of %s: for speed, it detects nothing"
                        .formatted(seed, architecture.name()));
        SpecFile.write(onnx, spec);
        return graph;
    }
}

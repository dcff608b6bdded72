// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * A detector of two convolutions with random weights, exported the way detectors are: batch 1
 * written into its Reshapes, and the constant objectness of one frame concatenated to each.
 */
final class SmallDetector {

    static final int SIDE = 32;
    static final int CLASSES = 3;
    static final int ANCHORS = 64;

    private SmallDetector() {}

    /** {@code images} to {@code outputs}, [1, 64, 8] or [1, 7, 64]. */
    static Graph of(OutputLayout layout) {
        Random random = new Random(7);
        Graph graph = new Graph("small", 13);
        graph.inputs().add(ValueInfo.of("images", ElementType.FLOAT, 1, 3, SIDE, SIDE));
        conv(graph, random, "images", "stem", 3, 8, 2);
        graph.add("Relu", "", List.of("stem"), "features");
        conv(graph, random, "features", "head", 8, 4 + CLASSES, 2);
        reshape(graph, "head", "flat", 1, 4 + CLASSES, ANCHORS);
        graph.add("Split", "split", List.of("flat", ints(graph, 4, CLASSES)), "distances")
                .with("axis", 1)
                .outputs()
                .add("logits");
        graph.add("Sigmoid", "scores", List.of("logits"), "scores");
        graph.initializers().put("size", Tensor.scalar(20));
        graph.add("Sigmoid", "boxes", List.of("distances"), "unit");
        graph.add("Mul", "scale", List.of("unit", "size"), "boxes");
        if (layout == OutputLayout.CHANNELS_FIRST) {
            graph.add("Concat", "join", List.of("boxes", "scores"), "outputs").with("axis", 1);
            graph.outputs()
                    .add(ValueInfo.of("outputs", ElementType.FLOAT, 1, 4 + CLASSES, ANCHORS));
            return graph;
        }
        float[] ones = new float[ANCHORS];
        Arrays.fill(ones, 1);
        graph.initializers().put("objectness", Tensor.floats(new long[] {1, 1, ANCHORS}, ones));
        graph.add("Concat", "join", List.of("boxes", "objectness", "scores"), "joined")
                .with("axis", 1);
        graph.add("Transpose", "turn", List.of("joined"), "turned")
                .with("perm", new long[] {0, 2, 1});
        reshape(graph, "turned", "outputs", 1, -1, 5 + CLASSES);
        graph.outputs().add(ValueInfo.of("outputs", ElementType.FLOAT, 1, ANCHORS, 5 + CLASSES));
        return graph;
    }

    static ModelSpec spec(OutputLayout layout) {
        return new ModelSpec(
                "small",
                "0".repeat(64),
                SIDE,
                SIDE,
                InputFormat.FLOAT_NCHW_RGB,
                1,
                false,
                3,
                114,
                IntStream.range(0, CLASSES).mapToObj(i -> "class-" + i).toList(),
                layout,
                true,
                0.4f,
                0.45f,
                "fp32",
                "MIT",
                "made here");
    }

    static void conv(
            Graph graph, Random random, String in, String out, int from, int to, int stride) {
        float[] weights = new float[to * from * 9];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) (random.nextGaussian() / Math.sqrt(9 * from));
        }
        float[] bias = new float[to];
        for (int i = 0; i < to; i++) {
            bias[i] = (float) random.nextGaussian();
        }
        graph.initializers()
                .put(out + ".weight", Tensor.floats(new long[] {to, from, 3, 3}, weights));
        graph.initializers().put(out + ".bias", Tensor.floats(new long[] {to}, bias));
        graph.add("Conv", out, List.of(in, out + ".weight", out + ".bias"), out)
                .with("strides", new long[] {stride, stride})
                .with("pads", new long[] {1, 1, 1, 1});
    }

    static void reshape(Graph graph, String in, String out, long... dims) {
        graph.add("Reshape", out, List.of(in, ints(graph, dims)), out);
    }

    static String ints(Graph graph, long... values) {
        return graph.addConstant("ints", Tensor.longs(values));
    }
}

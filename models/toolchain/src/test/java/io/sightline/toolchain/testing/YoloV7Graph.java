// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.testing;

import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A small detector in the manner of YOLOv7's export with its grid: convolutions with SiLU, maps put
 * side by side and pooled, and three levels of three anchors each, decoded in the graph. {@code
 * images} float32 [1, 3, {@value #SIDE}, {@value #SIDE}] to {@code output} [1, {@value #ROWS}, 85]:
 * cx, cy, w, h in pixels, objectness, 80 scores.
 */
public final class YoloV7Graph {

    public static final int SIDE = 96;
    public static final int CLASSES = 80;

    /** Three anchors in each cell of strides 8, 16 and 32. */
    public static final int ROWS = 3 * (12 * 12 + 6 * 6 + 3 * 3);

    private static final int ANCHORS = 3;
    private static final int COLUMNS = 5 + CLASSES;
    private static final float[][] SIZES = {
        {12, 16, 19, 36, 40, 28}, {36, 55, 46, 30, 58, 60}, {80, 64, 70, 90, 96, 96}
    };

    private final Random random = new Random(21);
    private final Graph graph = new Graph("yolov7-style", 13);

    private YoloV7Graph() {}

    public static Graph make() {
        return new YoloV7Graph().graph();
    }

    private Graph graph() {
        graph.inputs().add(ValueInfo.of("images", ElementType.FLOAT, 1, 3, SIDE, SIDE));
        graph.initializers().put("two", Tensor.scalar(2));
        String stem = convSilu("stem", "images", 3, 16, 3, 2);
        String quarter = convSilu("quarter", stem, 16, 16, 3, 2);

        // Layers one behind the other, put side by side: its way to aggregate.
        String left = convSilu("left", quarter, 16, 16, 1, 1);
        String right = convSilu("right", quarter, 16, 16, 1, 1);
        String deep = convSilu("deep", right, 16, 16, 3, 1);
        String joined = concat("joined", 1, deep, right, left);
        String block = convSilu("block", joined, 48, 32, 1, 1);

        String eighth = halved("eighth", block, 32);
        String sixteenth = halved("sixteenth", eighth, 32);
        String last = halved("last", sixteenth, 32);
        String wide = pool("wide", last, 5, 1);
        String context = convSilu("context", concat("pooled", 1, last, wide), 64, 32, 1, 1);
        output(
                concat(
                        "output",
                        1,
                        level(0, eighth, 12),
                        level(1, sixteenth, 6),
                        level(2, context, 3)));
        return graph;
    }

    /** Half as large, one half of the channels pooled and the other convolved. */
    private String halved(String name, String in, int channels) {
        String pooled =
                convSilu(
                        name + ".pooled",
                        pool(name + ".pool", in, 2, 2),
                        channels,
                        channels / 2,
                        1,
                        1);
        String strided = convSilu(name + ".strided", in, channels, channels / 2, 3, 2);
        return concat(name, 1, strided, pooled);
    }

    /** Rows of one level, box centre = (2σ − 0.5 + cell) · stride, size = (2σ)² · anchor. */
    private String level(int level, String in, int cells) {
        String name = "detect." + level;
        // Few scores shall be high.
        conv(name, in, 32, ANCHORS * COLUMNS, 1, 1, 1);
        float[] low = new float[ANCHORS * COLUMNS];
        Arrays.fill(low, -1);
        put(name + ".bias", new long[] {low.length}, low);
        constant(name + ".shape", 1, ANCHORS, COLUMNS, cells, cells);
        node("Reshape", name + ".maps", name, name + ".shape");
        node("Transpose", name + ".cells", name + ".maps").with("perm", new long[] {0, 1, 3, 4, 2});
        node("Sigmoid", name + ".sigmoid", name + ".cells");
        constant(name + ".sizes", 2, 2, COLUMNS - 4);
        Node split = node("Split", name + ".split", name + ".sigmoid", name + ".sizes");
        split.with("axis", 4);
        split.outputs().set(0, name + ".xy");
        split.outputs().add(name + ".wh");
        split.outputs().add(name + ".scores");

        put(name + ".grid", new long[] {1, 1, cells, cells, 2}, grid(cells));
        graph.initializers().put(name + ".stride", Tensor.scalar((float) SIDE / cells));
        put(name + ".anchors", new long[] {1, ANCHORS, 1, 1, 2}, SIZES[level]);
        node("Mul", name + ".xy2", name + ".xy", "two");
        node("Add", name + ".cell", name + ".xy2", name + ".grid");
        node("Mul", name + ".centre", name + ".cell", name + ".stride");
        node("Mul", name + ".wh2", name + ".wh", "two");
        node("Pow", name + ".square", name + ".wh2", "two");
        node("Mul", name + ".size", name + ".square", name + ".anchors");
        concat(name + ".boxes", 4, name + ".centre", name + ".size", name + ".scores");
        constant(name + ".flat", 1, -1, COLUMNS);
        node("Reshape", name + ".rows", name + ".boxes", name + ".flat");
        return name + ".rows";
    }

    private static float[] grid(int cells) {
        float[] grid = new float[2 * cells * cells];
        int i = 0;
        for (int y = 0; y < cells; y++) {
            for (int x = 0; x < cells; x++) {
                grid[i++] = x - 0.5f;
                grid[i++] = y - 0.5f;
            }
        }
        return grid;
    }

    private void output(String tensor) {
        graph.outputs().add(ValueInfo.of(tensor, ElementType.FLOAT, 1, ROWS, COLUMNS));
        graph.validate();
    }

    private Node node(String operator, String name, String... inputs) {
        return graph.add(operator, name, List.of(inputs), name);
    }

    private String concat(String name, long axis, String... parts) {
        node("Concat", name, parts).with("axis", axis);
        return name;
    }

    private String pool(String name, String in, long kernel, long stride) {
        long pad = stride == 1 ? kernel / 2 : 0;
        node("MaxPool", name, in)
                .with("kernel_shape", new long[] {kernel, kernel})
                .with("strides", new long[] {stride, stride})
                .with("pads", new long[] {pad, pad, pad, pad});
        return name;
    }

    private String convSilu(String name, String in, int from, int to, int kernel, int stride) {
        conv(name + ".conv", in, from, to, kernel, stride, 1.7);
        node("Sigmoid", name + ".sigmoid", name + ".conv");
        node("Mul", name, name + ".conv", name + ".sigmoid");
        return name;
    }

    private void conv(
            String name, String in, int from, int to, int kernel, int stride, double gain) {
        float[] weights = new float[to * from * kernel * kernel];
        float[] bias = new float[to];
        double deviation = gain / Math.sqrt(from * kernel * kernel);
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) (deviation * random.nextGaussian());
        }
        for (int i = 0; i < to; i++) {
            bias[i] = (float) (0.5 * random.nextGaussian());
        }
        put(name + ".weight", new long[] {to, from, kernel, kernel}, weights);
        put(name + ".bias", new long[] {to}, bias);
        long pad = kernel / 2;
        node("Conv", name, in, name + ".weight", name + ".bias")
                .with("kernel_shape", new long[] {kernel, kernel})
                .with("strides", new long[] {stride, stride})
                .with("pads", new long[] {pad, pad, pad, pad});
    }

    private void constant(String name, long... values) {
        graph.initializers().put(name, Tensor.longs(values));
    }

    private void put(String name, long[] dims, float[] values) {
        graph.initializers().put(name, Tensor.floats(dims, values));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.testing;

import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * Small networks of the layers that detectors are made of, different for every seed and the same
 * for equal ones: Conv (plain, strided, grouped, depthwise), BatchNormalization, Relu, SiLU,
 * Concat, Add, MaxPool, Resize, ConvTranspose, constants multiplied and added. One input {@code
 * images} float32 [1, 3, height, width], one output {@code outputs}; the first layer is a
 * convolution.
 */
public final class RandomGraphs {

    private static final int OPSET = 13;
    private static final int LAYERS = 12;

    /** Scores that a detector ends in. */
    public static final int CLASSES = 3;

    /** A tensor [1, channels, height, width]. */
    private record Maps(String tensor, int channels, int height, int width) {
        boolean sameSize(Maps other) {
            return height == other.height && width == other.width;
        }
    }

    private final Random random;
    private final Graph graph;
    private final List<Maps> all = new ArrayList<>();
    private final int height;
    private final int width;
    private int count;

    private RandomGraphs(long seed) {
        // Neighbouring seeds of Random begin alike.
        random = new Random(seed * 0x9E3779B97F4A7C15L);
        random.nextInt();
        graph = new Graph("random-" + seed, OPSET);
        height = 8 * (2 + random.nextInt(3));
        width = 8 * (2 + random.nextInt(3));
        graph.inputs().add(ValueInfo.of("images", ElementType.FLOAT, 1, 3, height, width));
    }

    /** Ends like a detector for even seeds, in plain maps for odd ones. */
    public static Graph of(long seed) {
        return seed % 2 == 0 ? detector(seed) : plain(seed);
    }

    /** Its output are maps [1, channels, h, w]. */
    public static Graph plain(long seed) {
        RandomGraphs graphs = new RandomGraphs(seed);
        Maps last = graphs.body();
        // What is behind a name of its own stays when everything before it is fused.
        graphs.node("Relu", "outputs", last.tensor);
        return graphs.ended(
                ValueInfo.of(
                        "outputs", ElementType.FLOAT, 1, last.channels, last.height, last.width));
    }

    /**
     * Its output are rows [1, anchors, 5 + {@value #CLASSES}] as YOLOv6's: cx, cy, w, h in pixels,
     * 1, scores.
     */
    public static Graph detector(long seed) {
        RandomGraphs graphs = new RandomGraphs(seed);
        Maps last = graphs.body();
        int anchors = last.height * last.width;
        String score =
                graphs.rows(
                        graphs.node(
                                "Sigmoid",
                                graphs.name("scores"),
                                graphs.conv(last, CLASSES, 1, 1, 1, true).tensor),
                        CLASSES,
                        anchors);
        String distance = graphs.rows(graphs.conv(last, 4, 1, 1, 1, true).tensor, 4, anchors);
        graphs.decode(last, anchors, distance, score);
        return graphs.ended(ValueInfo.of("outputs", ElementType.FLOAT, 1, anchors, 5 + CLASSES));
    }

    private Graph ended(ValueInfo output) {
        graph.outputs().add(output);
        graph.removeUnused();
        graph.validate();
        return graph;
    }

    private Maps body() {
        Maps last =
                conv(
                        new Maps("images", 3, height, width),
                        channels(),
                        3,
                        1 + random.nextInt(2),
                        1,
                        random.nextBoolean());
        all.add(last);
        int layers = 4 + random.nextInt(LAYERS - 3);
        for (int i = 0; i < layers; i++) {
            // Mostly onwards, sometimes a new branch.
            Maps in = random.nextInt(4) > 0 ? last : all.get(random.nextInt(all.size()));
            last = layer(in);
            all.add(last);
        }
        return last;
    }

    private Maps layer(Maps in) {
        return switch (random.nextInt(14)) {
            case 0, 1, 2 -> strided(in);
            case 3 -> grouped(in);
            case 4, 5 -> batchNorm(conv(in, channels(), 3, 1, 1, random.nextBoolean()));
            case 6 -> batchNorm(in);
            case 7 -> with(in, node("Relu", name("relu"), in.tensor));
            case 8 -> {
                String sigmoid = node("Sigmoid", name("sigmoid"), in.tensor);
                yield with(in, node("Mul", name("silu"), in.tensor, sigmoid));
            }
            case 9 -> concat(in);
            case 10 -> add(in);
            case 11 -> maxPool(in);
            case 12 -> in.height > 32 || in.width > 32 ? in : larger(in);
            default -> scaled(in);
        };
    }

    private Maps strided(Maps in) {
        int stride = in.height >= 8 && in.width >= 8 ? 1 + random.nextInt(2) : 1;
        return conv(in, channels(), 1 + 2 * random.nextInt(3), stride, 1, random.nextBoolean());
    }

    /** Depthwise or in two groups. */
    private Maps grouped(Maps in) {
        return random.nextBoolean() || in.channels % 2 != 0
                ? conv(in, in.channels, 3, 1, in.channels, random.nextBoolean())
                : conv(in, 2 * in.channels, 1, 1, 2, random.nextBoolean());
    }

    private int channels() {
        return 2 + 2 * random.nextInt(5);
    }

    private Maps conv(Maps in, int out, int kernel, int stride, int group, boolean bias) {
        int inputs = in.channels / group;
        double deviation = Math.sqrt(2.0 / (inputs * kernel * kernel));
        String name = name("conv");
        Tensor weight =
                Tensor.floats(
                        new long[] {out, inputs, kernel, kernel},
                        normal(out * inputs * kernel * kernel, deviation));
        node("Conv", name, in.tensor, graph.addConstant(name + ".weight", weight));
        long pad = kernel / 2;
        Node node =
                last().with("kernel_shape", new long[] {kernel, kernel})
                        .with("strides", new long[] {stride, stride})
                        .with("pads", new long[] {pad, pad, pad, pad})
                        .with("group", group);
        if (bias) {
            node.inputs().add(graph.addConstant(name + ".bias", vector(normal(out, 0.2))));
        }
        return new Maps(
                node.output(), out, (in.height - 1) / stride + 1, (in.width - 1) / stride + 1);
    }

    private Maps batchNorm(Maps in) {
        String name = name("bn");
        float[] gamma = normal(in.channels, 0.3);
        float[] variance = new float[in.channels];
        for (int c = 0; c < in.channels; c++) {
            gamma[c] += 1;
            variance[c] = 0.3f + random.nextFloat();
        }
        String out =
                node(
                        "BatchNormalization",
                        name,
                        in.tensor,
                        graph.addConstant(name + ".gamma", vector(gamma)),
                        graph.addConstant(name + ".beta", vector(normal(in.channels, 0.2))),
                        graph.addConstant(name + ".mean", vector(normal(in.channels, 0.2))),
                        graph.addConstant(name + ".var", vector(variance)));
        last().with("epsilon", 1e-3f);
        return with(in, out);
    }

    private Maps concat(Maps in) {
        List<Maps> parts = new ArrayList<>(List.of(in));
        int channels = in.channels;
        for (Maps other : all) {
            if (other.sameSize(in) && parts.size() < 3 && channels + other.channels <= 32) {
                parts.add(other);
                channels += other.channels;
            }
        }
        String out =
                node(
                        "Concat",
                        name("concat"),
                        parts.stream().map(Maps::tensor).toArray(String[]::new));
        last().with("axis", 1);
        return new Maps(out, channels, in.height, in.width);
    }

    private Maps add(Maps in) {
        for (Maps other : all) {
            if (!other.equals(in) && other.sameSize(in) && other.channels == in.channels) {
                return with(in, node("Add", name("add"), in.tensor, other.tensor));
            }
        }
        Maps branch = conv(in, in.channels, 3, 1, 1, random.nextBoolean());
        return with(in, node("Add", name("add"), in.tensor, branch.tensor));
    }

    private Maps maxPool(Maps in) {
        boolean halves = random.nextBoolean() && in.height % 2 == 0 && in.width % 2 == 0;
        String out = node("MaxPool", name("pool"), in.tensor);
        if (halves) {
            last().with("kernel_shape", new long[] {2, 2}).with("strides", new long[] {2, 2});
            return new Maps(out, in.channels, in.height / 2, in.width / 2);
        }
        last().with("kernel_shape", new long[] {5, 5})
                .with("strides", new long[] {1, 1})
                .with("pads", new long[] {2, 2, 2, 2});
        return with(in, out);
    }

    /** Twice the size. */
    private Maps larger(Maps in) {
        if (random.nextBoolean()) {
            String name = name("resize");
            String out =
                    node(
                            "Resize",
                            name,
                            in.tensor,
                            "",
                            graph.addConstant(
                                    name + ".scales", Tensor.floats(new long[] {4}, 1, 1, 2, 2)));
            last().with("mode", "nearest")
                    .with("coordinate_transformation_mode", "asymmetric")
                    .with("nearest_mode", "floor");
            return new Maps(out, in.channels, 2 * in.height, 2 * in.width);
        }
        String name = name("deconv");
        int channels = channels();
        double deviation = Math.sqrt(1.0 / in.channels);
        String out =
                node(
                        "ConvTranspose",
                        name,
                        in.tensor,
                        graph.addConstant(
                                name + ".weight",
                                Tensor.floats(
                                        new long[] {in.channels, channels, 2, 2},
                                        normal(in.channels * channels * 4, deviation))));
        Node node =
                last().with("kernel_shape", new long[] {2, 2}).with("strides", new long[] {2, 2});
        if (random.nextBoolean()) {
            node.inputs().add(graph.addConstant(name + ".bias", vector(normal(channels, 0.2))));
        }
        return new Maps(out, channels, 2 * in.height, 2 * in.width);
    }

    /** A constant for all or for each channel, or nothing done at all. */
    private Maps scaled(Maps in) {
        String name = name("constant");
        Tensor value =
                random.nextBoolean()
                        ? Tensor.scalar(0.5f + random.nextFloat())
                        : Tensor.floats(
                                new long[] {1, in.channels, 1, 1}, normal(in.channels, 0.7));
        return switch (random.nextInt(4)) {
            case 0 ->
                    with(in, node("Mul", name, in.tensor, graph.addConstant(name + ".by", value)));
            case 1 ->
                    with(in, node("Add", name, graph.addConstant(name + ".to", value), in.tensor));
            case 2 ->
                    with(in, node("Sub", name, in.tensor, graph.addConstant(name + ".of", value)));
            default -> with(in, node("Identity", name, in.tensor));
        };
    }

    private String rows(String maps, int channels, int anchors) {
        String name = name("rows");
        String flat =
                node(
                        "Reshape",
                        name,
                        maps,
                        graph.addConstant(name + ".shape", Tensor.longs(1, channels, anchors)));
        String rows = node("Transpose", name("transpose"), flat);
        last().with("perm", new long[] {0, 2, 1});
        return rows;
    }

    private void decode(Maps level, int anchors, String distance, String score) {
        float[] centres = new float[2 * anchors];
        for (int a = 0; a < anchors; a++) {
            int row = a / level.width;
            centres[2 * a] = a % level.width + 0.5f;
            centres[2 * a + 1] = row + 0.5f;
        }
        String anchor =
                graph.addConstant("anchors", Tensor.floats(new long[] {1, anchors, 2}, centres));
        node("Split", "split", distance, graph.addConstant("split.sizes", Tensor.longs(2, 2)));
        last().with("axis", 2).outputs().add("split_more");
        String from = node("Sub", "x1y1", anchor, "split_out");
        String to = node("Add", "x2y2", anchor, "split_more");
        String centre =
                node(
                        "Div",
                        "centre",
                        node("Add", "sum", from, to),
                        graph.addConstant("two", Tensor.scalar(2)));
        String box = node("Concat", "box", centre, node("Sub", "size", to, from));
        last().with("axis", 2);
        String pixels =
                node(
                        "Mul",
                        "pixels",
                        box,
                        graph.addConstant("stride", Tensor.scalar((float) height / level.height)));
        float[] ones = new float[anchors];
        Arrays.fill(ones, 1);
        String objectness =
                graph.addConstant("objectness", Tensor.floats(new long[] {1, anchors, 1}, ones));
        node("Concat", "outputs", pixels, objectness, score);
        last().with("axis", 2);
    }

    /** Its output is {@code <name>_out}, but that of the last one as the graph's. */
    private String node(String opType, String name, String... inputs) {
        String out = name.equals("outputs") ? name : name + "_out";
        graph.add(opType, name, List.of(inputs), out);
        return out;
    }

    private Node last() {
        return graph.nodes().get(graph.nodes().size() - 1);
    }

    private static Maps with(Maps in, String tensor) {
        return new Maps(tensor, in.channels, in.height, in.width);
    }

    private String name(String of) {
        return of + "." + count++;
    }

    private static Tensor vector(float... values) {
        return Tensor.floats(new long[] {values.length}, values);
    }

    private float[] normal(int size, double deviation) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.synth;

import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Lays YOLOv6 out layer by layer: EfficientRep or CSPBep backbone, Rep-PAN or Rep-BiFPAN neck,
 * decoupled head, boxes decoded to pixels (https://arxiv.org/abs/2209.02976, section 2.1;
 * https://arxiv.org/abs/2301.05586, section 2.1).
 */
final class Network {

    private static final int[] STRIDES = {8, 16, 32};

    /** Distances of M and L are distributions over 0..16 strides. */
    private static final int BINS = 17;

    /** log(0.01 / 0.99): at the start every class is as good as absent. */
    private static final double CLASS_BIAS = -4.6;

    private static final double DISTANCE_BIAS = 1;

    private final YoloV6 architecture;
    private final Layers layers;
    private final Blocks blocks;
    private final int width;
    private final int height;
    private final int classes;

    Network(YoloV6 architecture, Layers layers, Blocks blocks, int width, int height, int classes) {
        this.architecture = architecture;
        this.layers = layers;
        this.blocks = blocks;
        this.width = width;
        this.height = height;
        this.classes = classes;
    }

    void build() {
        layers.graph().inputs().add(ValueInfo.of("images", ElementType.FLOAT, 1, 3, height, width));
        Features stem = block("stem", new Features("images", 3), architecture.channels(0), 2);
        Features p2 = stage("ER2", stem, 1);
        Features p3 = stage("ER3", p2, 2);
        Features p4 = stage("ER4", p3, 3);
        Features p5 = pyramidPooling(stage("ER5", p4, 4));
        head(neck(p2, p3, p4, p5));
    }

    private Features stage(String name, Features in, int index) {
        int out = architecture.channels(index);
        return stack(
                name + ".rep", block(name + ".down", in, out, 2), out, architecture.repeats(index));
    }

    private Features stack(String name, Features in, int out, int repeats) {
        if (architecture.isLarge()) {
            return crossStagePartial(name, in, out, repeats);
        }
        Features last = in;
        for (int i = 0; i < repeats; i++) {
            last = block(name + "." + i, last, out, 1);
        }
        return last;
    }

    /** Half as many bottlenecks as a plain stack has blocks: each is two blocks. */
    private Features crossStagePartial(String name, Features in, int out, int repeats) {
        int branch = architecture.branchChannels(out);
        Activation activation = architecture.activation();
        Features deep = plain(name + ".cv1", in, branch, 1, 1, activation);
        for (int i = 0; i < Math.max(1, repeats / 2); i++) {
            String bottleneck = name + ".m." + i;
            Features second =
                    block(
                            bottleneck + ".conv2",
                            block(bottleneck + ".conv1", deep, branch, 1),
                            branch,
                            1);
            deep =
                    layers.add(
                            bottleneck + ".add",
                            second,
                            layers.scaled(bottleneck + ".shortcut", deep));
        }
        Features flat = plain(name + ".cv2", in, branch, 1, 1, activation);
        Features both = layers.concat(name + ".concat", deep, flat);
        return plain(name + ".cv3", both, out, 1, 1, activation);
    }

    private Features pyramidPooling(Features in) {
        int half = in.channels() / 2;
        Activation activation = architecture.activation();
        if (!architecture.isThird() || architecture.isLarge()) {
            Features reduced = plain("sppf.cv1", in, half, 1, 1, activation);
            return plain("sppf.cv2", pools("sppf", reduced), in.channels(), 1, 1, activation);
        }
        Features deep = plain("cspsppf.cv1", in, half, 1, 1, activation);
        deep = plain("cspsppf.cv3", deep, half, 3, 1, activation);
        deep = plain("cspsppf.cv4", deep, half, 1, 1, activation);
        Features flat = plain("cspsppf.cv2", in, half, 1, 1, activation);
        deep = plain("cspsppf.cv5", pools("cspsppf", deep), half, 1, 1, activation);
        deep = plain("cspsppf.cv6", deep, half, 3, 1, activation);
        Features both = layers.concat("cspsppf.concat_branches", flat, deep);
        return plain("cspsppf.cv7", both, in.channels(), 1, 1, activation);
    }

    private Features pools(String name, Features in) {
        Features once = layers.maxPool(name + ".pool0", in);
        Features twice = layers.maxPool(name + ".pool1", once);
        Features thrice = layers.maxPool(name + ".pool2", twice);
        return layers.concat(name + ".concat", in, once, twice, thrice);
    }

    /** Levels of strides 8, 16 and 32. */
    private List<Features> neck(Features p2, Features p3, Features p4, Features p5) {
        Features reduced0 = relu("reduce0", p5, architecture.channels(5), 1, 1);
        Features merged0 =
                architecture.isThird()
                        ? biFusion("Bifusion0", reduced0, p4, p3)
                        : layers.concat("concat0", up("up0", reduced0), p4);
        Features middle = stack("Rep_p4", merged0, architecture.channels(5), repeats(5));
        Features reduced1 = relu("reduce1", middle, architecture.channels(6), 1, 1);
        Features merged1 =
                architecture.isThird()
                        ? biFusion("Bifusion1", reduced1, p3, p2)
                        : layers.concat("concat1", up("up1", reduced1), p3);
        Features fine = stack("Rep_p3", merged1, architecture.channels(6), repeats(6));
        Features down1 = relu("downsample2", fine, architecture.channels(7), 3, 2);
        Features medium =
                stack(
                        "Rep_n3",
                        layers.concat("concat2", down1, reduced1),
                        architecture.channels(8),
                        repeats(7));
        Features down0 = relu("downsample1", medium, architecture.channels(9), 3, 2);
        Features coarse =
                stack(
                        "Rep_n4",
                        layers.concat("concat3", down0, reduced0),
                        architecture.channels(10),
                        repeats(8));
        return List.of(fine, medium, coarse);
    }

    private int repeats(int index) {
        return architecture.repeats(index);
    }

    private Features up(String name, Features in) {
        return layers.doubled(name, in, in.channels());
    }

    /** Merges three neighbouring levels into the middle one, with the coarsest one's channels. */
    private Features biFusion(String name, Features coarse, Features same, Features fine) {
        int channels = coarse.channels();
        Features fromCoarse = up(name + ".up", coarse);
        Features fromSame = relu(name + ".cv1", same, channels, 1, 1);
        Features fromFine =
                relu(name + ".down", relu(name + ".cv2", fine, channels, 1, 1), channels, 3, 2);
        return relu(
                name + ".cv3",
                layers.concat(name + ".concat", fromCoarse, fromSame, fromFine),
                channels,
                1,
                1);
    }

    private void head(List<Features> levels) {
        List<String> scores = new ArrayList<>();
        List<String> distances = new ArrayList<>();
        for (int level = 0; level < levels.size(); level++) {
            Features in = levels.get(level);
            String name = "head" + level;
            int channels = in.channels();
            Features stem = plain(name + ".stem", in, channels, 1, 1, Activation.SILU);
            Features cls = plain(name + ".cls_conv", stem, channels, 3, 1, Activation.SILU);
            Features reg = plain(name + ".reg_conv", stem, channels, 3, 1, Activation.SILU);
            Features score =
                    layers.activate(
                            name + ".cls_pred",
                            layers.prediction(name + ".cls_pred", cls, classes, CLASS_BIAS),
                            Activation.SIGMOID);
            int sides = architecture.isLarge() ? 4 * BINS : 4;
            Features distance = layers.prediction(name + ".reg_pred", reg, sides, DISTANCE_BIAS);
            int cells = cells(level);
            scores.add(reshaped(name + ".scores", score.tensor(), 1, classes, cells));
            distances.add(
                    architecture.isLarge()
                            ? expected(name, distance.tensor(), cells)
                            : reshaped(name + ".distances", distance.tensor(), 1, 4, cells));
        }
        decode(scores, distances);
    }

    private int cells(int level) {
        return (width / STRIDES[level]) * (height / STRIDES[level]);
    }

    /** The mean of each side's distribution: [1, 68, h, w] to [1, 4, h·w]. */
    private String expected(String name, String distance, int cells) {
        String bins = reshaped(name + ".bins", distance, 1, 4, BINS, cells);
        String first =
                layers.node("Transpose", name + ".bins_first", bins)
                        .with("perm", new long[] {0, 2, 1, 3})
                        .output();
        String likely = layers.node("Softmax", name + ".softmax", first).with("axis", 1).output();
        float[] projection = new float[BINS];
        for (int i = 0; i < BINS; i++) {
            projection[i] = i;
        }
        String mean =
                layers.node(
                                "Conv",
                                name + ".proj",
                                likely,
                                layers.constant(
                                        name + ".proj.weight",
                                        Tensor.floats(new long[] {1, BINS, 1, 1}, projection)))
                        .with("kernel_shape", new long[] {1, 1})
                        .output();
        return reshaped(name + ".distances", mean, 1, 4, cells);
    }

    private String reshaped(String name, String tensor, long... shape) {
        return layers.node(
                        "Reshape",
                        name,
                        tensor,
                        layers.constant(name + ".shape", Tensor.longs(shape)))
                .output();
    }

    /**
     * Rows of cx, cy, w, h in pixels, 1 for the objectness that YOLOv6 has not, class scores;
     * levels one after the other, each row by row.
     */
    private void decode(List<String> scores, List<String> distances) {
        String score = rows("decode.scores", scores);
        String distance = rows("decode.distances", distances);
        int anchors = cells(0) + cells(1) + cells(2);
        Node split =
                layers.node(
                                "Split",
                                "decode.split",
                                distance,
                                layers.constant("decode.split.sizes", Tensor.longs(2, 2)))
                        .with("axis", 2);
        split.outputs().set(0, "decode.split.lt");
        split.outputs().add("decode.split.rb");
        String anchor = layers.constant("decode.anchors", anchorCentres(anchors));
        String from = layers.node("Sub", "decode.x1y1", anchor, "decode.split.lt").output();
        String to = layers.node("Add", "decode.x2y2", anchor, "decode.split.rb").output();
        String sum = layers.node("Add", "decode.sum", from, to).output();
        String centre =
                layers.node(
                                "Div",
                                "decode.centre",
                                sum,
                                layers.constant("decode.two", Tensor.scalar(2)))
                        .output();
        String size = layers.node("Sub", "decode.size", to, from).output();
        String box = layers.node("Concat", "decode.box", centre, size).with("axis", 2).output();
        String pixels =
                layers.node(
                                "Mul",
                                "decode.pixels",
                                box,
                                layers.constant("decode.strides", strides(anchors)))
                        .output();
        float[] ones = new float[anchors];
        Arrays.fill(ones, 1);
        String objectness =
                layers.constant(
                        "decode.objectness", Tensor.floats(new long[] {1, anchors, 1}, ones));
        layers.graph()
                .add("Concat", "decode.outputs", List.of(pixels, objectness, score), "outputs")
                .with("axis", 2);
        layers.graph()
                .outputs()
                .add(ValueInfo.of("outputs", ElementType.FLOAT, 1, anchors, 5 + classes));
    }

    /** Levels side by side, one row an anchor. */
    private String rows(String name, List<String> levels) {
        Node all = layers.node("Concat", name + ".concat", levels.toArray(String[]::new));
        all.with("axis", 2);
        return layers.node("Transpose", name, all.output())
                .with("perm", new long[] {0, 2, 1})
                .output();
    }

    /** In strides of their level. */
    private Tensor anchorCentres(int anchors) {
        float[] centres = new float[2 * anchors];
        int at = 0;
        for (int stride : STRIDES) {
            for (int y = 0; y < height / stride; y++) {
                for (int x = 0; x < width / stride; x++) {
                    centres[at++] = x + 0.5f;
                    centres[at++] = y + 0.5f;
                }
            }
        }
        return Tensor.floats(new long[] {1, anchors, 2}, centres);
    }

    private Tensor strides(int anchors) {
        float[] strides = new float[anchors];
        int at = 0;
        for (int level = 0; level < STRIDES.length; level++) {
            Arrays.fill(strides, at, at + cells(level), STRIDES[level]);
            at += cells(level);
        }
        return Tensor.floats(new long[] {1, anchors, 1}, strides);
    }

    /** A 3×3 block of the size's own kind. */
    private Features block(String name, Features in, int out, int stride) {
        Activation activation = architecture.activation();
        Features linear =
                activation == Activation.RELU
                        ? blocks.rep(layers, name, in, out, stride)
                        : blocks.plain(layers, name, in, out, 3, stride);
        return layers.activate(name, linear, activation);
    }

    private Features plain(
            String name, Features in, int out, int kernel, int stride, Activation activation) {
        return layers.activate(
                name, blocks.plain(layers, name, in, out, kernel, stride), activation);
    }

    /** The neck's own convolutions, ReLU whatever the blocks use. */
    private Features relu(String name, Features in, int out, int kernel, int stride) {
        return plain(name, in, out, kernel, stride, Activation.RELU);
    }
}

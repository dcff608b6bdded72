// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.testing;

import static io.sightline.inference.testing.OnnxGraph.FLOAT32;
import static io.sightline.inference.testing.OnnxGraph.INT32;
import static io.sightline.inference.testing.OnnxGraph.INT64;
import static io.sightline.inference.testing.OnnxGraph.UINT8;
import static io.sightline.inference.testing.OnnxGraph.attribute;

import io.sightline.inference.ModelSpec.InputFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * Small detectors for tests, written as ONNX files: nothing is learnt, but what they give follows
 * from the pixels of each frame.
 */
public final class TestModels {

    /** Batch of a graph that leaves it open. */
    public static final int DYNAMIC = -1;

    /** Rows of the colour detector, of which the first speaks. */
    public static final int COLOUR_ROWS = 4;

    /** Classes of the colour detector. */
    public static final int COLOUR_CLASSES = 8;

    private TestModels() {}

    /**
     * A detector whose one detection tells the frame's colour, so that a test can see whether an
     * event belongs to its frame. Layout pairs, nothing to suppress, border 0, labels shade-0 to
     * shade-7; its JSON lies beside it. With the mean blue b, green g and red r (0..255) of the
     * middle half of the input in both directions, where a letterboxed frame always is:
     *
     * <ul>
     *   <li>x1 = width / 4, y1 = height / 4,
     *   <li>x2 = x1 + width / 2 · (r + 1) / 256, y2 = y1 + height / 2 · (g + 1) / 256,
     *   <li>score = 0.5 + r / 512, class = ⌊b / 32⌋.
     * </ul>
     *
     * @param batch of the graph, or {@link #DYNAMIC}
     * @see #colourRow
     */
    public static Path colourDetector(
            Path folder, int width, int height, int batch, InputFormat format) {
        OnnxGraph graph = new OnnxGraph();
        middleColours(graph, width, height, batch, format);
        float scaleX = width / 2f / 256;
        float scaleY = height / 2f / 256;
        graph.floats(
                        "slope",
                        new int[] {3, 5},
                        // columns x1 y1 x2 y2 score; rows blue green red
                        new float[] {
                            0, 0, 0, 0, 0, //
                            0, 0, 0, scaleY, 0, //
                            0, 0, scaleX, 0, 1 / 512f
                        })
                .floats(
                        "offset",
                        new int[] {5},
                        width / 4f,
                        height / 4f,
                        width / 4f + scaleX,
                        height / 4f + scaleY,
                        0.5f)
                .floats("blue_only", new int[] {3, 1}, 1 / 32f, 0, 0)
                .longs("as_rows", 0, 1, 6)
                .longs("more_rows", 0, 0, 0, 0, COLOUR_ROWS - 1, 0)
                .node("MatMul", "scaled", List.of("colour", "slope"))
                .node("Add", "box_and_score", List.of("scaled", "offset"))
                .node("MatMul", "shade", List.of("colour", "blue_only"))
                .node("Floor", "class", List.of("shade"))
                .node("Concat", "pair", List.of("box_and_score", "class"), attribute("axis", 1))
                .node("Reshape", "row", List.of("pair", "as_rows"))
                .node("Pad", "detections", List.of("row", "more_rows"))
                .output("detections", FLOAT32, batch, COLOUR_ROWS, 6);
        Path model = graph.write(folder.resolve("colour-detector.onnx"));
        try {
            Files.writeString(
                    folder.resolve("colour-detector.json"),
                    """
                    {"layout": "pairs", "suppress": false, "border": 0, "licence": "Apache-2.0",
                     "labels": ["shade-0", "shade-1", "shade-2", "shade-3",
                                "shade-4", "shade-5", "shade-6", "shade-7"]}
                    """);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return model;
    }

    /**
     * What {@link #colourDetector} says of a colour: x1, y1, x2, y2 in input pixels, score, class.
     */
    public static float[] colourRow(int width, int height, float blue, float green, float red) {
        return new float[] {
            width / 4f,
            height / 4f,
            width / 4f + width / 2f * (red + 1) / 256,
            height / 4f + height / 2f * (green + 1) / 256,
            0.5f + red / 512,
            (float) Math.floor(blue / 32)
        };
    }

    /**
     * A detector of layout anchors-obj with 80 classes over strides 8, 16 and 32: [batch, N, 85],
     * every value a different mixture of the colours of its cell, between 0 and 1. No JSON.
     *
     * @param width a multiple of 32; 64 by 64 would leave two readings of the layout
     * @param height a multiple of 32
     * @param batch of the graph, or {@link #DYNAMIC}
     */
    public static Path anchorDetector(
            Path folder, int width, int height, int batch, InputFormat format) {
        OnnxGraph graph = new OnnxGraph();
        String image = planesOf(graph, width, height, batch, format);
        Random random = new Random(7);
        graph.longs("flat", 0, 85, -1);
        int anchors = 0;
        for (int stride = 8; stride <= 32; stride *= 2) {
            float[] weights = new float[85 * 3];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = 4 * random.nextFloat() - 2;
            }
            anchors += (width / stride) * (height / stride);
            graph.floats("weights" + stride, new int[] {85, 3, 1, 1}, weights)
                    .node(
                            "AveragePool",
                            "cells" + stride,
                            List.of(image),
                            attribute("kernel_shape", new long[] {stride, stride}),
                            attribute("strides", new long[] {stride, stride}))
                    .node("Conv", "mixed" + stride, List.of("cells" + stride, "weights" + stride))
                    .node("Sigmoid", "maps" + stride, List.of("mixed" + stride))
                    .node("Reshape", "flat" + stride, List.of("maps" + stride, "flat"))
                    .node(
                            "Transpose",
                            "level" + stride,
                            List.of("flat" + stride),
                            attribute("perm", new long[] {0, 2, 1}));
        }
        graph.node(
                        "Concat",
                        "outputs",
                        List.of("level8", "level16", "level32"),
                        attribute("axis", 1))
                .output("outputs", FLOAT32, batch, anchors, 85);
        return graph.write(folder.resolve("anchor-detector.onnx"));
    }

    /**
     * A detector of any batch, height and width, 64×64 by its JSON: for each cell of 32 pixels a
     * row cx, cy, 32, 32, 1 and the cell's mean red, green and blue, 0..1. Layout anchors-obj. What
     * depends on the size is computed from it, as exports of open size do.
     */
    public static Path openDetector(Path folder) {
        OnnxGraph graph =
                new OnnxGraph()
                        .input("images", UINT8, List.of("batch", "height", "width", "3"))
                        .floats("full", new int[] {1}, 255)
                        .floats("half", new int[] {1}, 0.5f)
                        .floats("stride", new int[] {1}, 32)
                        .longs("rgb_order", 2, 1, 0)
                        .longs("flat", 0, 0, -1)
                        .longs("sizes", 1, 2)
                        .longs("column", 1, -1, 1)
                        .longs("zero_axis", 0)
                        .longs("one", 1)
                        .longs("two", 2)
                        .node("Cast", "pixels", List.of("images"), attribute("to", FLOAT32))
                        .node("Div", "unit", List.of("pixels", "full"))
                        .node("Gather", "rgb", List.of("unit", "rgb_order"), attribute("axis", 3))
                        .node(
                                "Transpose",
                                "planes",
                                List.of("rgb"),
                                attribute("perm", new long[] {0, 3, 1, 2}))
                        .node(
                                "AveragePool",
                                "cells",
                                List.of("planes"),
                                attribute("kernel_shape", new long[] {32, 32}),
                                attribute("strides", new long[] {32, 32}))
                        .node("Reshape", "rows", List.of("cells", "flat"))
                        .node(
                                "Transpose",
                                "scores",
                                List.of("rows"),
                                attribute("perm", new long[] {0, 2, 1}))
                        // Of one frame, so that it does not depend on the batch.
                        .node(
                                "Gather",
                                "row_of_frames",
                                List.of("cells", "zero_axis"),
                                attribute("axis", 0))
                        .node("Squeeze", "frame", List.of("row_of_frames", "zero_axis"))
                        .node("Shape", "shape", List.of("frame"))
                        .node("Gather", "size", List.of("shape", "sizes"), attribute("axis", 0));
        centres(graph, "x", "two", new long[] {1, -1});
        centres(graph, "y", "one", new long[] {-1, 1});
        graph.floats("lowest", new int[0], 32)
                .floats("one_score", new int[0], 1)
                .longs("from", 0)
                .longs("last_axis", 2)
                .node("Slice", "first_scores", List.of("scores", "from", "two", "last_axis"))
                .node("Clip", "sides", List.of("first_scores", "lowest", "lowest"))
                .node("Slice", "first_score", List.of("scores", "from", "one", "last_axis"))
                .node("Clip", "objectness", List.of("first_score", "one_score", "one_score"))
                .node("Concat", "centres", List.of("x", "y"), attribute("axis", 2))
                .node("Sub", "nothing", List.of("sides", "sides"))
                .node("Add", "middles", List.of("nothing", "centres"))
                .node(
                        "Concat",
                        "outputs",
                        List.of("middles", "sides", "objectness", "scores"),
                        attribute("axis", 2))
                .output("outputs", FLOAT32, List.of("batch", "anchors", "8"));
        Path model = graph.write(folder.resolve("open-detector.onnx"));
        try {
            Files.writeString(
                    folder.resolve("open-detector.json"),
                    """
                    {"layout": "anchors-obj", "border": 0, "input_width": 64, "input_height": 64,
                     "labels": ["red", "green", "blue"]}
                    """);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return model;
    }

    /** Adds float32 [1, cells, 1] of that name: the centres along an axis, in pixels. */
    private static void centres(OnnxGraph graph, String name, String axis, long[] along) {
        graph.longs(name + "_along", along)
                .node("Gather", name + "_counts", List.of("shape", axis), attribute("axis", 0))
                .node("Squeeze", name + "_count", List.of(name + "_counts", "zero_axis"))
                .node("Squeeze", name + "_first", List.of("zero_axis", "zero_axis"))
                .node("Squeeze", name + "_step", List.of("one", "zero_axis"))
                .node(
                        "Range",
                        name + "_steps",
                        List.of(name + "_first", name + "_count", name + "_step"))
                .node("Cast", name + "_floats", List.of(name + "_steps"), attribute("to", FLOAT32))
                .node("Add", name + "_middles", List.of(name + "_floats", "half"))
                .node("Mul", name + "_pixels", List.of(name + "_middles", "stride"))
                .node("Reshape", name + "_line", List.of(name + "_pixels", name + "_along"))
                .node("Expand", name + "_grid", List.of(name + "_line", "size"))
                .node("Reshape", name, List.of(name + "_grid", "column"));
    }

    /**
     * A detector with the four outputs of a graph that suppresses itself: count [batch, 1] int32,
     * boxes [batch, 3, 4], scores [batch, 3], classes [batch, 3] int64. Count is 1 + ⌊b / 128⌋ of
     * the mean blue b, 0..255; the first score r / 255 of the mean red, the first class ⌊g / 32⌋ of
     * the mean green. No JSON.
     *
     * @param openRows whether the graph leaves open how many boxes, scores and classes there are;
     *     then there are as many as the largest count of the batch
     */
    public static Path end2endDetector(
            Path folder, int width, int height, int batch, boolean openRows) {
        OnnxGraph graph = new OnnxGraph();
        middleColours(graph, width, height, batch, InputFormat.BYTES_NHWC_BGR);
        int rows = openRows ? -1 : 3;
        graph.floats("to_count", new int[] {3, 1}, 1 / 128f, 0, 0)
                .floats("to_box", new int[] {3, 4}, 0, 0, .1f, .1f, 0, 0, .1f, 0, 0, 0, 0, .1f)
                .floats("to_score", new int[] {3, 1}, 0, 0, 1 / 255f)
                .floats("to_class", new int[] {3, 1}, 0, 1 / 32f, 0)
                .floats("one", new int[] {1}, 1)
                .longs("as_rows", 0, 1, 4)
                .longs("two_boxes", 0, 0, 0, 0, 2, 0)
                .longs("two_values", 0, 0, 0, 2)
                .longs("from", 0)
                .longs("axis", 1)
                .node("MatMul", "blue", List.of("colour", "to_count"))
                .node("Floor", "halves", List.of("blue"))
                .node("Add", "float_count", List.of("halves", "one"))
                .node("Cast", "num_dets", List.of("float_count"), attribute("to", INT32))
                .node("MatMul", "box", List.of("colour", "to_box"))
                .node("Reshape", "box_row", List.of("box", "as_rows"))
                .node("MatMul", "score", List.of("colour", "to_score"))
                .node("MatMul", "green", List.of("colour", "to_class"))
                .node("Floor", "float_class", List.of("green"));
        if (openRows) {
            graph.node("Pad", "all_boxes", List.of("box_row", "two_boxes"))
                    .node("Pad", "all_scores", List.of("score", "two_values"))
                    .node("Pad", "all_float_classes", List.of("float_class", "two_values"))
                    .node(
                            "Cast",
                            "all_classes",
                            List.of("all_float_classes"),
                            attribute("to", INT64))
                    .node("ReduceMax", "most", List.of("float_count"), attribute("keepdims", 0))
                    .node("Cast", "most_rows", List.of("most"), attribute("to", INT64))
                    .longs("as_vector", 1)
                    .node("Reshape", "to", List.of("most_rows", "as_vector"));
            for (String name : List.of("boxes", "scores", "classes")) {
                graph.node("Slice", "det_" + name, List.of("all_" + name, "from", "to", "axis"));
            }
        } else {
            graph.node("Pad", "det_boxes", List.of("box_row", "two_boxes"))
                    .node("Pad", "det_scores", List.of("score", "two_values"))
                    .node("Pad", "all_float_classes", List.of("float_class", "two_values"))
                    .node(
                            "Cast",
                            "det_classes",
                            List.of("all_float_classes"),
                            attribute("to", INT64));
        }
        graph.output("num_dets", INT32, batch, 1)
                .output("det_boxes", FLOAT32, batch, rows, 4)
                .output("det_scores", FLOAT32, batch, rows)
                .output("det_classes", INT64, batch, rows);
        return graph.write(folder.resolve("end2end-detector.onnx"));
    }

    /**
     * A detector of layout pairs that fails in any run with a frame whose mean blue is 128 or more.
     * Its JSON is not needed: 300 rows.
     */
    public static Path failingDetector(Path folder, int width, int height) {
        OnnxGraph graph = new OnnxGraph();
        middleColours(graph, width, height, DYNAMIC, InputFormat.BYTES_NHWC_BGR);
        graph.floats("to_index", new int[] {3, 1}, 1 / 128f, 0, 0)
                .floats("table", new int[] {1, 300, 6}, new float[1800])
                .longs("as_vector", -1)
                .node("MatMul", "blue", List.of("colour", "to_index"))
                .node("Cast", "index", List.of("blue"), attribute("to", INT64))
                .node("Reshape", "indices", List.of("index", "as_vector"))
                .node("Gather", "detections", List.of("table", "indices"), attribute("axis", 0))
                .output("detections", FLOAT32, DYNAMIC, 300, 6);
        return graph.write(folder.resolve("failing-detector.onnx"));
    }

    /** Adds the input and "colour", [batch, 3]: mean blue, green, red, 0..255, of the middle. */
    private static void middleColours(
            OnnxGraph graph, int width, int height, int batch, InputFormat format) {
        boolean bytes = format == InputFormat.BYTES_NHWC_BGR;
        graph.longs("middle_from", height / 4, width / 4)
                .longs("middle_to", height - height / 4, width - width / 4);
        if (bytes) {
            graph.input("images", UINT8, batch, height, width, 3)
                    .longs("middle_axes", 1, 2)
                    .node(
                            "Slice",
                            "middle",
                            List.of("images", "middle_from", "middle_to", "middle_axes"))
                    .node("Cast", "pixels", List.of("middle"), attribute("to", FLOAT32))
                    .node(
                            "ReduceMean",
                            "colour",
                            List.of("pixels"),
                            attribute("axes", new long[] {1, 2}),
                            attribute("keepdims", 0));
        } else {
            graph.input("images", FLOAT32, batch, 3, height, width)
                    .longs("middle_axes", 2, 3)
                    .floats("to_bgr", new int[] {3, 3}, 0, 0, 255, 0, 255, 0, 255, 0, 0)
                    .node(
                            "Slice",
                            "middle",
                            List.of("images", "middle_from", "middle_to", "middle_axes"))
                    .node(
                            "ReduceMean",
                            "rgb",
                            List.of("middle"),
                            attribute("axes", new long[] {2, 3}),
                            attribute("keepdims", 0))
                    .node("MatMul", "colour", List.of("rgb", "to_bgr"));
        }
    }

    /** Adds the input and returns the name of float32 [batch, 3, height, width], RGB, 0..1. */
    private static String planesOf(
            OnnxGraph graph, int width, int height, int batch, InputFormat format) {
        if (format == InputFormat.FLOAT_NCHW_RGB) {
            graph.input("images", FLOAT32, batch, 3, height, width);
            return "images";
        }
        graph.input("images", UINT8, batch, height, width, 3)
                .longs("rgb_order", 2, 1, 0)
                .floats("full", new int[] {1}, 255)
                .node("Cast", "pixels", List.of("images"), attribute("to", FLOAT32))
                .node("Div", "unit", List.of("pixels", "full"))
                .node("Gather", "unit_rgb", List.of("unit", "rgb_order"), attribute("axis", 3))
                .node(
                        "Transpose",
                        "planes",
                        List.of("unit_rgb"),
                        attribute("perm", new long[] {0, 3, 1, 2}));
        return "planes";
    }
}

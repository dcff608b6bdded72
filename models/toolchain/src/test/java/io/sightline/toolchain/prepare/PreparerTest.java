// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.RawOutput;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.toolchain.testing.YoloV7Graph;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.NmsSettings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class PreparerTest {

    private static final OutputLayout ANCHORS = OutputLayout.ANCHORS_OBJ;

    @TempDir Path folder;

    private static Prepared prepare(Graph graph, Target target) {
        return Preparer.prepare(graph, SmallDetector.spec(ANCHORS), PrepareSettings.of(target));
    }

    private static PrepareSettings settings(int topK) {
        return new PrepareSettings(Target.ONNXRUNTIME, OptionalInt.empty(), OptionalInt.of(topK));
    }

    private static Map<String, Value> run(Graph graph, Value input) {
        try (GraphSession session =
                GraphSession.open(graph.toBytes(), SessionSettings.reference(1))) {
            return session.run(Map.of("images", input));
        }
    }

    private static Value bytes(int frames, int seed) {
        byte[] bytes = new byte[frames * SmallDetector.SIDE * SmallDetector.SIDE * 3];
        new Random(seed).nextBytes(bytes);
        return Value.of(
                new long[] {frames, SmallDetector.SIDE, SmallDetector.SIDE, 3},
                ByteBuffer.allocateDirect(bytes.length).put(bytes).flip());
    }

    /** Written by hand once more: the same pixels as RGB planes, 0..1. */
    private static Value planes(Value bytes) {
        int pixels = SmallDetector.SIDE * SmallDetector.SIDE;
        FloatBuffer planes =
                ByteBuffer.allocateDirect(12 * pixels)
                        .order(ByteOrder.nativeOrder())
                        .asFloatBuffer();
        for (int i = 0; i < pixels; i++) {
            for (int c = 0; c < 3; c++) {
                planes.put((2 - c) * pixels + i, (bytes.bytes().get(3 * i + c) & 0xFF) / 255f);
            }
        }
        return Value.of(new long[] {1, 3, SmallDetector.SIDE, SmallDetector.SIDE}, planes);
    }

    // ---- (a) bytes ----

    @ParameterizedTest
    @EnumSource(Target.class)
    void shouldTakeTheBytesThemselves(Target target) {
        Graph graph = SmallDetector.of(ANCHORS);
        Prepared prepared =
                Preparer.prepare(
                        graph,
                        SmallDetector.spec(ANCHORS),
                        new PrepareSettings(target, OptionalInt.empty(), OptionalInt.empty()));

        assertThat(prepared.graph().inputs().get(0))
                .hasToString("'images' UINT8 [batch, 32, 32, 3]");
        assertThat(prepared.steps())
                .anyMatch(s -> s.contains("colour order folded into [Conv 'stem']"));
        assertThat(prepared.spec().inputFormat()).isEqualTo(InputFormat.BYTES_NHWC_BGR);
        Value bytes = bytes(1, 3);
        FloatBuffer expected = run(graph, planes(bytes)).get("outputs").floats();
        FloatBuffer found = run(prepared.graph(), bytes).get("outputs").floats();
        for (int i = 0; i < expected.limit(); i++) {
            assertThat(found.get(i)).isCloseTo(expected.get(i), within(1e-4f));
        }
        assertThat(prepared.graph().sorted())
                .extracting(Node::opType)
                .containsSubsequence(
                        target == Target.TENSORRT
                                ? List.of("Cast", "Transpose", "Mul", "Conv")
                                : List.of("Transpose", "DequantizeLinear", "Conv"));
    }

    @Test
    void shouldPutColoursInOrderByANodeWhereMoreThanAConvolutionSeesThem() {
        Graph graph = SmallDetector.of(ANCHORS);
        graph.nodes().get(0).inputs().set(0, "half");
        graph.initializers().put("shift", Tensor.floats(new long[] {1, 3, 1, 1}, 0.1f, 0.2f, 0.3f));
        graph.add("Add", "normalise", List.of("images", "shift"), "half");

        Prepared prepared = prepare(graph, Target.ONNXRUNTIME);

        assertThat(prepared.steps())
                .anyMatch(s -> s.contains("by a Gather") && s.contains("Add 'normalise'"));
    }

    @Test
    void shouldLookThroughWhatTreatsColoursAlike() {
        Graph graph = SmallDetector.of(ANCHORS);
        graph.nodes().get(0).inputs().set(0, "dequantized");
        graph.initializers().put("s", Tensor.scalar(1 / 255f));
        graph.initializers().put("z", Tensor.bytes(ElementType.UINT8, new long[0], (byte) 0));
        graph.add("QuantizeLinear", "q", List.of("images", "s", "z"), "quantized");
        graph.add("DequantizeLinear", "dq", List.of("quantized", "s", "z"), "dequantized");
        Tensor weight = graph.constant("stem.weight");
        byte[] ints = new byte[weight.size()];
        new Random(2).nextBytes(ints);
        float[] scales = new float[(int) weight.dim(0)];
        Arrays.fill(scales, 0.002f);
        graph.initializers().put("w8", Tensor.bytes(ElementType.INT8, weight.dims(), ints));
        graph.initializers().put("ws", Tensor.floats(new long[] {scales.length}, scales));
        graph.add("DequantizeLinear", "wdq", List.of("w8", "ws"), "w").with("axis", 0);
        graph.nodes().get(0).inputs().set(1, "w");

        Prepared prepared = prepare(graph, Target.ONNXRUNTIME);

        assertThat(prepared.steps()).anyMatch(s -> s.contains("folded into [Conv 'stem']"));
    }

    @Test
    void shouldRefuseAnInputThatIsNoPicture() {
        Graph graph = SmallDetector.of(ANCHORS);
        graph.inputs().set(0, ValueInfo.of("images", ElementType.FLOAT, 1, 4, 32, 32));
        assertThatThrownBy(() -> prepare(graph, Target.ONNXRUNTIME))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("'images' FLOAT [1, 4, 32, 32]: expected float32 [batch, 3,");
        graph.inputs().add(ValueInfo.of("sizes", ElementType.FLOAT, 1, 2));
        assertThatThrownBy(() -> prepare(graph, Target.ONNXRUNTIME))
                .hasMessageContaining("expected one, the picture");
    }

    @Test
    void shouldLeaveAPreparedModelAsItIs() {
        Prepared once =
                Preparer.prepare(
                        SmallDetector.of(ANCHORS), SmallDetector.spec(ANCHORS), settings(10));
        Prepared twice = Preparer.prepare(once.graph(), once.spec(), settings(10));
        assertThat(twice.graph().toBytes()).isEqualTo(once.graph().toBytes());
        assertThat(twice.steps())
                .anyMatch(s -> s.contains("takes bytes already"))
                .anyMatch(s -> s.contains("batch was free already"))
                .anyMatch(s -> s.contains("pairs is compact"));
    }

    @Test
    void shouldRefuseForTensorRtWhatTakesItsBytesAsOnnxRuntimeDoes() {
        Prepared once = prepare(SmallDetector.of(ANCHORS), Target.ONNXRUNTIME);
        assertThatThrownBy(() -> prepare(once.graph(), Target.TENSORRT))
                .isInstanceOf(ToolchainException.class)
                .hasMessageStartingWith("input 'images' UINT8 ")
                .hasMessageContaining("give the model that this one was prepared from");
    }

    // ---- (b) batch ----

    @Test
    void shouldTakeAnyNumberOfFrames() {
        Prepared prepared = prepare(SmallDetector.of(ANCHORS), Target.ONNXRUNTIME);
        assertThat(prepared.spec().dynamicBatch()).isTrue();
        assertThat(prepared.graph().outputs().get(0)).hasToString("'outputs' FLOAT [batch, 64, 8]");
        Value five = bytes(5, 1);
        assertThat(run(prepared.graph(), five).get("outputs").shape()).containsExactly(5, 64, 8);
        assertThat(prepared.steps()).anyMatch(s -> s.startsWith("proven: 2 and 3 frames"));
    }

    @Test
    void shouldFixAnotherBatch() {
        Prepared prepared =
                Preparer.prepare(
                        SmallDetector.of(ANCHORS),
                        SmallDetector.spec(ANCHORS),
                        new PrepareSettings(
                                Target.ONNXRUNTIME, OptionalInt.of(4), OptionalInt.of(7)));
        assertThat(prepared.graph().inputs().get(0).dims().get(0).size()).isEqualTo(4);
        assertThat(prepared.spec().maxBatch()).isEqualTo(4);
        assertThat(prepared.spec().dynamicBatch()).isFalse();
        assertThat(run(prepared.graph(), bytes(4, 1)).values().iterator().next().shape())
                .containsExactly(4, 7, 6);
    }

    /** Each way to the same [1, 64, 8] that a batch of one leaves open. */
    @Test
    void shouldFollowTheFramesThroughShapesOfAllKinds() {
        Graph graph = SmallDetector.of(ANCHORS);
        graph.outputs().set(0, ValueInfo.of("end", ElementType.FLOAT, 1, 64, 8));
        // Through rows of all frames in one axis, and back.
        SmallDetector.reshape(graph, "outputs", "rows", 64, 8);
        graph.initializers().put("two", Tensor.floats(new long[] {1, 8}, 1, 1, 1, 1, 1, 1, 2, 1));
        graph.add("Mul", "double", List.of("rows", "two"), "doubled");
        SmallDetector.reshape(graph, "doubled", "back", 1, 8, 8, 8);
        // Shape arithmetic.
        graph.add("Shape", "shape", List.of("back"), "sizes");
        graph.add("Gather", "first", List.of("sizes", SmallDetector.ints(graph, 0)), "one");
        graph.add("Concat", "to", List.of("one", SmallDetector.ints(graph, -1, 8)), "to")
                .with("axis", 0);
        graph.add("Reshape", "computed", List.of("back", "to"), "computed");
        // A choice in each frame, by an index that counts all rows.
        graph.add("ReduceMax", "best", List.of("computed"), "best")
                .with("axes", new long[] {-1})
                .with("keepdims", 0);
        graph.add("TopK", "top", List.of("best", SmallDetector.ints(graph, 64)), "values")
                .outputs()
                .add("order");
        graph.add("Flatten", "all rows", List.of("computed"), "all").with("axis", 2);
        graph.add("Gather", "choose", List.of("all", "order"), "chosen").with("axis", 0);
        graph.add(
                "Expand", "expand", List.of("chosen", SmallDetector.ints(graph, 1, 64, 8)), "wide");
        graph.add("Tile", "tile", List.of("wide", SmallDetector.ints(graph, 1, 1, 1)), "tiled");
        graph.add("Unsqueeze", "more", List.of("tiled", SmallDetector.ints(graph, 1)), "more");
        graph.add("Squeeze", "less", List.of("more", SmallDetector.ints(graph, 1)), "end");

        Prepared prepared = prepare(graph, Target.ONNXRUNTIME);

        assertThat(prepared.steps()).anyMatch(s -> s.startsWith("proven: 2 and 3 frames"));
        assertThat(prepared.graph().outputs().get(0)).hasToString("'end' FLOAT [batch, 64, 8]");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "Transpose | moves the batch to another axis",
                "Squeeze | drops the batch",
                "Softmax | works along the batch",
                "NonZero | not known",
                "DynamicQuantizeLinear | fuse --dequantize",
            })
    void shouldNameTheNodeThatKeepsTheBatch(String operator, String reason) {
        Graph graph = SmallDetector.of(ANCHORS);
        Node culprit = new Node(operator, "culprit", List.of("outputs"), List.of("end"));
        if (operator.equals("Softmax")) {
            culprit.with("axis", 0);
        }
        if (operator.equals("DynamicQuantizeLinear")) {
            culprit.outputs().addAll(List.of("scale", "zero"));
        }
        graph.nodes().add(culprit);
        graph.outputs().set(0, ValueInfo.untyped("end"));

        assertThatThrownBy(() -> SymbolicBatch.free(graph))
                .isInstanceOf(SymbolicBatch.BoundException.class)
                .hasMessageStartingWith(operator + " 'culprit'")
                .hasMessageContaining(reason);
    }

    @Test
    void shouldSayThatTheBatchStaysAndWhy() {
        Graph graph = SmallDetector.of(ANCHORS);
        graph.outputs().set(0, ValueInfo.of("end", ElementType.FLOAT, 1, 64, 8));
        graph.add("Softmax", "across frames", List.of("outputs"), "end").with("axis", 0);

        Prepared prepared = prepare(graph, Target.ONNXRUNTIME);

        assertThat(prepared.steps())
                .contains("batch is fixed at 1: Softmax 'across frames': it works along the batch");
        assertThat(prepared.spec().dynamicBatch()).isFalse();
        assertThatThrownBy(
                        () ->
                                Preparer.prepare(
                                        graph,
                                        SmallDetector.spec(ANCHORS),
                                        new PrepareSettings(
                                                Target.ONNXRUNTIME,
                                                OptionalInt.of(8),
                                                OptionalInt.empty())))
                .hasMessageContaining("batch 1 cannot be changed to 8: Softmax 'across frames'");
    }

    // ---- (c) compact output ----

    @ParameterizedTest
    @CsvSource({
        "ANCHORS_OBJ, 192, false", "ANCHORS_OBJ, 192, true",
        "CHANNELS_FIRST, 192, false", "CHANNELS_FIRST, 192, true",
        "ANCHORS_OBJ, 3840, true", "CHANNELS_FIRST, 3840, false"
    })
    void shouldFindTheSameInACompactOutput(OutputLayout layout, int topK, boolean everyClass) {
        Graph graph = SmallDetector.of(layout);
        ModelSpec spec = SmallDetector.spec(layout);
        Prepared plain = Preparer.prepare(graph, spec, PrepareSettings.of(Target.ONNXRUNTIME));
        Prepared compact = Preparer.prepare(graph, spec, settings(topK));

        assertThat(compact.graph().outputs().get(0)).asString().endsWith("FLOAT [batch, 192, 6]");
        NmsSettings nms = new NmsSettings(0.3f, 0.6f, 30_000, 300, everyClass);
        Value frames = bytes(3, 9);
        RawOutput all = raw(run(plain.graph(), frames));
        RawOutput best = raw(run(compact.graph(), frames));
        for (int frame = 0; frame < 3; frame++) {
            String expected = new DetectionReader(plain.spec(), nms).read(all, frame).toString();
            assertThat(expected.length()).isGreaterThan(300);
            assertThat(new DetectionReader(compact.spec(), nms).read(best, frame))
                    .hasToString(expected);
        }
    }

    @Test
    void shouldGiveRowsByFallingScore() {
        Prepared compact =
                Preparer.prepare(
                        SmallDetector.of(ANCHORS), SmallDetector.spec(ANCHORS), settings(20));
        FloatBuffer rows = run(compact.graph(), bytes(1, 4)).values().iterator().next().floats();
        for (int row = 1; row < 20; row++) {
            assertThat(rows.get(6 * row + 4)).isLessThanOrEqualTo(rows.get(6 * row - 2));
        }
        assertThat(rows.limit()).isEqualTo(120);
    }

    @Test
    void shouldSayWhichBorderItAssumed() {
        Path yoloV6 = folder.resolve("yolov6.onnx");
        SmallDetector.of(ANCHORS).write(yoloV6);
        Path other = folder.resolve("other.onnx");
        YoloV7Graph.make().write(other);
        Prepared bordered = prepare(yoloV6, OptionalInt.empty());
        assertThat(bordered.spec().border()).isEqualTo(3);
        assertThat(bordered.steps())
                .startsWith("YOLOv6 recognised, its objectness is always 1: border 3 assumed");
        Prepared plain = prepare(other, OptionalInt.empty());
        assertThat(plain.spec().border()).isZero();
        assertThat(plain.steps().get(0)).startsWith("border 0 assumed: neither --border nor");
        Prepared stated = prepare(yoloV6, OptionalInt.of(1));
        assertThat(stated.spec().border()).isEqualTo(1);
        assertThat(stated.steps()).noneMatch(step -> step.contains("border"));
    }

    private static Prepared prepare(Path file, OptionalInt border) {
        return Preparer.prepare(file, new ModelOptions(Optional.of(ANCHORS), border), settings(20));
    }

    @Test
    void shouldWriteWhatTheJobCanOpen() {
        Path file = folder.resolve("compact.onnx");
        ModelFile written =
                Preparer.prepare(
                                SmallDetector.of(ANCHORS),
                                SmallDetector.spec(ANCHORS),
                                settings(20))
                        .write(file);

        assertThat(written.target()).contains("onnxruntime");
        try (OnnxRuntimeBackend backend = OnnxRuntimeBackend.open(file, ModelOptions.NONE, 4, 1)) {
            ModelSpec spec = backend.spec();
            assertThat(spec.layout()).isEqualTo(OutputLayout.PAIRS);
            assertThat(spec.suppress()).isTrue();
            assertThat(spec.border()).isEqualTo(3);
            assertThat(spec.labels()).hasSize(3);
            assertThat(spec.licence()).isEqualTo("MIT");
            assertThat(spec.name()).isEqualTo("small");
            assertThat(spec.inputFormat()).isEqualTo(InputFormat.BYTES_NHWC_BGR);
            assertThat(spec.maxBatch()).isEqualTo(4);
        }
        Graph.read(file).validate();
        assertThat(TensorShapes.of(Graph.read(file)).of("detections")).containsExactly(1, 20, 6);
    }

    @Test
    void shouldRefuseMoreRowsThanTensorRtGives() {
        assertThatThrownBy(() -> settings(3841)).hasMessageContaining("expected 1 to 3840");
        assertThatThrownBy(
                        () ->
                                new PrepareSettings(
                                        Target.TENSORRT, OptionalInt.of(0), OptionalInt.empty()))
                .hasMessageContaining("expected 1 or more");
    }

    private static RawOutput raw(Map<String, Value> outputs) {
        return new RawOutput(
                outputs.entrySet().stream()
                        .map(
                                output ->
                                        new RawOutput.Tensor(
                                                output.getKey(),
                                                Arrays.stream(output.getValue().shape())
                                                        .mapToInt(Math::toIntExact)
                                                        .toArray(),
                                                output.getValue().floats(),
                                                null))
                        .toList());
    }
}

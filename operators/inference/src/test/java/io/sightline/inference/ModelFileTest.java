// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import static io.sightline.inference.GraphTensor.DYNAMIC;
import static io.sightline.inference.GraphTensor.ElementType.FLOAT16;
import static io.sightline.inference.GraphTensor.ElementType.FLOAT32;
import static io.sightline.inference.GraphTensor.ElementType.INT32;
import static io.sightline.inference.GraphTensor.ElementType.INT64;
import static io.sightline.inference.GraphTensor.ElementType.UINT8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.GraphTensor.ElementType;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.OnnxGraph;
import io.sightline.inference.testing.TestModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ModelFileTest {

    @TempDir Path folder;

    private Path onnx;

    @BeforeEach
    void writeModel() {
        onnx =
                new OnnxGraph()
                        .input("images", OnnxGraph.FLOAT32, 1, 3, 640, 640)
                        .node("Identity", "outputs", List.of("images"))
                        .output("outputs", OnnxGraph.FLOAT32, 1, 3, 640, 640)
                        .write(folder.resolve("some-model.onnx"));
    }

    private static List<GraphTensor> floats(int batch, int width, int height) {
        return List.of(tensor("images", FLOAT32, batch, 3, height, width));
    }

    private static GraphTensor tensor(String name, ElementType type, int... shape) {
        return new GraphTensor(name, type, shape);
    }

    private static List<GraphTensor> outputs(int... shape) {
        return List.of(tensor("outputs", FLOAT32, shape));
    }

    private ModelSpec spec(List<GraphTensor> inputs, List<GraphTensor> outputs) {
        return ModelFile.read(onnx).spec(inputs, outputs, ModelOptions.NONE, 4);
    }

    private void json(String text) throws IOException {
        Files.writeString(folder.resolve("some-model.json"), text);
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
            List<GraphTensor> inputs, List<GraphTensor> outputs) {
        return assertThatThrownBy(() -> spec(inputs, outputs))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining(onnx.toString())
                .hasMessageNotContaining("\n");
    }

    // ---- without JSON ----

    @ParameterizedTest(name = "{0}x{1}, [1,{2},{3}]: {4} with {5} classes")
    @CsvSource({
        "640, 640,  8400,    85, anchors-obj,    80, true", // YOLOv6 plain
        "640, 640, 25200,    85, anchors-obj,    80, true", // YOLOv5, YOLOv7
        "640, 640,  8500,    85, anchors-obj,    80, true", // YOLOv6-Lite
        "320, 320,  2125,    85, anchors-obj,    80, true",
        "1280, 1280, 34000,  85, anchors-obj,    80, true", // YOLOv6 P6
        "640, 384,  5040,    85, anchors-obj,    80, true",
        "640, 640,  8400,     6, anchors-obj,     1, true",
        "640, 640,  8400,    86, anchors-obj,    81, true",
        "640, 640,    84,  8400, channels-first, 80, true", // YOLOv8
        "320, 320,    84,  2100, channels-first, 80, true",
        "640, 640,     5,  8400, channels-first,  1, true",
        "640, 640,   300,     6, pairs,          80, false", // YOLOv10
        "640, 640,   100,     6, pairs,          80, true",
    })
    void shouldInferTheLayoutThatTheShapeLeaves(
            int width,
            int height,
            int middle,
            int last,
            String layout,
            int classes,
            boolean suppress) {
        ModelSpec spec = spec(floats(1, width, height), outputs(1, middle, last));
        assertThat(spec.layout().label()).isEqualTo(layout);
        assertThat(spec.labels()).hasSize(classes);
        assertThat(spec.labels().get(0)).isEqualTo(classes == 80 ? "person" : "class-0");
        assertThat(spec.suppress()).isEqualTo(suppress);
        assertThat(spec.border()).isZero();
        assertThat(spec.fill()).isEqualTo(114);
        assertThat(spec.confidence()).isEqualTo(layout.equals("pairs") && !suppress ? 0.25f : 0.4f);
        assertThat(spec.iou()).isEqualTo(0.45f);
        assertThat(spec.inputWidth()).isEqualTo(width);
        assertThat(spec.inputHeight()).isEqualTo(height);
    }

    @ParameterizedTest(name = "[1,{0},{1}]")
    @CsvSource({
        "8400, 84", // boxes and 80 classes an anchor, without objectness
        "85, 8400", // with objectness, anchors last
        "8401, 85",
        "8400, 5",
        "4, 8400",
        "8400, 8400",
        "-1, 6",
        "-1, 85",
        "7, 7",
    })
    void shouldDemandALayoutWhereTheShapeLeavesNoneOrSeveral(int middle, int last) {
        assertRefused(floats(1, 640, 640), outputs(1, middle, last))
                .hasMessageContaining("--layout")
                .hasMessageContaining(
                        "'outputs' float32 [1," + (middle < 0 ? "?" : middle) + "," + last + "]")
                .hasMessageContaining("anchors-obj")
                .hasMessageContaining("channels-first")
                .hasMessageContaining("pairs")
                .hasMessageContaining("end2end");
    }

    @Test
    void shouldDemandALayoutForRawMaps() {
        assertRefused(
                        floats(1, 640, 640),
                        List.of(
                                tensor("a", FLOAT32, 1, 3, 80, 80, 85),
                                tensor("b", FLOAT32, 1, 3, 40, 40, 85),
                                tensor("c", FLOAT32, 1, 3, 20, 20, 85)))
                .hasMessageContaining("'b' float32 [1,3,40,40,85]")
                .hasMessageContaining("known layouts");
    }

    @Test
    void shouldKnowTheFourOutputsOfSuppressingGraphs() {
        for (ElementType integer : List.of(INT32, INT64)) {
            ModelSpec spec =
                    spec(
                            floats(DYNAMIC, 640, 640),
                            List.of(
                                    tensor("num_dets", integer, DYNAMIC, 1),
                                    tensor("det_boxes", FLOAT32, DYNAMIC, 100, 4),
                                    tensor("det_scores", FLOAT32, DYNAMIC, 100),
                                    tensor("det_classes", integer, DYNAMIC, 100)));
            assertThat(spec.layout()).isEqualTo(OutputLayout.END2END);
            assertThat(spec.suppress()).isFalse();
            assertThat(spec.maxBatch()).isEqualTo(4);
            assertThat(spec.dynamicBatch()).isTrue();
        }
    }

    @Test
    void shouldLetOptionsWin() throws IOException {
        json("{\"layout\": \"pairs\", \"border\": 2}");
        ModelSpec spec =
                ModelFile.read(onnx)
                        .spec(
                                floats(1, 640, 640),
                                outputs(1, 8400, 84),
                                new ModelOptions(
                                        Optional.of(OutputLayout.ANCHORS_OBJ), OptionalInt.of(3)),
                                1);
        assertThat(spec.layout()).isEqualTo(OutputLayout.ANCHORS_OBJ);
        assertThat(spec.labels()).hasSize(79).endsWith("class-78");
        assertThat(spec.border()).isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource({
        "anchors-obj,    8400, 5",
        "channels-first, 4,    8400",
        "pairs,          300,  7",
        "end2end,        300,  6",
    })
    void shouldRefuseAStatedLayoutThatDoesNotFit(String layout, int middle, int last) {
        ModelOptions options =
                new ModelOptions(Optional.of(OutputLayout.of(layout)), OptionalInt.empty());
        assertThatThrownBy(
                        () ->
                                ModelFile.read(onnx)
                                        .spec(
                                                floats(1, 640, 640),
                                                outputs(1, middle, last),
                                                options,
                                                1))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("do not fit layout " + layout)
                .hasMessageContaining("'outputs' float32 [1," + middle + "," + last + "]");
    }

    // ---- input ----

    @Test
    void shouldTakeBytesAndFloats() {
        ModelSpec bytes = spec(List.of(tensor("x", UINT8, 2, 384, 640, 3)), outputs(2, 5040, 85));
        assertThat(bytes.inputFormat()).isEqualTo(InputFormat.BYTES_NHWC_BGR);
        assertThat(bytes.inputWidth()).isEqualTo(640);
        assertThat(bytes.inputHeight()).isEqualTo(384);
        assertThat(bytes.maxBatch()).isEqualTo(2);
        assertThat(bytes.dynamicBatch()).isFalse();
        assertThat(bytes.slotBytes()).isEqualTo(640 * 384 * 3);
        assertThat(spec(floats(1, 640, 384), outputs(1, 5040, 85)).inputFormat())
                .isEqualTo(InputFormat.FLOAT_NCHW_RGB);
    }

    @Test
    void shouldRefuseOtherInputs() {
        List<GraphTensor> outputs = outputs(1, 8400, 85);
        List<List<GraphTensor>> refused =
                List.of(
                        List.of(),
                        List.of(
                                tensor("a", FLOAT32, 1, 3, 640, 640),
                                tensor("b", FLOAT32, 1, 3, 640, 640)),
                        List.of(tensor("a", FLOAT16, 1, 3, 640, 640)),
                        List.of(tensor("a", FLOAT32, 1, 640, 640, 3)),
                        List.of(tensor("a", UINT8, 1, 3, 640, 640)),
                        List.of(tensor("a", FLOAT32, 3, 640, 640)),
                        List.of(tensor("a", FLOAT32, 1, 1, 640, 640)));
        for (List<GraphTensor> inputs : refused) {
            assertRefused(inputs, outputs)
                    .hasMessageContaining(inputs.isEmpty() ? "0 inputs" : inputs.get(0).toString())
                    .hasMessageContaining(
                            "expected one input, float32 [batch,3,height,width] or uint8 [batch,height,width,3]");
        }
    }

    @Test
    void shouldTakeAnOpenInputSizeFromTheJson() throws IOException {
        List<GraphTensor> open = floats(DYNAMIC, DYNAMIC, DYNAMIC);
        assertRefused(open, outputs(DYNAMIC, 8400, 85))
                .hasMessageContaining("\"input_width\"")
                .hasMessageContaining("[?,3,?,?]");
        json("{\"input_width\": 640, \"input_height\": 384}");
        ModelSpec spec = spec(open, outputs(DYNAMIC, 5040, 85));
        assertThat(spec.inputWidth()).isEqualTo(640);
        assertThat(spec.inputHeight()).isEqualTo(384);
        assertRefused(floats(1, 640, 640), outputs(1, 8400, 85))
                .hasMessageContaining("input_height 384");
    }

    @Test
    void shouldTakeAnOpenInputSizeFromTheOptionFirst() throws IOException {
        json("{\"input_width\": 640, \"input_height\": 384}");
        ModelOptions square =
                new ModelOptions(
                        Optional.empty(),
                        OptionalInt.empty(),
                        Optional.of(InputSize.of("640x640")));
        ModelFile file = ModelFile.read(onnx);
        ModelSpec spec =
                file.spec(floats(DYNAMIC, DYNAMIC, DYNAMIC), outputs(DYNAMIC, 8400, 85), square, 1);
        assertThat(spec.inputWidth()).isEqualTo(640);
        assertThat(spec.inputHeight()).isEqualTo(640);
        assertThatThrownBy(() -> file.spec(floats(1, 640, 384), outputs(1, 5040, 85), square, 1))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("[1,3,384,640]")
                .hasMessageContaining("fixed size, which --input-size cannot change");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "640", "640x", "0x640", "640X384", "-1x640", "640x384x3"})
    void shouldRefuseATextThatIsNoSize(String text) {
        assertThatThrownBy(() -> InputSize.of(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "'" + text + "' is not a size, expected width and height such as 640x384");
    }

    @ParameterizedTest
    @CsvSource({"600x400,608x416", "640x380,640x384", "5x5,32x32"})
    void shouldRefuseASizeThatNoDetectorTakes(String text, String nearest) {
        assertThatThrownBy(() -> InputSize.of(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(
                        "'"
                                + text
                                + "' is no size for a detector: expected multiples of 32 such as "
                                + nearest);
    }

    // ---- JSON ----

    @Test
    void shouldTakeEverythingFromTheJson() throws Exception {
        String sha256 =
                HexFormat.of()
                        .formatHex(
                                MessageDigest.getInstance("SHA-256")
                                        .digest(Files.readAllBytes(onnx)));
        json(
                """
                {"name": "yolov6n", "input_width": 640, "input_height": 640, "border": 2, "fill": 0,
                 "labels": ["cat", "dog"], "layout": "pairs", "suppress": true, "confidence": 0.25,
                 "iou": 0.6, "precision": "int8", "sha256": "%s", "target": "tensorrt",
                 "licence": "GPL-3.0", "provenance": "here", "something_new": {"a": [1]}}
                """
                        .formatted(sha256.toUpperCase(Locale.ROOT)));
        ModelFile file = ModelFile.read(onnx);
        assertThat(file.target()).contains("tensorrt");
        ModelSpec spec =
                file.spec(
                        floats(DYNAMIC, 640, 640), outputs(DYNAMIC, 300, 6), ModelOptions.NONE, 8);
        assertThat(spec)
                .isEqualTo(
                        new ModelSpec(
                                "yolov6n",
                                sha256,
                                640,
                                640,
                                InputFormat.FLOAT_NCHW_RGB,
                                8,
                                true,
                                2,
                                0,
                                List.of("cat", "dog"),
                                OutputLayout.PAIRS,
                                true,
                                0.25f,
                                0.6f,
                                "int8",
                                "GPL-3.0",
                                "here"));
    }

    @Test
    void shouldFillInWhatTheJsonDoesNotSay() throws IOException {
        json("{}");
        ModelSpec spec = spec(floats(1, 640, 640), outputs(1, 8400, 85));
        assertThat(spec.name()).isEqualTo("some-model");
        assertThat(spec.sha256()).matches("[0-9a-f]{64}");
        assertThat(spec.precision()).isEqualTo("fp32");
        assertThat(spec.licence()).isEmpty();
        assertThat(spec.provenance()).isEmpty();
        assertThat(ModelFile.read(onnx).target()).isEmpty();
    }

    @Test
    void shouldRefuseTheJsonOfAnotherFile() throws IOException {
        String other = "0123456789abcdef".repeat(4);
        json("{\"sha256\": \"" + other + "\"}");
        assertThatThrownBy(() -> ModelFile.read(onnx))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining(onnx.toString())
                .hasMessageContaining("some-model.json was written for " + other);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"border\": -1}",
                "{\"border\": 2.5}",
                "{\"border\": \"3\"}",
                "{\"fill\": 256}",
                "{\"input_width\": 0}",
                "{\"labels\": []}",
                "{\"labels\": [\"a\", null]}",
                "{\"labels\": \"coco\"}",
                "{\"layout\": \"yolo\"}",
                "{\"suppress\": \"no\"}",
                "{\"confidence\": 1.5}",
                "{\"iou\": -0.1}",
                "{\"precision\": \"INT4\"}",
                "{\"target\": \"openvino\"}",
                "{\"sha256\": \"abc\"}",
                "[]",
                "null",
                "",
                "{",
                "{} {}",
            })
    void shouldRefuseAJsonThatHoldsWhatItCannot(String text) throws IOException {
        json(text);
        assertThatThrownBy(() -> ModelFile.read(onnx))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("some-model.json")
                .hasMessageContaining("expected")
                .hasMessageNotContaining("\n");
    }

    @Test
    void shouldRefuseLabelsThatAreNotOneAClass() throws IOException {
        json("{\"labels\": [\"a\", \"b\"]}");
        assertRefused(floats(1, 640, 640), outputs(1, 8400, 85))
                .hasMessageContaining("2 labels")
                .hasMessageContaining("80 classes");
    }

    @Test
    void shouldRefuseABorderThatLeavesNoImage() throws IOException {
        json("{\"border\": 320}");
        assertRefused(floats(1, 640, 640), outputs(1, 8400, 85))
                .hasMessageContaining("border 320")
                .hasMessageContaining("640x640");
    }

    // ---- the file ----

    @Test
    void shouldSayWhatIsNoModel() throws IOException {
        Path empty = Files.createFile(folder.resolve("empty.onnx"));
        Path text = Files.writeString(folder.resolve("text.onnx"), "<html>404 not found</html>");
        Path zeros = Files.write(folder.resolve("zeros.onnx"), new byte[100_000]);
        byte[] whole = Files.readAllBytes(onnx);
        Path cut = Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(whole, whole.length - 20));
        assertNoModel(folder.resolve("absent.onnx"), "no such file");
        assertNoModel(folder, "is a directory");
        assertNoModel(empty, "is empty");
        assertNoModel(text, "is not a complete ONNX file");
        assertNoModel(zeros, "is not a complete ONNX file");
        assertNoModel(cut, "is not a complete ONNX file");
    }

    @Test
    void shouldRefuseAnyPrefixOfAModelInOneLine() throws IOException {
        byte[] whole = Files.readAllBytes(onnx);
        Path cut = folder.resolve("prefix.onnx");
        int graphStart = new String(whole, StandardCharsets.ISO_8859_1).indexOf("Identity");
        for (int length = 1; length < graphStart; length++) {
            Files.write(cut, Arrays.copyOf(whole, length));
            assertNoModel(cut, "is not a complete ONNX file");
        }
    }

    private static void assertNoModel(Path file, String why) {
        assertThatThrownBy(() -> ModelFile.read(file))
                .isInstanceOf(InferenceException.class)
                .hasMessageStartingWith("model " + file + ": " + why)
                .hasMessageNotContaining("\n");
    }

    @Test
    void shouldTellThePrecisionFromTheGraph() {
        Path quantised =
                new OnnxGraph()
                        .input("images", OnnxGraph.FLOAT32, 1, 3, 32, 32)
                        .node("DynamicQuantizeLinear", "outputs", List.of("images"))
                        .output("outputs", OnnxGraph.UINT8, 1, 3, 32, 32)
                        .write(folder.resolve("quantised.onnx"));
        Path floats =
                TestModels.anchorDetector(
                        folder, 96, 96, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR);
        assertThat(precision(quantised)).isEqualTo("int8");
        assertThat(precision(floats)).isEqualTo("fp32");
    }

    private static String precision(Path model) {
        return ModelFile.read(model)
                .spec(floats(1, 640, 640), outputs(1, 8400, 85), ModelOptions.NONE, 1)
                .precision();
    }

    // ---- written ----

    @Test
    void shouldReadBackTheSpecThatItWrote() throws IOException {
        json(
                """
                {"name": "Some", "border": 3, "labels": ["a", "b"], "layout": "anchors-obj",
                 "confidence": 0.3, "iou": 0.6, "fill": 100, "licence": "MIT", "provenance": "made"}
                """);
        ModelSpec spec = spec(floats(1, 640, 640), outputs(1, 8400, 7));

        Path copy = Files.copy(onnx, folder.resolve("copy.onnx"));
        ModelFile written = ModelFile.write(copy, spec, Optional.of("tensorrt"), OptionalInt.of(7));

        assertThat(written.spec(floats(1, 640, 640), outputs(1, 8400, 7), ModelOptions.NONE, 4))
                .isEqualTo(spec);
        assertThat(written.target()).contains("tensorrt");
        assertThat(written.weightBits()).hasValue(7);
        assertThat(folder.resolve("copy.json")).content().contains(spec.sha256());
        assertThat(folder).isDirectoryNotContaining("glob:**.part");
    }

    @Test
    void shouldNotWriteWhatItDoesNotKnow() {
        ModelSpec spec = spec(floats(1, 640, 640), outputs(1, 8400, 85));

        ModelFile.write(onnx, spec, Optional.empty(), OptionalInt.empty());

        assertThat(folder.resolve("some-model.json"))
                .content()
                .contains("\"input_width\" : 640", "\"layout\" : \"anchors-obj\"")
                .doesNotContain("null", "name", "target", "weight_bits", "licence", "provenance");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import static io.sightline.inference.testing.OnnxGraph.FLOAT16;
import static io.sightline.inference.testing.OnnxGraph.FLOAT32;
import static io.sightline.inference.testing.OnnxGraph.UINT8;
import static io.sightline.inference.testing.OnnxGraph.attribute;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.sun.management.ThreadMXBean;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceBackendContract;
import io.sightline.inference.InferenceException;
import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.RawOutput;
import io.sightline.inference.testing.OnnxGraph;
import io.sightline.inference.testing.TestModels;
import java.lang.management.ManagementFactory;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The contract with a graph that takes bytes in batches of any size, and what is ONNX's own. */
final class OnnxRuntimeBackendTest extends InferenceBackendContract {

    private static final int SIDE = 96;

    @TempDir Path folder;

    @Override
    protected InferenceBackend open() {
        return open(
                TestModels.anchorDetector(
                        folder, SIDE, SIDE, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR));
    }

    private static OnnxRuntimeBackend open(Path model) {
        return OnnxRuntimeBackend.open(model, ModelOptions.NONE, 5, 1);
    }

    @Nested
    final class WithFloatInput extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return OnnxRuntimeBackendTest.open(
                    TestModels.anchorDetector(
                            folder, SIDE, SIDE, TestModels.DYNAMIC, InputFormat.FLOAT_NCHW_RGB));
        }
    }

    @Nested
    final class WithFloatInputOfBatchOne extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return OnnxRuntimeBackendTest.open(
                    TestModels.anchorDetector(folder, SIDE, SIDE, 1, InputFormat.FLOAT_NCHW_RGB));
        }
    }

    @Nested
    final class WithFixedBatchOfFour extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return OnnxRuntimeBackendTest.open(
                    TestModels.anchorDetector(folder, SIDE, SIDE, 4, InputFormat.BYTES_NHWC_BGR));
        }
    }

    @Nested
    final class WithFloatInputOfFixedBatchOfFour extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return OnnxRuntimeBackendTest.open(
                    TestModels.anchorDetector(
                            folder, SIDE, 2 * SIDE, 4, InputFormat.FLOAT_NCHW_RGB));
        }
    }

    @Nested
    final class WithPairs extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return OnnxRuntimeBackendTest.open(
                    TestModels.colourDetector(
                            folder, 96, 50, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR));
        }

        @Override
        protected float tolerance() {
            return 1e-4f; // coordinates of up to 96 pixels
        }
    }

    @Nested
    final class WithFourOutputs extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return OnnxRuntimeBackendTest.open(
                    TestModels.end2endDetector(folder, SIDE, SIDE, TestModels.DYNAMIC, false));
        }

        @Override
        protected float tolerance() {
            return 1e-4f;
        }
    }

    @Test
    void shouldOpenBytesModelInPlace() {
        try (OnnxRuntimeBackend backend = (OnnxRuntimeBackend) open()) {
            assertThat(backend.spec().name()).isEqualTo("anchor-detector");
            assertThat(backend.spec().inputFormat()).isEqualTo(InputFormat.BYTES_NHWC_BGR);
            assertThat(backend.spec().dynamicBatch()).isTrue();
            assertThat(backend.spec().maxBatch()).isEqualTo(5);
            assertThat(backend.spec().layout()).isEqualTo(OutputLayout.ANCHORS_OBJ);
            assertThat(backend.spec().labels()).hasSize(80).startsWith("person", "bicycle");
            assertThat(backend.bufferBytes())
                    .isEqualTo(5L * (SIDE * SIDE * 3 + 4 * 85 * (144 + 36 + 9)));
            assertThat(backend.maxInFlight()).isEqualTo(1);
        }
    }

    @Test
    void shouldWriteOutputsWhereTheyAreReadAndAllocateNextToNothing() {
        try (InferenceBackend backend = open();
                BatchBuffer buffer = backend.newBuffer()) {
            backend.submit(buffer, 2);
            RawOutput first = backend.await(buffer);
            assertThat(first.tensors().get(0).floats().isDirect()).isTrue();
            for (int i = 0; i < 5_000; i++) {
                backend.submit(buffer, 2);
                assertThat(backend.await(buffer)).isSameAs(first);
            }
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < 1_000; i++) {
                backend.submit(buffer, 2);
                backend.await(buffer);
            }
            long bytesPerRun = (threads.getCurrentThreadAllocatedBytes() - before) / 1_000;
            assertThat(bytesPerRun).isLessThan(2_048);
        }
    }

    @Test
    void shouldFeedFloatsThatAreExactlyAByteOver255InRgbPlanes() {
        int width = 60;
        int height = 48;
        Path model =
                new OnnxGraph()
                        .input("images", FLOAT32, TestModels.DYNAMIC, 3, height, width)
                        .longs("rows", 0, -1, 6)
                        .node("Reshape", "detections", List.of("images", "rows"))
                        .output(
                                "detections",
                                FLOAT32,
                                TestModels.DYNAMIC,
                                3 * width * height / 6,
                                6)
                        .write(folder.resolve("echo.onnx"));
        try (OnnxRuntimeBackend backend = open(model);
                BatchBuffer buffer = backend.newBuffer()) {
            List<byte[]> frames = randomFrames(backend, 3, 0);
            for (int v = 0; v < 256; v++) {
                frames.get(1)[v] = (byte) v;
            }
            run(backend, buffer, frames);
            FloatBuffer floats = backend.await(buffer).tensors().get(0).floats();
            int at = 0;
            for (byte[] frame : frames) {
                for (int channel = 2; channel >= 0; channel--) {
                    for (int p = channel; p < frame.length; p += 3) {
                        float expected = (frame[p] & 0xFF) / 255f;
                        if (floats.get(at) != expected) {
                            assertThat(floats.get(at)).as("index %d", at).isEqualTo(expected);
                        }
                        at++;
                    }
                }
            }
        }
    }

    @Test
    void shouldGiveTheSameForBytesAndFloats() throws Exception {
        Path bytesFolder = Files.createDirectory(folder.resolve("bytes"));
        Path floatsFolder = Files.createDirectory(folder.resolve("floats"));
        try (OnnxRuntimeBackend bytes =
                        open(
                                TestModels.anchorDetector(
                                        bytesFolder, SIDE, SIDE, 2, InputFormat.BYTES_NHWC_BGR));
                OnnxRuntimeBackend floats =
                        open(
                                TestModels.anchorDetector(
                                        floatsFolder, SIDE, SIDE, 2, InputFormat.FLOAT_NCHW_RGB));
                BatchBuffer bytesIn = bytes.newBuffer();
                BatchBuffer floatsIn = floats.newBuffer()) {
            List<byte[]> frames = randomFrames(bytes, 2, 1);
            List<float[]> ofBytes = run(bytes, bytesIn, frames);
            List<float[]> ofFloats = run(floats, floatsIn, frames);
            for (int row = 0; row < 2; row++) {
                assertThat(difference(ofBytes.get(row), ofFloats.get(row)))
                        .isLessThanOrEqualTo(1e-6f);
            }
            assertThatIllegalArgumentException().isThrownBy(() -> bytes.submit(floatsIn, 1));
        }
    }

    @Test
    void shouldSeeEachFramesColour() throws Exception {
        for (InputFormat format : InputFormat.values()) {
            Path own = Files.createDirectory(folder.resolve(format.name()));
            try (OnnxRuntimeBackend backend =
                            open(
                                    TestModels.colourDetector(
                                            own, 160, 96, TestModels.DYNAMIC, format));
                    BatchBuffer buffer = backend.newBuffer()) {
                assertThat(backend.spec().suppress()).isFalse();
                assertThat(backend.spec().labels()).hasSize(TestModels.COLOUR_CLASSES);
                int[][] colours = {{0, 0, 0}, {16, 200, 99}, {208, 17, 255}, {255, 255, 255}};
                for (int i = 0; i < colours.length; i++) {
                    for (int b = 0; b < buffer.slot(i).capacity(); b++) {
                        buffer.slot(i).put(b, (byte) colours[i][b % 3]);
                    }
                }
                backend.submit(buffer, colours.length);
                RawOutput output = backend.await(buffer);
                for (int i = 0; i < colours.length; i++) {
                    int[] bgr = colours[i];
                    float[] row = row(output, i);
                    assertThat(Arrays.copyOf(row, 6))
                            .containsExactly(
                                    TestModels.colourRow(160, 96, bgr[0], bgr[1], bgr[2]),
                                    within(1e-3f));
                    assertThat(Arrays.copyOfRange(row, 6, row.length))
                            .hasSize(6 * (TestModels.COLOUR_ROWS - 1))
                            .containsOnly(0);
                }
            }
        }
    }

    @Test
    void shouldReadFourOutputsOfKnownSize() {
        try (OnnxRuntimeBackend backend =
                        open(
                                TestModels.end2endDetector(
                                        folder, SIDE, SIDE, TestModels.DYNAMIC, false));
                BatchBuffer buffer = backend.newBuffer()) {
            assertThat(backend.spec().layout()).isEqualTo(OutputLayout.END2END);
            assertThat(backend.spec().suppress()).isFalse();
            assertFourOutputs(backend, buffer, 3);
        }
    }

    @Test
    void shouldReadFourOutputsOfUnknownSize() {
        try (OnnxRuntimeBackend backend =
                        open(
                                TestModels.end2endDetector(
                                        folder, SIDE, SIDE, TestModels.DYNAMIC, true));
                BatchBuffer buffer = backend.newBuffer()) {
            assertFourOutputs(backend, buffer, 2);
            fill(buffer, 0, 10, 20, 30);
            backend.submit(buffer, 1);
            assertThat(backend.await(buffer).tensors().get(1).shape()).containsExactly(1, 1, 4);
        }
    }

    private static void assertFourOutputs(
            OnnxRuntimeBackend backend, BatchBuffer buffer, int rows) {
        fill(buffer, 0, 10, 70, 51);
        fill(buffer, 1, 200, 250, 255);
        backend.submit(buffer, 2);
        List<RawOutput.Tensor> tensors = backend.await(buffer).tensors();
        assertThat(tensors)
                .extracting(RawOutput.Tensor::name)
                .containsExactly("num_dets", "det_boxes", "det_scores", "det_classes");
        assertThat(tensors.get(0).shape()).containsExactly(2, 1);
        assertThat(tensors.get(0).ints().get(0)).isEqualTo(1);
        assertThat(tensors.get(0).ints().get(1)).isEqualTo(2);
        assertThat(tensors.get(1).shape()).containsExactly(2, rows, 4);
        assertThat(tensors.get(2).shape()).containsExactly(2, rows);
        assertThat(tensors.get(2).floats().get(0)).isCloseTo(0.2f, within(1e-5f));
        assertThat(tensors.get(2).floats().get(rows)).isCloseTo(1f, within(1e-5f));
        assertThat(tensors.get(3).shape()).containsExactly(2, rows);
        assertThat(tensors.get(3).ints().get(0)).isEqualTo(2);
        assertThat(tensors.get(3).ints().get(rows)).isEqualTo(7);
    }

    private static void fill(BatchBuffer buffer, int slot, int blue, int green, int red) {
        int[] bgr = {blue, green, red};
        for (int b = 0; b < buffer.slot(slot).capacity(); b++) {
            buffer.slot(slot).put(b, (byte) bgr[b % 3]);
        }
    }

    @Test
    void shouldRefuseCountsThatAreNone() {
        OnnxGraph graph =
                new OnnxGraph()
                        .input("images", UINT8, 1, SIDE, SIDE, 3)
                        .floats("boxes_row", new int[] {1, 1, 4}, 1, 2, 3, 4)
                        .floats("scores_row", new int[] {1, 1}, 1)
                        .longs("start", 0)
                        .longs("end", 1)
                        .longs("as_count", 1, 1)
                        .longs("huge", 3_000_000_000L)
                        .node("Reshape", "num_dets", List.of("huge", "as_count"))
                        .node("Identity", "det_boxes", List.of("boxes_row"))
                        .node("Identity", "det_scores", List.of("scores_row"))
                        .node("Reshape", "det_classes", List.of("start", "as_count"));
        graph.output("num_dets", OnnxGraph.INT64, 1, 1)
                .output("det_boxes", FLOAT32, 1, 1, 4)
                .output("det_scores", FLOAT32, 1, 1)
                .output("det_classes", OnnxGraph.INT64, 1, 1);
        Path model = graph.write(folder.resolve("huge.onnx"));
        assertThatThrownBy(() -> open(model))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("num_dets")
                .hasMessageContaining("3000000000");
    }

    @Test
    void shouldFailTheRunThatFailsAndRunTheNext() {
        try (OnnxRuntimeBackend backend = open(TestModels.failingDetector(folder, SIDE, SIDE));
                BatchBuffer buffer = backend.newBuffer()) {
            fill(buffer, 0, 200, 0, 0);
            assertThatThrownBy(() -> backend.submit(buffer, 1))
                    .isInstanceOf(InferenceException.class)
                    .hasMessageContaining("failing-detector.onnx")
                    .hasMessageContaining("a run of 1 frames failed")
                    .hasMessageNotContaining("\n");
            assertThatIllegalStateException().isThrownBy(() -> backend.await(buffer));
            fill(buffer, 0, 100, 0, 0);
            backend.submit(buffer, 1);
            assertThat(backend.await(buffer).tensors().get(0).shape()).containsExactly(1, 300, 6);
        }
    }

    @Test
    void shouldRefuseAGraphThatOnlySeemsToTakeAnyBatch() {
        Path model =
                new OnnxGraph()
                        .input("images", UINT8, TestModels.DYNAMIC, SIDE, SIDE, 3)
                        .floats("row", new int[] {1, 300, 6}, new float[1800])
                        .node("Identity", "detections", List.of("row"))
                        .output("detections", FLOAT32, 1, 300, 6)
                        .write(folder.resolve("stuck.onnx"));
        assertThatThrownBy(() -> open(model))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("detections")
                .hasMessageContaining("export the model with a dynamic batch");
    }

    @Test
    void shouldAskOnlyForTheFirstOutputWhereTheLayoutIsStated() {
        Path model =
                new OnnxGraph()
                        .input("images", UINT8, TestModels.DYNAMIC, SIDE, SIDE, 3)
                        .node("Cast", "floats", List.of("images"), attribute("to", FLOAT32))
                        .longs("rows", 0, -1, 6)
                        .node("Reshape", "detections", List.of("floats", "rows"))
                        .output("detections", FLOAT32, TestModels.DYNAMIC, 4608, 6)
                        .output("floats", FLOAT32, TestModels.DYNAMIC, SIDE, SIDE, 3)
                        .write(folder.resolve("raw-maps.onnx"));
        assertThatThrownBy(() -> open(model))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("--layout")
                .hasMessageContaining("'floats' float32 [?,96,96,3]")
                .hasMessageContaining("channels-first");
        ModelOptions pairs = new ModelOptions(Optional.of(OutputLayout.PAIRS), OptionalInt.of(3));
        try (OnnxRuntimeBackend backend = OnnxRuntimeBackend.open(model, pairs, 2, 1);
                BatchBuffer buffer = backend.newBuffer()) {
            assertThat(backend.spec().border()).isEqualTo(3);
            backend.submit(buffer, 2);
            assertThat(backend.await(buffer).tensors())
                    .extracting(RawOutput.Tensor::name)
                    .containsExactly("detections");
        }
    }

    @Test
    void shouldRefuseOutputsOfHalfPrecision() {
        Path model =
                new OnnxGraph()
                        .input("images", UINT8, 1, SIDE, SIDE, 3)
                        .node("Cast", "halves", List.of("images"), attribute("to", FLOAT16))
                        .longs("rows", 0, -1, 6)
                        .node("Reshape", "detections", List.of("halves", "rows"))
                        .output("detections", FLOAT16, 1, 4608, 6)
                        .write(folder.resolve("half.onnx"));
        assertThatThrownBy(() -> open(model))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("'detections' float16 [1,4608,6]");
    }

    @Test
    void shouldSayWhatOnnxRuntimeRefuses() {
        Path model =
                new OnnxGraph()
                        .input("images", UINT8, 1, SIDE, SIDE, 3)
                        .node("EfficientNMS_TRT", "detections", List.of("images"))
                        .output("detections", FLOAT32, 1, 300, 6)
                        .write(folder.resolve("foreign.onnx"));
        assertThatThrownBy(() -> open(model))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("foreign.onnx: ONNX Runtime refuses it")
                .hasMessageContaining("EfficientNMS_TRT")
                .hasMessageNotContaining("\n");
    }

    @Test
    void shouldRefuseBatchesBeyondTwoGibibytes() {
        Path model =
                TestModels.colourDetector(
                        folder, 640, 640, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR);
        assertThatThrownBy(() -> OnnxRuntimeBackend.open(model, ModelOptions.NONE, 2_000, 1))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("lower the largest batch");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> OnnxRuntimeBackend.open(model, ModelOptions.NONE, 0, 1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> OnnxRuntimeBackend.open(model, ModelOptions.NONE, 1, 0));
    }

    @Test
    void shouldShareOneModelFileAmongLanes() {
        ModelFile model =
                ModelFile.read(
                        TestModels.colourDetector(
                                folder, SIDE, SIDE, 2, InputFormat.BYTES_NHWC_BGR));
        try (OnnxRuntimeBackend one = OnnxRuntimeBackend.open(model, ModelOptions.NONE, 8, 1);
                OnnxRuntimeBackend other =
                        OnnxRuntimeBackend.open(model, ModelOptions.NONE, 8, 2)) {
            assertThat(one.spec()).isEqualTo(other.spec());
            assertThat(one.spec().maxBatch()).isEqualTo(2);
        }
    }

    @ParameterizedTest
    @CsvSource({"64, 64", "96, 64", "64, 128"})
    void shouldRunANetworkOfOpenSizeAsOneOfThatSize(int width, int height) {
        ModelOptions options =
                new ModelOptions(
                        Optional.empty(),
                        OptionalInt.empty(),
                        Optional.of(new InputSize(width, height)));
        try (OnnxRuntimeBackend backend =
                        OnnxRuntimeBackend.open(TestModels.openDetector(folder), options, 2, 1);
                BatchBuffer buffer = backend.newBuffer()) {
            int cells = width * height / (32 * 32);
            // Outputs of a size that only a run tells would not be counted.
            assertThat(backend.bufferBytes()).isEqualTo(2 * (3L * width * height + 4L * 8 * cells));
            for (int y = height - 32; y < height; y++) {
                for (int x = width - 32; x < width; x++) {
                    buffer.slot(1).put(3 * (y * width + x) + 2, (byte) 255);
                }
            }
            backend.submit(buffer, 2);
            RawOutput.Tensor output = backend.await(buffer).tensors().get(0);
            assertThat(output.shape()).containsExactly(2, cells, 8);
            float[] last = new float[8];
            output.floats().get(8 * (2 * cells - 1), last);
            assertThat(last).containsExactly(width - 16, height - 16, 32, 32, 1, 1, 0, 0);
        }
    }

    @Test
    void shouldTakeTheSizeOfTheJsonWhereTheNetworkLeavesItOpen() {
        try (OnnxRuntimeBackend backend = open(TestModels.openDetector(folder))) {
            assertThat(backend.spec().inputWidth()).isEqualTo(64);
            assertThat(backend.spec().inputHeight()).isEqualTo(64);
            assertThat(backend.spec().dynamicBatch()).isTrue();
        }
    }
}

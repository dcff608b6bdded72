// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.BatchBuffer;
import io.sightline.inference.GpuUsage;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceBackendContract;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.inference.testing.OnnxGraph;
import io.sightline.inference.testing.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The contract on a GPU, in float32 so that values can be compared closely. Run with {@code mvn
 * verify -Pgpu}; there it fails where it finds no GPU.
 */
@Tag("gpu")
final class TensorRtBackendIT extends InferenceBackendContract {

    private static final int SIDE = 96;
    private static final int MAX_BATCH = 9;

    /** Kernels differ from one batch size to another in the order in which they add up. */
    private static final float TOLERANCE = 1e-4f;

    @TempDir static Path folder;

    private static InferenceBackend open(Path model) {
        return open(model, MAX_BATCH);
    }

    private static InferenceBackend open(Path model, int maxBatch) {
        return new TensorRtBackendFactory(
                        model.toString(),
                        null,
                        null,
                        null,
                        maxBatch,
                        MAX_BATCH,
                        Precision.FP32,
                        List.of(0),
                        folder.resolve("engines").toString())
                .open(1)
                .get(0);
    }

    @Override
    protected InferenceBackend open() {
        return open(bytesModel());
    }

    @Override
    protected float tolerance() {
        return TOLERANCE;
    }

    private static Path bytesModel() {
        return TestModels.anchorDetector(
                folder, SIDE, SIDE, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR);
    }

    @Nested
    @Tag("gpu")
    final class WithFloatInput extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return TensorRtBackendIT.open(
                    TestModels.anchorDetector(
                            folder, SIDE, SIDE, TestModels.DYNAMIC, InputFormat.FLOAT_NCHW_RGB));
        }

        @Override
        protected float tolerance() {
            return TOLERANCE;
        }
    }

    @Nested
    @Tag("gpu")
    final class WithFixedBatchOfFour extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return TensorRtBackendIT.open(
                    TestModels.anchorDetector(folder, SIDE, SIDE, 4, InputFormat.BYTES_NHWC_BGR));
        }

        @Override
        protected float tolerance() {
            return TOLERANCE;
        }
    }

    @Nested
    @Tag("gpu")
    final class WithFourOutputs extends InferenceBackendContract {
        @Override
        protected InferenceBackend open() {
            return TensorRtBackendIT.open(
                    TestModels.end2endDetector(folder, SIDE, SIDE, TestModels.DYNAMIC, false));
        }

        @Override
        protected float tolerance() {
            return TOLERANCE;
        }
    }

    @Test
    void shouldGiveWhatOnnxRuntimeGives() {
        try (InferenceBackend gpu = open();
                InferenceBackend cpu =
                        OnnxRuntimeBackend.open(bytesModel(), ModelOptions.NONE, MAX_BATCH, 1);
                BatchBuffer ofGpu = gpu.newBuffer();
                BatchBuffer ofCpu = cpu.newBuffer()) {
            List<byte[]> frames = randomFrames(gpu, MAX_BATCH, 20);
            List<float[]> one = run(gpu, ofGpu, frames);
            List<float[]> other = run(cpu, ofCpu, frames);
            for (int row = 0; row < frames.size(); row++) {
                assertThat(difference(one.get(row), other.get(row))).isLessThan(1e-3f);
            }
        }
    }

    @Test
    void shouldKeepTwoBatchesInFlightAndNoThird() {
        try (InferenceBackend backend = open();
                BatchBuffer one = backend.newBuffer();
                BatchBuffer two = backend.newBuffer();
                BatchBuffer three = backend.newBuffer()) {
            assertThat(backend.maxInFlight()).isEqualTo(2);
            List<byte[]> frames = randomFrames(backend, 3, 21);
            one.slot(0).put(0, frames.get(0));
            two.slot(0).put(0, frames.get(1));
            three.slot(0).put(0, frames.get(2));
            backend.submit(one, 1);
            backend.submit(two, 1);
            assertThatIllegalStateException()
                    .isThrownBy(() -> backend.submit(three, 1))
                    .withMessageContaining("2 batches are in flight");
            assertThatIllegalStateException().isThrownBy(() -> backend.submit(one, 1));
            float[] first = row(backend.await(one), 0);
            backend.submit(three, 1);
            float[] second = row(backend.await(two), 0);
            float[] third = row(backend.await(three), 0);
            assertThat(difference(first, run(backend, one, frames.subList(0, 1)).get(0)))
                    .isLessThanOrEqualTo(TOLERANCE);
            assertThat(difference(second, run(backend, one, frames.subList(1, 2)).get(0)))
                    .isLessThanOrEqualTo(TOLERANCE);
            assertThat(difference(third, run(backend, one, frames.subList(2, 3)).get(0)))
                    .isLessThanOrEqualTo(TOLERANCE);
            GpuUsage usage = backend.gpuUsage().orElseThrow();
            assertThat(usage.computeNanos()).isPositive();
            assertThat(usage.copyNanos()).isPositive();
            assertThat(usage.deviceBytes()).isPositive();
            assertThat(usage.utilisationPercent()).isBetween(-1, 100);
        }
    }

    /** What a batch of eight gives must not depend on what the engine could do besides. */
    @Test
    void shouldServeSmallerBatchesOnAnEngineForLarger() {
        try (InferenceBackend smaller = open(bytesModel(), MAX_BATCH - 1);
                InferenceBackend larger = open();
                BatchBuffer eight = smaller.newBuffer();
                BatchBuffer nine = larger.newBuffer()) {
            assertThat(eight.capacity()).isEqualTo(MAX_BATCH - 1);
            List<byte[]> frames = randomFrames(smaller, MAX_BATCH - 1, 22);
            List<float[]> one = run(smaller, eight, frames);
            List<float[]> other = run(larger, nine, frames);
            for (int row = 0; row < frames.size(); row++) {
                assertThat(difference(one.get(row), other.get(row))).isLessThanOrEqualTo(TOLERANCE);
            }
        }
    }

    @Test
    void shouldRunAGraphWithOutputsThatNobodyReads() throws IOException {
        Path model =
                new OnnxGraph()
                        .input("images", OnnxGraph.FLOAT32, TestModels.DYNAMIC, 3, SIDE, SIDE)
                        .floats("spread", new int[] {3, 1800}, ramp(3 * 1800))
                        .longs("rows", 0, 300, 6)
                        .node(
                                "ReduceMean",
                                "colour",
                                List.of("images"),
                                OnnxGraph.attribute("axes", new long[] {2, 3}),
                                OnnxGraph.attribute("keepdims", 0))
                        .node("MatMul", "flat", List.of("colour", "spread"))
                        .node("Reshape", "detections", List.of("flat", "rows"))
                        .output("detections", OnnxGraph.FLOAT32, TestModels.DYNAMIC, 300, 6)
                        .output("colour", OnnxGraph.FLOAT32, TestModels.DYNAMIC, 3)
                        .write(folder.resolve("two-outputs.onnx"));
        Files.writeString(
                folder.resolve("two-outputs.json"), "{\"layout\": \"pairs\", \"border\": 0}");
        try (InferenceBackend gpu = open(model);
                InferenceBackend cpu =
                        OnnxRuntimeBackend.open(model, ModelOptions.NONE, MAX_BATCH, 1);
                BatchBuffer ofGpu = gpu.newBuffer();
                BatchBuffer ofCpu = cpu.newBuffer()) {
            List<byte[]> frames = randomFrames(gpu, 3, 23);
            List<float[]> one = run(gpu, ofGpu, frames);
            List<float[]> other = run(cpu, ofCpu, frames);
            for (int row = 0; row < frames.size(); row++) {
                assertThat(difference(one.get(row), other.get(row))).isLessThan(1e-3f);
            }
        }
    }

    private static float[] ramp(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) i / count;
        }
        return values;
    }

    @Test
    void shouldGiveBackABufferThatIsStillInFlight() {
        try (InferenceBackend backend = open()) {
            BatchBuffer buffer = backend.newBuffer();
            backend.submit(buffer, MAX_BATCH);
            buffer.close();
        }
    }

    @Test
    void shouldGiveAllMemoryBack() {
        cycles(20);
        long host = Pointer.physicalBytes();
        long device = usedBytes();
        cycles(1_000);
        assertThat(usedBytes() - device).isLessThan(64L << 20);
        assertThat(Pointer.physicalBytes() - host).isLessThan(256L << 20);
    }

    @Test
    void shouldGiveAllMemoryBackWhereLoadsFail() throws IOException {
        cycles(1);
        failedLoads(10);
        long host = Pointer.physicalBytes();
        long device = usedBytes();
        failedLoads(100);
        assertThat(usedBytes() - device).isLessThan(64L << 20);
        assertThat(Pointer.physicalBytes() - host).isLessThan(256L << 20);
    }

    /** Half of them engines that are none, half models that TensorRT refuses. */
    private static void failedLoads(int count) throws IOException {
        Path garbage = folder.resolve("garbage.engine");
        Files.write(garbage, new byte[4 << 20]);
        Path strange =
                new OnnxGraph()
                        .input("images", OnnxGraph.UINT8, 1, SIDE, SIDE, 3)
                        .node("NoSuchOperator", "detections", List.of("images"))
                        .output("detections", OnnxGraph.FLOAT32, 1, 300, 6)
                        .write(folder.resolve("strange.onnx"));
        GpuDevice gpu = GpuProbe.ofThisMachine().require(0);
        for (int i = 0; i < count / 2; i++) {
            assertThatThrownBy(() -> new TensorRtEngine(garbage, gpu))
                    .isInstanceOf(InferenceException.class)
                    .hasMessageContaining("deserializeCudaEngine");
            assertThatThrownBy(() -> open(strange))
                    .isInstanceOf(InferenceException.class)
                    .hasMessageContaining("TensorRT's parser refuses it");
        }
    }

    private static void cycles(int count) {
        Path model = bytesModel();
        for (int i = 0; i < count; i++) {
            try (InferenceBackend backend = open(model);
                    BatchBuffer buffer = backend.newBuffer()) {
                backend.submit(buffer, 1 + i % MAX_BATCH);
                backend.await(buffer);
            }
        }
    }

    private static long usedBytes() {
        try (GpuMonitor monitor = new GpuMonitor(0)) {
            return monitor.usedBytes();
        }
    }
}

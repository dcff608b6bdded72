// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.BatchBuffer;
import io.sightline.inference.InferenceBackendContract;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.RawOutput;
import io.sightline.inference.testing.TestModels;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/** A frame gets the same from the network in whatever batch it travels. */
final class BatchMixtureTest {

    private static final int SIDE = 96;
    private static final int MAX_BATCH = 8;
    private static final int FRAMES = 24;

    private static final Map<InputFormat, Lane> LANES = new EnumMap<>(InputFormat.class);
    private static final List<byte[]> PIXELS = new ArrayList<>();

    private record Lane(OnnxRuntimeBackend backend, BatchBuffer buffer, List<float[]> alone) {}

    @BeforeContainer
    static void openLanes() throws IOException {
        Random random = new Random(11);
        for (int i = 0; i < FRAMES; i++) {
            byte[] pixels = new byte[SIDE * SIDE * 3];
            random.nextBytes(pixels);
            PIXELS.add(pixels);
        }
        Path folder = Files.createTempDirectory("batch-mixture");
        for (InputFormat format : InputFormat.values()) {
            Path model = TestModels.anchorDetector(folder, SIDE, SIDE, TestModels.DYNAMIC, format);
            OnnxRuntimeBackend backend =
                    OnnxRuntimeBackend.open(model, ModelOptions.NONE, MAX_BATCH, 1);
            Files.delete(model);
            Lane lane = new Lane(backend, backend.newBuffer(), new ArrayList<>());
            for (int i = 0; i < FRAMES; i++) {
                lane.alone.add(run(lane, List.of(i)).get(0));
            }
            LANES.put(format, lane);
        }
        Files.delete(folder);
    }

    @AfterContainer
    static void closeLanes() {
        for (Lane lane : LANES.values()) {
            lane.buffer.close();
            lane.backend.close();
        }
        LANES.clear();
        PIXELS.clear();
    }

    @Property(tries = 200)
    void shouldNotDependOnTheBatch(
            @ForAll InputFormat format,
            @ForAll @Size(min = 1, max = 12)
                    List<@Size(min = 1, max = MAX_BATCH) List<@IntRange(max = FRAMES - 1) Integer>>
                            batches) {
        Lane lane = LANES.get(format);
        for (List<Integer> batch : batches) {
            List<float[]> rows = run(lane, batch);
            for (int row = 0; row < batch.size(); row++) {
                assertThat(
                                InferenceBackendContract.difference(
                                        rows.get(row), lane.alone.get(batch.get(row))))
                        .isLessThanOrEqualTo(1e-6f);
            }
        }
    }

    private static List<float[]> run(Lane lane, List<Integer> frames) {
        for (int i = 0; i < frames.size(); i++) {
            lane.buffer.slot(i).put(0, PIXELS.get(frames.get(i)));
        }
        lane.backend.submit(lane.buffer, frames.size());
        RawOutput.Tensor tensor = lane.backend.await(lane.buffer).tensors().get(0);
        assertThat(tensor.shape()[0]).isEqualTo(frames.size());
        FloatBuffer floats = tensor.floats();
        List<float[]> rows = new ArrayList<>();
        for (int i = 0; i < frames.size(); i++) {
            float[] row = new float[tensor.rowSize()];
            floats.get(i * row.length, row);
            rows.add(row);
        }
        return rows;
    }
}

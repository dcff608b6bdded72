// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * What every engine promises. A backend's test extends this and opens a network whose output
 * depends on every row's pixels.
 */
public abstract class InferenceBackendContract {

    private static final long SEED = 20_260_101;

    /** A new lane of always the same network; the test closes it. */
    protected abstract InferenceBackend open();

    /** By how much a value may depend on the rest of its batch. */
    protected float tolerance() {
        return 1e-6f;
    }

    @Test
    void shouldGiveStableDirectSlotsOfOneFrameEach() {
        try (InferenceBackend backend = open();
                BatchBuffer buffer = backend.newBuffer()) {
            assertThat(buffer.capacity()).isEqualTo(backend.spec().maxBatch()).isPositive();
            for (int i = 0; i < buffer.capacity(); i++) {
                ByteBuffer slot = buffer.slot(i);
                assertThat(slot.isDirect()).isTrue();
                assertThat(slot.isReadOnly()).isFalse();
                assertThat(slot.position()).isZero();
                assertThat(slot.limit()).isEqualTo(slot.capacity());
                assertThat(slot.capacity())
                        .isEqualTo(backend.spec().inputWidth() * backend.spec().inputHeight() * 3);
                assertThat(buffer.slot(i)).isSameAs(slot);
            }
            run(backend, buffer, randomFrames(backend, buffer.capacity(), 1));
            assertThat(buffer.slot(0).position()).isZero();
        }
    }

    @Test
    void shouldNotMixTheBytesOfSlots() {
        try (InferenceBackend backend = open();
                BatchBuffer buffer = backend.newBuffer()) {
            for (int i = 0; i < buffer.capacity(); i++) {
                byte[] frame = new byte[backend.spec().slotBytes()];
                Arrays.fill(frame, (byte) (i + 1));
                buffer.slot(i).put(0, frame);
            }
            for (int i = 0; i < buffer.capacity(); i++) {
                ByteBuffer slot = buffer.slot(i);
                assertThat(slot.get(0)).isEqualTo((byte) (i + 1));
                assertThat(slot.get(slot.capacity() - 1)).isEqualTo((byte) (i + 1));
            }
        }
    }

    @Test
    void shouldGiveEachRowWhatItGetsAlone() {
        try (InferenceBackend backend = open();
                BatchBuffer buffer = backend.newBuffer()) {
            List<byte[]> frames = randomFrames(backend, 2 * buffer.capacity(), 2);
            List<float[]> alone = new ArrayList<>();
            for (byte[] frame : frames) {
                alone.add(run(backend, buffer, List.of(frame)).get(0));
            }
            assertThat(difference(alone.get(0), alone.get(1))).isGreaterThan(10 * tolerance());
            for (int filled = 1; filled <= buffer.capacity(); filled++) {
                for (int from = 0; from + filled <= frames.size(); from += filled) {
                    List<float[]> rows = run(backend, buffer, frames.subList(from, from + filled));
                    for (int row = 0; row < filled; row++) {
                        assertThat(difference(rows.get(row), alone.get(from + row)))
                                .as("row %d of %d, seed %d", row, filled, SEED)
                                .isLessThanOrEqualTo(tolerance());
                    }
                }
            }
        }
    }

    @Test
    void shouldNotShowEarlierBatchesInAReusedBuffer() {
        try (InferenceBackend backend = open();
                BatchBuffer buffer = backend.newBuffer();
                BatchBuffer fresh = backend.newBuffer()) {
            List<byte[]> earlier = randomFrames(backend, buffer.capacity(), 3);
            byte[] frame = randomFrames(backend, 1, 4).get(0);
            run(backend, buffer, earlier);
            float[] reused = run(backend, buffer, List.of(frame)).get(0);
            float[] first = run(backend, fresh, List.of(frame)).get(0);
            assertThat(difference(reused, first)).isLessThanOrEqualTo(tolerance());
        }
    }

    @Test
    void shouldSayHowManyRowsTheOutputHas() {
        try (InferenceBackend backend = open();
                BatchBuffer buffer = backend.newBuffer()) {
            for (int filled = 1; filled <= buffer.capacity(); filled++) {
                backend.submit(buffer, filled);
                for (RawOutput.Tensor tensor : backend.await(buffer).tensors()) {
                    assertThat(tensor.shape()[0]).isBetween(filled, buffer.capacity());
                    assertThat(tensor.floats() == null).isNotEqualTo(tensor.ints() == null);
                    int values =
                            tensor.floats() == null
                                    ? tensor.ints().capacity()
                                    : tensor.floats().capacity();
                    assertThat(values).isGreaterThanOrEqualTo(filled * tensor.rowSize());
                }
            }
        }
    }

    @Test
    void shouldRunABufferOfAnotherLane() {
        try (InferenceBackend one = open();
                InferenceBackend other = open();
                BatchBuffer buffer = one.newBuffer()) {
            List<byte[]> frames = randomFrames(one, buffer.capacity(), 5);
            List<float[]> ofOne = run(one, buffer, frames);
            List<float[]> ofOther = run(other, buffer, frames);
            for (int row = 0; row < frames.size(); row++) {
                assertThat(difference(ofOther.get(row), ofOne.get(row)))
                        .isLessThanOrEqualTo(tolerance());
            }
        }
    }

    @Test
    void shouldRunSeveralBuffersInTurn() {
        try (InferenceBackend backend = open();
                BatchBuffer one = backend.newBuffer();
                BatchBuffer other = backend.newBuffer()) {
            List<byte[]> frames = randomFrames(backend, 2, 6);
            one.slot(0).put(0, frames.get(0));
            other.slot(0).put(0, frames.get(1));
            backend.submit(one, 1);
            RawOutput ofOne = backend.await(one);
            float[] before = row(ofOne, 0);
            backend.submit(other, 1);
            float[] ofOther = row(backend.await(other), 0);
            assertThat(row(ofOne, 0)).isEqualTo(before);
            assertThat(difference(before, ofOther)).isGreaterThan(10 * tolerance());
        }
    }

    @Test
    void shouldRefuseMoreFramesThanSlotsAndNone() {
        try (InferenceBackend backend = open();
                BatchBuffer buffer = backend.newBuffer()) {
            assertThatIllegalArgumentException().isThrownBy(() -> backend.submit(buffer, 0));
            assertThatIllegalArgumentException().isThrownBy(() -> backend.submit(buffer, -1));
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> backend.submit(buffer, buffer.capacity() + 1))
                    .withMessageContaining(String.valueOf(buffer.capacity()));
            assertThatThrownBy(() -> buffer.slot(buffer.capacity()))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            run(backend, buffer, randomFrames(backend, 1, 7));
        }
    }

    @Test
    void shouldRefuseToAwaitWhatWasNotSubmitted() {
        try (InferenceBackend backend = open();
                BatchBuffer buffer = backend.newBuffer()) {
            assertThatIllegalStateException().isThrownBy(() -> backend.await(buffer));
        }
    }

    @Test
    void shouldRefuseEverythingAfterClose() {
        InferenceBackend backend = open();
        BatchBuffer buffer = backend.newBuffer();
        run(backend, buffer, randomFrames(backend, 1, 8));
        buffer.close();
        assertThatIllegalStateException().isThrownBy(() -> backend.submit(buffer, 1));
        assertThatIllegalStateException().isThrownBy(() -> backend.await(buffer));
        try (BatchBuffer open = backend.newBuffer()) {
            backend.close();
            assertThatIllegalStateException().isThrownBy(() -> backend.submit(open, 1));
            assertThatIllegalStateException().isThrownBy(() -> backend.await(open));
            assertThatIllegalStateException().isThrownBy(backend::newBuffer);
        }
    }

    @Test
    void shouldCloseAnyNumberOfTimes() {
        InferenceBackend backend = open();
        BatchBuffer buffer = backend.newBuffer();
        run(backend, buffer, randomFrames(backend, 1, 9));
        for (int i = 0; i < 3; i++) {
            buffer.close();
        }
        for (int i = 0; i < 3; i++) {
            backend.close();
        }
    }

    @Test
    void shouldAllowAtLeastOneBatchInFlight() {
        try (InferenceBackend backend = open()) {
            assertThat(backend.maxInFlight()).isPositive();
        }
    }

    /** Fills the first slots, runs them, and gives every row's values, all outputs in a row. */
    protected static List<float[]> run(
            InferenceBackend backend, BatchBuffer buffer, List<byte[]> frames) {
        for (int i = 0; i < frames.size(); i++) {
            buffer.slot(i).put(0, frames.get(i));
        }
        backend.submit(buffer, frames.size());
        RawOutput output = backend.await(buffer);
        List<float[]> rows = new ArrayList<>();
        for (int i = 0; i < frames.size(); i++) {
            rows.add(row(output, i));
        }
        return rows;
    }

    /** Copies a row's values, all outputs behind each other. */
    protected static float[] row(RawOutput output, int row) {
        int size = output.tensors().stream().mapToInt(RawOutput.Tensor::rowSize).sum();
        float[] values = new float[size];
        int at = 0;
        for (RawOutput.Tensor tensor : output.tensors()) {
            for (int i = row * tensor.rowSize(); i < (row + 1) * tensor.rowSize(); i++) {
                values[at++] =
                        tensor.floats() == null ? tensor.ints().get(i) : tensor.floats().get(i);
            }
        }
        return values;
    }

    /** Frames of noise around a colour of their own each. */
    protected static List<byte[]> randomFrames(InferenceBackend backend, int count, int which) {
        Random random = new Random(SEED + which);
        List<byte[]> frames = new ArrayList<>();
        for (int f = 0; f < count; f++) {
            int[] colour = random.ints(3, 0, 192).toArray();
            byte[] frame = new byte[backend.spec().slotBytes()];
            for (int i = 0; i < frame.length; i++) {
                frame[i] = (byte) (colour[i % 3] + random.nextInt(64));
            }
            frames.add(frame);
        }
        return frames;
    }

    /** The largest of any value; NaN where one of them is. */
    public static float difference(float[] one, float[] other) {
        assertThat(one).hasSameSizeAs(other);
        float largest = 0;
        for (int i = 0; i < one.length; i++) {
            largest = Math.max(largest, Math.abs(one[i] - other[i]));
        }
        return largest;
    }
}

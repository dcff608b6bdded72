// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.testing;

import io.sightline.inference.BatchBuffer;
import io.sightline.inference.GpuUsage;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.RawOutput;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

/**
 * An engine for tests of what is around engines: gives one {@code pairs} row a frame, computed from
 * the frame's own bytes, can be held, and can be told to fail. Checks that the contract of {@link
 * InferenceBackend} is kept by whoever drives it.
 */
public final class FakeBackend implements InferenceBackend {

    /**
     * Bounding box, score and class of a frame with this first pixel: x1 = blue, y1 = green, x2 =
     * red + 256.
     */
    public static final int VALUES = 6;

    private final ModelSpec spec;
    private final IntPredicate failsOnRun;
    private final Semaphore permits;
    private final AtomicInteger begun = new AtomicInteger();
    private final AtomicInteger runs = new AtomicInteger();
    private final Queue<Buffer> inFlight = new ArrayDeque<>();
    private int maxInFlight = 1;
    private Thread owner;
    private volatile GpuUsage gpuUsage;
    private volatile int unreadable = -1;
    private volatile boolean closed;

    /**
     * @param failsOnRun told the number of the run, from 0; true makes it throw
     * @param permits one is taken for each run; null for as many as wanted
     */
    public FakeBackend(ModelSpec spec, IntPredicate failsOnRun, Semaphore permits) {
        this.spec = spec;
        this.failsOnRun = failsOnRun;
        this.permits = permits;
    }

    public static ModelSpec spec(int width, int height, int maxBatch) {
        return new ModelSpec(
                "fake",
                "0".repeat(64),
                width,
                height,
                ModelSpec.InputFormat.BYTES_NHWC_BGR,
                maxBatch,
                true,
                0,
                114,
                IntStream.range(0, 4).mapToObj(i -> "class-" + i).toList(),
                OutputLayout.PAIRS,
                false,
                0.4f,
                0.45f,
                "fp32",
                "",
                "");
    }

    @Override
    public ModelSpec spec() {
        return spec;
    }

    @Override
    public long bufferBytes() {
        return (long) spec.maxBatch() * spec.slotBytes();
    }

    @Override
    public BatchBuffer newBuffer() {
        return new Buffer(spec.maxBatch(), spec.slotBytes());
    }

    @Override
    public void submit(BatchBuffer batch, int filled) {
        checkOwner();
        if (filled < 1 || filled > spec.maxBatch()) {
            throw new AssertionError("filled=" + filled + " maxBatch=" + spec.maxBatch());
        }
        Buffer buffer = (Buffer) batch;
        if (buffer.closed) {
            throw new AssertionError("the buffer was closed before its run");
        }
        if (inFlight.size() == maxInFlight) {
            throw new AssertionError(maxInFlight + " batches are in flight already");
        }
        inFlight.add(buffer);
        begun.incrementAndGet();
        buffer.filled = filled;
        for (int row = 0; row < filled; row++) {
            ByteBuffer pixels = buffer.slot(row);
            FloatBuffer out = buffer.output;
            out.put(row * VALUES, pixels.get(0) & 0xff);
            out.put(row * VALUES + 1, pixels.get(1) & 0xff);
            out.put(row * VALUES + 2, (pixels.get(2) & 0xff) + 256f);
            out.put(row * VALUES + 3, spec.inputHeight());
            out.put(row * VALUES + 4, (pixels.get(0) & 0xff) == unreadable ? Float.NaN : 0.9f);
            out.put(row * VALUES + 5, 1f);
        }
    }

    @Override
    public RawOutput await(BatchBuffer batch) {
        checkOwner();
        Buffer buffer = (Buffer) batch;
        if (inFlight.peek() != buffer) {
            throw new AssertionError("awaited out of turn");
        }
        if (permits != null) {
            permits.acquireUninterruptibly();
        }
        if (failsOnRun.test(runs.getAndIncrement())) {
            throw new IllegalStateException("told to fail");
        }
        inFlight.remove();
        return new RawOutput(
                List.of(
                        new RawOutput.Tensor(
                                "output",
                                new int[] {buffer.filled, 1, VALUES},
                                buffer.output.asReadOnlyBuffer(),
                                null)));
    }

    /** Lets that many batches be in flight, 1 if not called. To be called before it is used. */
    public FakeBackend inFlight(int batches) {
        maxInFlight = batches;
        return this;
    }

    @Override
    public int maxInFlight() {
        return maxInFlight;
    }

    /** What it says of a GPU from now on, though it uses none. */
    public FakeBackend reporting(GpuUsage usage) {
        gpuUsage = usage;
        return this;
    }

    /** From now on gives no number for frames whose first pixel is that blue, 0 to 255. */
    public void overflowsFor(int blue) {
        unreadable = blue;
    }

    @Override
    public Optional<GpuUsage> gpuUsage() {
        return Optional.ofNullable(gpuUsage);
    }

    /** Batches submitted so far. */
    public int begun() {
        return begun.get();
    }

    /** Runs so far, failed ones included. */
    public int runs() {
        return runs.get();
    }

    public boolean closed() {
        return closed;
    }

    @Override
    public void close() {
        closed = true;
    }

    private void checkOwner() {
        if (closed) {
            throw new AssertionError("used after close");
        }
        if (owner == null) {
            owner = Thread.currentThread();
        } else if (owner != Thread.currentThread()) {
            throw new AssertionError("driven by " + owner + " and " + Thread.currentThread());
        }
    }

    private static final class Buffer implements BatchBuffer {

        private final List<ByteBuffer> slots = new ArrayList<>();
        private final FloatBuffer output;
        private int filled;
        private volatile boolean closed;

        Buffer(int capacity, int slotBytes) {
            for (int i = 0; i < capacity; i++) {
                slots.add(ByteBuffer.allocateDirect(slotBytes));
            }
            output = FloatBuffer.allocate(capacity * VALUES);
        }

        @Override
        public int capacity() {
            return slots.size();
        }

        @Override
        public ByteBuffer slot(int index) {
            return slots.get(index);
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.BatchBuffer;
import io.sightline.inference.BatchSlots;
import io.sightline.inference.GraphTensor.ElementType;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.RawOutput;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Slots and outputs in pinned memory, which every GPU of the process copies from and to: any lane's
 * backend of the same network may run it. Owns that memory.
 */
final class TensorRtBatchBuffer implements BatchBuffer {

    /** Of the backend that made it. */
    private final int gpu;

    private final List<TensorPort> ports;
    private final Handles handles = new Handles();
    private final PinnedMemory pixels;
    private final BatchSlots slots;
    private final List<PinnedMemory> results = new ArrayList<>();

    /** By number of rows. */
    private final RawOutput[] outputByRows;

    /** Of the run that is not awaited yet; null where there is none. */
    private DeviceBatch run;

    private int rows;
    private RawOutput output;

    /** By a thread that uses that GPU. */
    TensorRtBatchBuffer(int gpu, ModelSpec spec, List<TensorPort> ports) {
        this.gpu = gpu;
        this.ports = ports;
        int capacity = spec.maxBatch();
        boolean opened = false;
        try {
            pixels = handles.own(new PinnedMemory((long) capacity * spec.slotBytes()));
            slots = new BatchSlots(spec, pixels.bytes());
            for (TensorPort port : ports) {
                results.add(handles.own(new PinnedMemory(port.rowBytes() * capacity)));
            }
            outputByRows = new RawOutput[capacity + 1];
            for (int size = 1; size <= capacity; size++) {
                outputByRows[size] = view(size);
            }
            handles.own(this::settle);
            opened = true;
        } finally {
            if (!opened) {
                handles.close();
            }
        }
    }

    private RawOutput view(int size) {
        List<RawOutput.Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < ports.size(); i++) {
            TensorPort port = ports.get(i);
            ByteBuffer bytes = results.get(i).bytes();
            int[] shape = port.shape(size);
            tensors.add(
                    switch (port.type()) {
                        case FLOAT32 ->
                                new RawOutput.Tensor(
                                        port.name(), shape, bytes.asFloatBuffer(), null);
                        case INT32 ->
                                new RawOutput.Tensor(port.name(), shape, null, bytes.asIntBuffer());
                        // Narrowed after each run.
                        default ->
                                new RawOutput.Tensor(
                                        port.name(),
                                        shape,
                                        null,
                                        IntBuffer.allocate(size * port.rowValues()));
                    });
        }
        return new RawOutput(tensors);
    }

    @Override
    public int capacity() {
        return slots.capacity();
    }

    @Override
    public ByteBuffer slot(int index) {
        return slots.get(index);
    }

    BatchSlots slots() {
        return slots;
    }

    PinnedMemory pixels() {
        return pixels;
    }

    PinnedMemory result(int index) {
        return results.get(index);
    }

    /** Takes back the output of the last run. */
    void requireIdle() {
        slots.requireOpen();
        if (run != null) {
            throw new IllegalStateException("batch buffer is in flight: await it first");
        }
        output = null;
    }

    void submitted(DeviceBatch batch, int rowCount) {
        run = batch;
        rows = rowCount;
    }

    /** The run to wait for; null where it was awaited before. */
    DeviceBatch run() {
        slots.requireOpen();
        if (run == null && output == null) {
            throw new IllegalStateException("batch buffer has no run to await");
        }
        return run;
    }

    /** The run's copies have arrived. */
    void arrived() {
        run = null;
        RawOutput ready = outputByRows[rows];
        for (int i = 0; i < ports.size(); i++) {
            TensorPort port = ports.get(i);
            if (port.type() == ElementType.INT64) {
                RawOutput.narrow(
                        port.name(),
                        results.get(i).bytes().asLongBuffer(),
                        rows * port.rowValues(),
                        ready.tensors().get(i).ints());
            }
        }
        output = ready;
    }

    RawOutput output() {
        return output;
    }

    @Override
    public void close() {
        if (slots.close()) {
            handles.close();
        }
    }

    /** Owned last and so closed first: a GPU may still copy from and to this memory. */
    private void settle() {
        // Any GPU would do, but the driver sets up each that a thread uses for the first time.
        Cuda.use(gpu);
        if (run != null && run.inFlight) {
            run.done.await();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.BatchSlots;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.RawOutput;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Slots in one contiguous piece of direct memory, and memory that the engine writes its outputs to.
 * A network that takes the bytes as they are reads them straight from the slots. Owns tensor
 * handles, which belong to no session: any lane's session of the same network may run it.
 */
final class OnnxBatchBuffer implements BatchBuffer {

    private final boolean dynamicBatch;
    private final List<OutputPort> ports;

    /** The slots' memory; for networks that take floats only its bytes are used. */
    private final BatchTensors pixels;

    private final BatchSlots slots;

    /** One for each port; null where the graph does not tell the output's size. */
    private final List<BatchTensors> pinned = new ArrayList<>();

    /** By batch size. */
    private final List<Map<String, OnnxTensor>> inputsBySize = new ArrayList<>();

    private final List<Map<String, OnnxTensor>> pinnedBySize = new ArrayList<>();

    /** By batch size; null for every size unless all outputs are pinned. */
    private final List<RawOutput> outputBySize = new ArrayList<>();

    private RawOutput output;

    OnnxBatchBuffer(
            OrtEnvironment environment, ModelSpec spec, String inputName, List<OutputPort> ports)
            throws OrtException {
        this.dynamicBatch = spec.dynamicBatch();
        this.ports = ports;
        int capacity = spec.maxBatch();
        boolean bytesIn = spec.inputFormat() == InputFormat.BYTES_NHWC_BGR;
        pixels =
                new BatchTensors(
                        environment,
                        OnnxJavaType.UINT8,
                        new long[] {capacity, spec.inputHeight(), spec.inputWidth(), 3},
                        dynamicBatch && bytesIn);
        slots = new BatchSlots(spec, pixels.memory());
        try {
            for (OutputPort port : ports) {
                pinned.add(
                        port.rowShape() == null
                                ? null
                                : new BatchTensors(
                                        environment,
                                        port.type(),
                                        port.shape(capacity),
                                        dynamicBatch));
            }
            for (int size = 0; size <= capacity; size++) {
                boolean runs = size == capacity || (dynamicBatch && size > 0);
                inputsBySize.add(
                        runs && bytesIn ? Map.of(inputName, pixels.ofSize(size)) : Map.of());
                pinnedBySize.add(runs ? pinnedTensors(size) : Map.of());
                outputBySize.add(runs && !pinned.contains(null) ? pinnedOutput(size) : null);
            }
        } catch (OrtException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private Map<String, OnnxTensor> pinnedTensors(int size) {
        Map<String, OnnxTensor> tensors = new HashMap<>();
        for (int i = 0; i < ports.size(); i++) {
            if (pinned.get(i) != null) {
                tensors.put(ports.get(i).name(), pinned.get(i).ofSize(size));
            }
        }
        return Map.copyOf(tensors);
    }

    private RawOutput pinnedOutput(int size) {
        List<RawOutput.Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < ports.size(); i++) {
            tensors.add(pinnedTensor(ports.get(i), pinned.get(i), size));
        }
        return new RawOutput(tensors);
    }

    private static RawOutput.Tensor pinnedTensor(OutputPort port, BatchTensors tensors, int size) {
        ByteBuffer memory = tensors.memory();
        int[] shape = port.intShape(size);
        return switch (port.type()) {
            case FLOAT -> new RawOutput.Tensor(port.name(), shape, memory.asFloatBuffer(), null);
            case INT32 -> new RawOutput.Tensor(port.name(), shape, null, memory.asIntBuffer());
            // Narrowed after each run.
            default ->
                    new RawOutput.Tensor(
                            port.name(), shape, null, IntBuffer.allocate(memory.capacity() / 8));
        };
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

    /** How many rows the engine computes for that many frames: a fixed batch is always full. */
    int rows(int filled) {
        return dynamicBatch ? filled : slots.capacity();
    }

    /** Takes back the output of the last run. */
    void forgetOutput() {
        slots.requireOpen();
        output = null;
    }

    Map<String, OnnxTensor> byteInputs(int rows) {
        return inputsBySize.get(rows);
    }

    Map<String, OnnxTensor> pinnedOutputs(int rows) {
        return pinnedBySize.get(rows);
    }

    /** Makes the output of the run that just ended readable. */
    void publish(int rows, OrtSession.Result result) throws OrtException {
        RawOutput ready = outputBySize.get(rows);
        if (ready == null) {
            List<RawOutput.Tensor> tensors = new ArrayList<>();
            for (int i = 0; i < ports.size(); i++) {
                tensors.add(
                        pinned.get(i) == null
                                ? copy(ports.get(i), rows, result)
                                : pinnedTensor(ports.get(i), pinned.get(i), rows));
            }
            ready = new RawOutput(tensors);
        }
        for (int i = 0; i < ports.size(); i++) {
            if (ports.get(i).type() == OnnxJavaType.INT64 && pinned.get(i) != null) {
                LongBuffer longs = pinned.get(i).memory().asLongBuffer();
                RawOutput.Tensor tensor = ready.tensors().get(i);
                RawOutput.narrow(tensor.name(), longs, rows * tensor.rowSize(), tensor.ints());
            }
        }
        output = ready;
    }

    private static RawOutput.Tensor copy(OutputPort port, int rows, OrtSession.Result result)
            throws OrtException {
        OnnxTensor tensor =
                (OnnxTensor)
                        result.get(port.name())
                                .orElseThrow(
                                        () ->
                                                new InferenceException(
                                                        "output '"
                                                                + port.name()
                                                                + "' is missing in the result"));
        long[] longShape = tensor.getInfo().getShape();
        int[] shape = new int[longShape.length];
        for (int i = 0; i < shape.length; i++) {
            shape[i] = Math.toIntExact(longShape[i]);
        }
        if (shape.length == 0 || shape[0] != rows) {
            throw new InferenceException(
                    "output '%s' has shape %s after a run of %d frames: expected the batch as first dimension: export the model with a dynamic batch"
                            .formatted(port.name(), Arrays.toString(shape), rows));
        }
        FloatBuffer floats = null;
        IntBuffer ints = null;
        switch (port.type()) {
            case FLOAT -> floats = tensor.getFloatBuffer();
            case INT32 -> ints = tensor.getIntBuffer();
            default -> {
                LongBuffer longs = tensor.getLongBuffer();
                ints = IntBuffer.allocate(longs.remaining());
                RawOutput.narrow(port.name(), longs, longs.remaining(), ints);
            }
        }
        return new RawOutput.Tensor(port.name(), shape, floats, ints);
    }

    RawOutput output() {
        slots.requireOpen();
        if (output == null) {
            throw new IllegalStateException("batch buffer has no run to await");
        }
        return output;
    }

    @Override
    public void close() {
        slots.close();
        pixels.close();
        for (BatchTensors tensors : pinned) {
            if (tensors != null) {
                tensors.close();
            }
        }
    }
}

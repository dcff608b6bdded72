// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.sightline.inference.InferenceException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One piece of direct memory, seen by ONNX Runtime as a tensor of every batch size that will run;
 * each begins at the first row. Owns the tensors' handles; the memory is the garbage collector's.
 */
final class BatchTensors implements AutoCloseable {

    /** Whole cache lines, so that vector loads of the engine do not straddle them. */
    private static final int ALIGNMENT = 64;

    private final ByteBuffer memory;
    private final OnnxTensor[] bySize;

    /**
     * @param shape of a full batch, the batch first
     * @param smaller whether tensors of 1 to batch − 1 rows are needed too
     */
    BatchTensors(OrtEnvironment environment, OnnxJavaType type, long[] shape, boolean smaller)
            throws OrtException {
        int batch = Math.toIntExact(shape[0]);
        long[] rowShape = shape.clone();
        rowShape[0] = 1;
        int rowBytes = Math.toIntExact(bytes(type, rowShape));
        memory = allocate(Math.multiplyExact(rowBytes, batch));
        bySize = new OnnxTensor[batch + 1];
        try {
            for (int size = smaller ? 1 : batch; size <= batch; size++) {
                rowShape[0] = size;
                bySize[size] =
                        tensor(
                                environment,
                                memory.slice(0, rowBytes * size).order(ByteOrder.nativeOrder()),
                                type,
                                rowShape.clone());
            }
        } catch (OrtException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    static long bytes(OnnxJavaType type, long[] shape) {
        long bytes = type.size;
        for (long dimension : shape) {
            bytes = Math.multiplyExact(bytes, dimension);
        }
        return bytes;
    }

    /** All rows, position 0, native order. */
    ByteBuffer memory() {
        return memory;
    }

    OnnxTensor ofSize(int batch) {
        return bySize[batch];
    }

    private static ByteBuffer allocate(int bytes) {
        try {
            return ByteBuffer.allocateDirect(Math.addExact(bytes, 2 * ALIGNMENT))
                    .alignedSlice(ALIGNMENT)
                    .slice(0, bytes)
                    .order(ByteOrder.nativeOrder());
        } catch (OutOfMemoryError e) {
            throw new InferenceException(
                    "no %d bytes of direct memory for a batch (%s): raise -XX:MaxDirectMemorySize, in Flink taskmanager.memory.task.off-heap.size, or lower the largest batch"
                            .formatted(bytes, e.getMessage()),
                    e);
        }
    }

    private static OnnxTensor tensor(
            OrtEnvironment environment, ByteBuffer memory, OnnxJavaType type, long[] shape)
            throws OrtException {
        return switch (type) {
            case FLOAT -> OnnxTensor.createTensor(environment, memory.asFloatBuffer(), shape);
            case INT32 -> OnnxTensor.createTensor(environment, memory.asIntBuffer(), shape);
            case INT64 -> OnnxTensor.createTensor(environment, memory.asLongBuffer(), shape);
            default -> OnnxTensor.createTensor(environment, memory, shape, type);
        };
    }

    @Override
    public void close() {
        for (int size = 0; size < bySize.length; size++) {
            if (bySize[size] != null) {
                bySize[size].close();
                bySize[size] = null;
            }
        }
    }
}

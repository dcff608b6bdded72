// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.InferenceException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Pointer;

/**
 * Memory of the host whose pages stay where they are, so that GPUs copy from and to it by
 * themselves; any GPU of the process. Owns it: what {@link #bytes} gave must not be touched after
 * {@link #close}.
 */
final class PinnedMemory implements AutoCloseable {

    private final Pointer memory = new Pointer();
    private final ByteBuffer bytes;

    /**
     * @param size in bytes, less than 2 GiB
     * @throws InferenceException if the driver gives none
     */
    PinnedMemory(long size) {
        if (size < 1 || size > Integer.MAX_VALUE) {
            throw new InferenceException(
                    "a buffer of "
                            + size
                            + " bytes exceeds the 2 GiB of a Java buffer: lower the largest batch");
        }
        Cuda.check(
                cudart.cudaHostAlloc(memory, size, cudart.cudaHostAllocPortable),
                "cudaHostAlloc of " + size + " bytes (pinned memory)");
        bytes = memory.capacity(size).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    Pointer address() {
        return memory;
    }

    /** All of it, position 0, native order. */
    ByteBuffer bytes() {
        return bytes;
    }

    /** Waits for what a GPU still does with it. Idempotent. */
    @Override
    public void close() {
        if (!memory.isNull()) {
            Cuda.check(cudart.cudaFreeHost(memory), "cudaFreeHost");
            memory.setNull();
        }
    }
}

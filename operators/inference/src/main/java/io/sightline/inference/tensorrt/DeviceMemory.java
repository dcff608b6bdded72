// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Pointer;

/** Memory of the GPU that the constructing thread uses; owns it. */
final class DeviceMemory implements AutoCloseable {

    private final Pointer memory = new Pointer();
    private final long bytes;

    DeviceMemory(long bytes) {
        this.bytes = bytes;
        // Of no bytes there is no address, and TensorRT wants one.
        Cuda.check(
                cudart.cudaMalloc(memory, Math.max(1, bytes)), "cudaMalloc of " + bytes + " bytes");
    }

    Pointer address() {
        return memory;
    }

    long bytes() {
        return bytes;
    }

    /** Waits for what the GPU still does with it. Idempotent. */
    @Override
    public void close() {
        if (!memory.isNull()) {
            Cuda.check(cudart.cudaFree(memory), "cudaFree");
            memory.setNull();
        }
    }
}

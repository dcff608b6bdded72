// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.cuda.global.cudart;
import org.bytedeco.javacpp.Pointer;

/** A CUDA stream: work given to it runs in order, beside that of other streams. Owns it. */
final class GpuStream implements AutoCloseable {

    private final CUstream_st stream = new CUstream_st();

    /** On the GPU that the calling thread uses. */
    GpuStream() {
        Cuda.check(
                cudart.cudaStreamCreateWithFlags(stream, cudart.cudaStreamNonBlocking),
                "cudaStreamCreateWithFlags");
    }

    CUstream_st handle() {
        return stream;
    }

    void toDevice(DeviceMemory to, PinnedMemory from, long bytes) {
        copy(to.address(), from.address(), bytes, cudart.cudaMemcpyHostToDevice);
    }

    void toHost(PinnedMemory to, DeviceMemory from, long bytes) {
        copy(to.address(), from.address(), bytes, cudart.cudaMemcpyDeviceToHost);
    }

    private void copy(Pointer to, Pointer from, long bytes, int direction) {
        Cuda.check(
                cudart.cudaMemcpyAsync(to, from, bytes, direction, stream),
                "cudaMemcpyAsync of " + bytes + " bytes");
    }

    void await(GpuEvent event) {
        Cuda.check(cudart.cudaStreamWaitEvent(stream, event.handle(), 0), "cudaStreamWaitEvent");
    }

    void synchronise() {
        Cuda.check(cudart.cudaStreamSynchronize(stream), "cudaStreamSynchronize");
    }

    /** Idempotent. */
    @Override
    public void close() {
        if (!stream.isNull()) {
            Cuda.check(cudart.cudaStreamDestroy(stream), "cudaStreamDestroy");
            stream.setNull();
        }
    }
}

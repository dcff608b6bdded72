// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import org.bytedeco.cuda.cudart.CUevent_st;
import org.bytedeco.cuda.global.cudart;

/** A moment in a stream that can be waited for and timed. Owns it. */
final class GpuEvent implements AutoCloseable {

    private static final double NANOS_PER_MILLI = 1e6;

    private final CUevent_st event = new CUevent_st();

    /** On the GPU that the calling thread uses. */
    GpuEvent() {
        // Who waits sleeps: a spinning lane would take the core that decoding needs.
        Cuda.check(
                cudart.cudaEventCreateWithFlags(event, cudart.cudaEventBlockingSync),
                "cudaEventCreateWithFlags");
    }

    CUevent_st handle() {
        return event;
    }

    void record(GpuStream stream) {
        Cuda.check(cudart.cudaEventRecord(event, stream.handle()), "cudaEventRecord");
    }

    /** Blocks until what was recorded has happened; tells what failed before it. */
    void await() {
        Cuda.check(cudart.cudaEventSynchronize(event), "cudaEventSynchronize");
    }

    /** Time since an earlier event; both must have happened. */
    long nanosSince(GpuEvent earlier) {
        float[] millis = new float[1];
        Cuda.check(
                cudart.cudaEventElapsedTime(millis, earlier.event, event), "cudaEventElapsedTime");
        return Math.round(millis[0] * NANOS_PER_MILLI);
    }

    /** Idempotent. */
    @Override
    public void close() {
        if (!event.isNull()) {
            Cuda.check(cudart.cudaEventDestroy(event), "cudaEventDestroy");
            event.setNull();
        }
    }
}

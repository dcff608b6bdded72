// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.InferenceException;
import org.bytedeco.cuda.global.cudart;

/** Turns what the CUDA runtime returns into exceptions. */
final class Cuda {

    private Cuda() {}

    /**
     * @param status what the call returned
     * @param call its name, and what it was for where that helps
     * @throws InferenceException if it was no success
     */
    static void check(int status, String call) {
        if (status != GpuCalls.SUCCESS) {
            // The runtime remembers it until it is asked, and TensorRT would take it for its own.
            int ignored = cudart.cudaGetLastError();
            throw new InferenceException(call + " failed: " + describe(status));
        }
    }

    static String describe(int status) {
        return cudart.cudaGetErrorName(status).getString()
                + " ("
                + cudart.cudaGetErrorString(status).getString()
                + ")";
    }

    /** The device that the calling thread's further calls are for. */
    static void use(int device) {
        check(cudart.cudaSetDevice(device), "cudaSetDevice(" + device + ")");
    }
}

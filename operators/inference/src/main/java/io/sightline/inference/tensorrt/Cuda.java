// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ProcessUnusableException;
import org.bytedeco.cuda.global.cudart;

/** Turns what the CUDA runtime returns into exceptions. */
final class Cuda {

    private Cuda() {}

    /**
     * @param status what the call returned
     * @param call its name, and what it was for where that helps
     * @throws ProcessUnusableException if no call in this process can succeed after it
     * @throws InferenceException if it was no success
     */
    static void check(int status, String call) {
        if (status != GpuCalls.SUCCESS) {
            // The runtime remembers it until it is asked, and TensorRT would take it for its own.
            int ignored = cudart.cudaGetLastError();
            String message = call + " failed: " + describe(status);
            throw endsProcess(status)
                    ? new ProcessUnusableException(message)
                    : new InferenceException(message);
        }
    }

    /**
     * Whether CUDA's documentation says of a status that every further call gives it too, until the
     * process is started anew.
     */
    static boolean endsProcess(int status) {
        return switch (status) {
            case cudart.cudaErrorIllegalAddress,
                    cudart.cudaErrorLaunchTimeout,
                    cudart.cudaErrorAssert,
                    cudart.cudaErrorHardwareStackError,
                    cudart.cudaErrorIllegalInstruction,
                    cudart.cudaErrorMisalignedAddress,
                    cudart.cudaErrorInvalidAddressSpace,
                    cudart.cudaErrorInvalidPc,
                    cudart.cudaErrorLaunchFailure ->
                    true;
            default -> false;
        };
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

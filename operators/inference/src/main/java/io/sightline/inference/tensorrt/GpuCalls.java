// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

/**
 * What {@link GpuProbe} asks of the machine. Any call may end in a {@link LinkageError} where
 * libraries are missing.
 */
interface GpuCalls {

    /** What a call of the CUDA runtime gives where all is well. */
    int SUCCESS = 0;

    /**
     * Whether the system shows signs of an NVIDIA driver. Loads nothing: where there is none, the
     * bindings need not be tried.
     */
    boolean driverSeen();

    /** cudaGetDeviceCount: its status, and the count in {@code count[0]}. */
    int deviceCount(int[] count);

    /** cudaDriverGetVersion: 12060 for CUDA 12.6, 0 where there is no driver. */
    int driverVersion();

    /** cudaRuntimeGetVersion: 12060 for CUDA 12.6. */
    int runtimeVersion();

    /** Name and text of a status. */
    String describe(int status);

    String deviceName(int device);

    /** Compute capability: major, then minor. */
    int[] computeCapability(int device);

    /**
     * Version of TensorRT's library, such as 10.6.0.26. To be called only where {@link
     * #deviceCount} found a device.
     */
    String tensorRtVersion();
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

/**
 * A GPU that can be used, and the TensorRT that was found for it.
 *
 * @param index as the CUDA driver counts
 * @param name such as Tesla T4
 * @param smMajor compute capability before the point: 7 on a T4
 * @param smMinor compute capability behind the point: 5 on a T4
 * @param tensorRt version of the library, such as 10.6.0.26
 */
record GpuDevice(int index, String name, int smMajor, int smMinor, String tensorRt) {

    /** {@code sm_75} on a T4. */
    String sm() {
        return "sm_" + smMajor + smMinor;
    }

    @Override
    public String toString() {
        return "GPU " + index + " (" + name + ", " + sm() + ")";
    }
}

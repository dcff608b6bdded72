// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * What an engine on a GPU has done so far, and how that GPU is.
 *
 * @param device index of the GPU, as the CUDA driver counts
 * @param copyNanos sum of the copies to and from the GPU
 * @param queueNanos sum of the time that batches on the GPU waited for the one before them
 * @param computeNanos sum of the runs
 * @param deviceBytes memory of the GPU in use, by whomever
 * @param utilisationPercent of the last moments, 0 to 100; −1 where the driver does not tell
 */
public record GpuUsage(
        int device,
        long copyNanos,
        long queueNanos,
        long computeNanos,
        long deviceBytes,
        int utilisationPercent) {}

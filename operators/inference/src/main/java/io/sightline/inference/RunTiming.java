// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * Where a frame's time went in its batch. The nanosecond marks are readings of the batcher's clock.
 *
 * @param startedNanos when the lane submitted the batch
 * @param inferredNanos when the engine's output was there
 * @param readNanos how long this frame's row took to read (parse, suppression)
 * @param batchSize frames in the run
 */
public record RunTiming(long startedNanos, long inferredNanos, long readNanos, int batchSize) {}

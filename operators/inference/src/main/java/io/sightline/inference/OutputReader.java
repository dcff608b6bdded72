// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * Turns one row of a batch's output into a result. Each lane has its own reader and calls it from
 * its own thread, so a reader may keep scratch memory.
 *
 * @param <R> the result; it must not refer to the output's memory
 */
public interface OutputReader<R> {

    /**
     * @param output of the whole batch
     * @param row index of the frame in the batch
     * @throws FrameOutputException if what the row holds is of no use; any other exception ends the
     *     lane
     */
    R read(RawOutput output, int row);
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.nio.ByteBuffer;

/**
 * Reusable memory for one batch: the slots that frames are letterboxed into, and the output of its
 * last run. Not thread-safe in itself; {@link MicroBatcher} decides who may touch what when.
 */
public interface BatchBuffer extends AutoCloseable {

    /** How many slots it has. */
    int capacity();

    /**
     * The pixels of one slot: a direct buffer, uint8 [height, width, 3], BGR, row-major without
     * gaps. Always the same object for the same index, position 0, limit = capacity.
     */
    ByteBuffer slot(int index);

    /** Idempotent. */
    @Override
    void close();
}

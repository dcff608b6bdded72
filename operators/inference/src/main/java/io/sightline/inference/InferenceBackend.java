// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.Optional;

/**
 * Runs one fixed network on batches. Owned by one lane; submit and await come from its thread
 * alone. Buffers may be made and closed by any thread, and a buffer that one lane's backend made
 * may be submitted to another lane's backend of the same network.
 */
public interface InferenceBackend extends AutoCloseable {

    /** What the network takes and gives. */
    ModelSpec spec();

    /**
     * Memory outside the heap that one {@link #newBuffer} takes, in bytes: its slots, its output,
     * and what lies between.
     */
    long bufferBytes();

    /**
     * Whether buffers are pages that a GPU's driver has locked, which count for no limit of the
     * JVM; else they are its direct memory.
     */
    default boolean pinsBuffers() {
        return false;
    }

    /**
     * A new buffer of {@code spec().maxBatch()} slots. The caller closes it, before it closes the
     * backend.
     */
    BatchBuffer newBuffer();

    /**
     * Starts a run of slots 0 to filled − 1; copies and compute may still run when it returns.
     *
     * @throws InferenceException if the engine refuses or fails
     */
    void submit(BatchBuffer batch, int filled);

    /**
     * Waits for the run of that buffer. The output belongs to the buffer and is valid until it is
     * submitted again.
     *
     * @throws InferenceException if the engine failed
     */
    RawOutput await(BatchBuffer batch);

    /**
     * How many submitted batches may wait for their {@link #await}: 1 where submit itself does the
     * work.
     */
    default int maxInFlight() {
        return 1;
    }

    /** What it has done on its GPU, asked by any thread; empty for an engine on the CPU. */
    default Optional<GpuUsage> gpuUsage() {
        return Optional.empty();
    }

    /** Idempotent. */
    @Override
    void close();
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.nio.ByteBuffer;

/**
 * A claim on one frame's place in a batch: write the pixels, then {@link #commit} or {@link
 * #abort}, at once and on the claiming thread. The batch cannot run while a claim on it is open, so
 * nothing slow may lie between.
 *
 * @param <R> what the lane's {@link OutputReader} makes of a row
 */
public final class BatchSlot<R> {

    private final MicroBatcher<R> batcher;
    private final Batch<R> batch;
    private final ByteBuffer pixels;
    private FrameCallback<R> callback;
    private boolean open;

    BatchSlot(MicroBatcher<R> batcher, Batch<R> batch, ByteBuffer pixels) {
        this.batcher = batcher;
        this.batch = batch;
        this.pixels = pixels;
    }

    /**
     * Where the letterboxed frame goes: see {@link BatchBuffer#slot}. Holds whatever an earlier
     * frame left there.
     */
    public ByteBuffer pixels() {
        return pixels;
    }

    /**
     * Hands the frame to the lanes. If they have failed meanwhile, the callback is failed before
     * this returns.
     *
     * @throws IllegalStateException if the claim is not open
     */
    public void commit(FrameCallback<R> frameCallback) {
        batcher.commit(this, frameCallback);
    }

    /**
     * Gives the slot back unused.
     *
     * @throws IllegalStateException if the claim is not open
     */
    public void abort() {
        batcher.abort(this);
    }

    Batch<R> batch() {
        return batch;
    }

    void claim() {
        open = true;
    }

    void close(FrameCallback<R> frameCallback) {
        if (!open) {
            throw new IllegalStateException(
                    "this slot is not claimed: it was committed or aborted before");
        }
        open = false;
        callback = frameCallback;
    }

    FrameCallback<R> takeCallback() {
        FrameCallback<R> taken = callback;
        callback = null;
        return taken;
    }
}

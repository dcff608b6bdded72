// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * One subtask's door to the shared {@link MicroBatcher}: it claims slots without ever blocking, and
 * where none is free it stands in line until it is woken. Used by its subtask's thread alone.
 *
 * @param <R> what the lanes' {@link OutputReader} makes of a row
 */
public final class FrameSubmitter<R> implements AutoCloseable {

    private final MicroBatcher<R> batcher;
    private final Runnable wakeUp;

    /**
     * Knows of a slot that is free for it, and has not tried since. Guarded by the batcher's lock.
     */
    boolean woken;

    /** Whether it may stand in the batcher's line. */
    private boolean waiting;

    FrameSubmitter(MicroBatcher<R> batcher, Runnable wakeUp) {
        this.batcher = batcher;
        this.wakeUp = wakeUp;
    }

    /**
     * Whether a slot is free that others leave to this subtask, so that it may begin what must be
     * done before it claims one, such as decoding: a claim that is open for so long would hold its
     * batch up. Where there is none it stands in line, as with {@link #tryClaim}. To be followed by
     * a claim or by {@link #withdraw}; the claim may still find none, where a lane took the batch
     * as it was.
     *
     * @throws InferenceException if a lane has failed
     * @throws IllegalStateException if the batcher is closed
     */
    public boolean reserve() {
        waiting = true;
        return batcher.reserve(this);
    }

    /**
     * A slot, or null where none is free or others wait for one. A subtask that got none stands in
     * line, first come first served: its wake-up is called once when it is its turn, and then it
     * must try again or {@link #withdraw}.
     *
     * @throws InferenceException if a lane has failed
     * @throws IllegalStateException if the batcher is closed
     */
    public BatchSlot<R> tryClaim() {
        BatchSlot<R> slot = batcher.tryClaim(this);
        waiting = slot == null;
        return slot;
    }

    /**
     * Lets frames that are committed go without waiting for fuller batches. Does not wait for them.
     */
    public void sealNow() {
        batcher.sealNow();
    }

    /**
     * Leaves the line; the next in it is woken instead. Nothing happens to one that does not stand
     * in it.
     */
    public void withdraw() {
        if (waiting) {
            waiting = false;
            batcher.withdraw(this);
        }
    }

    /**
     * To be called when woken: everybody is woken when a lane fails.
     *
     * @throws InferenceException if a lane has failed
     */
    public void requireRunning() {
        batcher.requireRunning();
    }

    /** Leaves for good. Frames that are committed still get their callback. */
    @Override
    public void close() {
        batcher.close(this);
    }

    void wake() {
        wakeUp.run();
    }
}

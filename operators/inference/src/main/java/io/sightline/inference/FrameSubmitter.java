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

    /** Told that a slot is free, and has not tried since. Guarded by the batcher's lock. */
    boolean woken;

    FrameSubmitter(MicroBatcher<R> batcher, Runnable wakeUp) {
        this.batcher = batcher;
        this.wakeUp = wakeUp;
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
        return batcher.tryClaim(this);
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
        batcher.withdraw(this);
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

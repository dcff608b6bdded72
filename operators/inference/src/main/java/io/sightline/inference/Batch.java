// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.ArrayList;
import java.util.List;

/**
 * A buffer and who has which of its slots. All counts are guarded by the batcher's lock until a
 * lane has taken the batch; from then on it is the lane's.
 */
final class Batch<R> {

    final BatchBuffer buffer;
    final List<BatchSlot<R>> slots;

    /** Slots given out so far: always the first ones. */
    int claimed;

    /** Slots given out and neither committed nor aborted. */
    int open;

    int committed;

    long oldestCommitNanos;

    boolean sealRequested;

    Batch(MicroBatcher<R> batcher, BatchBuffer buffer) {
        this.buffer = buffer;
        this.slots = new ArrayList<>(buffer.capacity());
        for (int i = 0; i < buffer.capacity(); i++) {
            slots.add(new BatchSlot<>(batcher, this, buffer.slot(i)));
        }
    }

    boolean full() {
        return claimed == slots.size();
    }

    void reset() {
        claimed = 0;
        open = 0;
        committed = 0;
        sealRequested = false;
    }

    /** Takes the committed frames out, as they leave with a failure instead of a run. */
    void moveCallbacksTo(List<FrameCallback<R>> callbacks) {
        for (int i = 0; i < claimed; i++) {
            FrameCallback<R> callback = slots.get(i).takeCallback();
            if (callback != null) {
                callbacks.add(callback);
            }
        }
        committed = 0;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.nio.ByteBuffer;
import java.nio.file.Path;

/**
 * The slots of a batch buffer, slices of one piece of direct memory, and what a backend asks of
 * whatever buffer it is given: whether it is of its network, open, and large enough. The memory is
 * the buffer's.
 */
public final class BatchSlots {

    private final String sha256;
    private final ByteBuffer[] slots;
    private volatile boolean closed;

    /**
     * @param memory for {@code spec.maxBatch()} slots, from its beginning
     */
    public BatchSlots(ModelSpec spec, ByteBuffer memory) {
        sha256 = spec.sha256();
        slots = new ByteBuffer[spec.maxBatch()];
        for (int i = 0; i < slots.length; i++) {
            slots[i] = memory.slice(i * spec.slotBytes(), spec.slotBytes()).order(memory.order());
        }
    }

    public int capacity() {
        return slots.length;
    }

    /** See {@link BatchBuffer#slot}. */
    public ByteBuffer get(int index) {
        return slots[index];
    }

    /**
     * @param model of the backend that is given the buffer, for the message
     * @param spec of that model
     * @throws IllegalArgumentException if the buffer is of another network
     */
    public void requireFor(Path model, ModelSpec spec) {
        if (!sha256.equals(spec.sha256())
                || slots.length != spec.maxBatch()
                || slots[0].capacity() != spec.slotBytes()) {
            throw foreign("of " + slots.length + " slots", model, spec);
        }
    }

    /** For a buffer that does not fit a backend. */
    public static IllegalArgumentException foreign(Object buffer, Path model, ModelSpec spec) {
        return new IllegalArgumentException(
                "buffer %s is not of model %s with %d slots"
                        .formatted(buffer, model, spec.maxBatch()));
    }

    /**
     * @throws IllegalArgumentException if it is no number of slots that there are
     */
    public void requireFilled(int filled) {
        if (filled < 1 || filled > slots.length) {
            throw new IllegalArgumentException("filled=" + filled + " capacity=" + slots.length);
        }
    }

    /**
     * @throws IllegalStateException if the buffer is closed
     */
    public void requireOpen() {
        if (closed) {
            throw new IllegalStateException("batch buffer is closed");
        }
    }

    /** Whether the buffer was open until now. */
    public boolean close() {
        boolean wasOpen = !closed;
        closed = true;
        return wasOpen;
    }
}

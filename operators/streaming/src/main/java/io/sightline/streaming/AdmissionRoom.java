// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The bounded room of encoded frames between source and decode: the one place where overload is
 * felt and dealt with. As built it processes all: frames leave in the order they came, and a full
 * room makes the operator stop reading, which the source feels as backpressure. Policies that drop
 * or choose between cameras replace what {@link #add} and {@link #poll} do, and nothing else. Used
 * by the task's thread alone.
 */
final class AdmissionRoom {

    private final int maxFrames;
    private final long maxBytes;
    private final Deque<PendingFrame> frames = new ArrayDeque<>();
    private long bytes;

    AdmissionRoom(int maxFrames, long maxBytes) {
        this.maxFrames = maxFrames;
        this.maxBytes = maxBytes;
    }

    void add(PendingFrame frame) {
        frames.addLast(frame);
        bytes += frame.encodedBytes();
    }

    /** The frame to decode next, or null where the room is empty. */
    PendingFrame poll() {
        PendingFrame frame = frames.pollFirst();
        if (frame != null) {
            bytes -= frame.encodedBytes();
        }
        return frame;
    }

    /**
     * Whether the operator has to wait before it may take another frame in. A single frame of any
     * size always fits.
     */
    boolean full() {
        return frames.size() >= maxFrames || bytes >= maxBytes;
    }
}

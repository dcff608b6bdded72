// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import java.util.ArrayDeque;
import java.util.Deque;

/** A camera's frames that wait in the {@link AdmissionRoom}, which alone changes it. */
final class CameraLine {

    final OverloadPolicy policy;

    /** Whether several cameras stand in it, none of which has a place of its own. */
    final boolean shared;

    final Deque<PendingFrame> frames = new ArrayDeque<>(4);

    /** Whether it is among the lines whose turn will come. */
    boolean inTurn;

    /** Number of its last turn, counted over all lines; 0 before the first. */
    long lastTurn;

    CameraLine(OverloadPolicy policy, boolean shared) {
        this.policy = policy;
        this.shared = shared;
    }

    /** Whether at most one frame waits, the newest. */
    boolean keepsLatest() {
        return policy == OverloadPolicy.LATEST && !shared;
    }

    /** Whether a frame that waits may have to go for another camera's. */
    boolean givesWay() {
        return policy.drops() && !keepsLatest();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

/** What happens to a camera's frames when more come than can be analysed. */
public enum OverloadPolicy {
    /** None is dropped: reading stops until there is room, for all cameras of the subtask. */
    PROCESS_ALL,
    /** Its older waiting frame gives way to its newer one. */
    LATEST,
    /** Frames are dropped that were captured too long ago, or for which there is no room. */
    MAX_AGE;

    /** Whether frames may be given up. */
    public boolean drops() {
        return this != PROCESS_ALL;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

/** A frame's identity: its place in the frames topic. */
record FrameKey(int partition, long offset) {

    /** As the page names it: {@code 3-991}. */
    @Override
    public String toString() {
        return partition + "-" + offset;
    }
}

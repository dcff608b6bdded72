// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.time.Duration;

/**
 * What the server keeps at most.
 *
 * @param frames newest frames of a camera
 * @param bytes pictures and events of all cameras together
 * @param cameras cameras; of more, the one not heard of for longest is forgotten
 * @param joinTimeout how long a frame waits for its event before it is shown without
 */
public record WindowLimits(int frames, long bytes, int cameras, Duration joinTimeout) {

    public WindowLimits {
        if (frames < 1 || bytes < 1 || cameras < 1 || joinTimeout.isNegative()) {
            throw new IllegalArgumentException(
                    "the live page's window: "
                            + frames
                            + " frames, "
                            + bytes
                            + " bytes, "
                            + cameras
                            + " cameras, join timeout "
                            + joinTimeout.toMillis()
                            + " ms; expected at least 1 of each and no negative timeout");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.io.IOException;

/** Takes what is to be seen in each frame, before the frame itself is given out. Thread-safe. */
@FunctionalInterface
public interface TruthSink {

    /**
     * Takes one frame's truth.
     *
     * @throws IOException where it cannot be kept
     */
    void accept(FrameTruth truth) throws IOException;
}

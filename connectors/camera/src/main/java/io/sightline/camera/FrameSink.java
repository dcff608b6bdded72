// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import java.io.IOException;

/**
 * Takes the frames of a replay: a topic, or a list in memory. Called by one thread per video, so
 * frames of cameras that play different videos may come at the same time.
 */
@FunctionalInterface
public interface FrameSink extends AutoCloseable {

    /**
     * Takes one frame; may wait while there is no room.
     *
     * @throws IOException where this frame, or one taken before, could not be delivered
     */
    void accept(EncodedFrame frame) throws IOException, InterruptedException;

    /**
     * Returns when all frames taken so far are delivered.
     *
     * @throws IOException where one of them could not be
     */
    default void flush() throws IOException, InterruptedException {}

    @Override
    default void close() throws IOException {}
}

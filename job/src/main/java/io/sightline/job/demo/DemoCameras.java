// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.camera.FrameSink;
import io.sightline.camera.simulated.TruthSink;
import io.sightline.toolchain.Progress;
import java.io.IOException;
import java.util.List;

/** What plays in a demo. Its methods are called in the order in which they stand here. */
public interface DemoCameras {

    /**
     * Encoded pictures like those that will be played, to measure with.
     *
     * @throws IOException if there are none to be had
     */
    List<byte[]> sample(Progress progress) throws IOException, InterruptedException;

    /**
     * Settles how many frames will come.
     *
     * @param carried frames per second that this machine carries
     * @return that, in one line for people
     */
    String settle(double carried);

    /** Makes everything ready that takes its time. */
    void prepare(Progress progress) throws Exception;

    /** Whether it is known what is to be seen in the frames. */
    boolean truthIsKnown();

    /**
     * Plays to the end, or until {@link #stop()}, and returns when all frames given out are
     * delivered.
     *
     * @param truth is told what is to be seen in a frame before the frame is given out, where that
     *     is known
     * @return how many frames those are
     */
    long play(FrameSink frames, TruthSink truth) throws IOException, InterruptedException;

    /** Ends {@link #play} soon, also where it is yet to be called; from any thread. */
    void stop();
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * What happens to a committed frame in the end: exactly one of the two methods is called, once,
 * usually from a lane's thread. Neither may block; whatever they throw is logged and dropped.
 *
 * @param <R> what the lane's {@link OutputReader} makes of a row
 */
public interface FrameCallback<R> {

    /** The frame's result, read before its slot was given to others. */
    void complete(R result, RunTiming timing);

    /**
     * There is no result: a {@link FrameOutputException} is about this frame alone, everything else
     * means that the lane has died.
     */
    void fail(Throwable cause);
}

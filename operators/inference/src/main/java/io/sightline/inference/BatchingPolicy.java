// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.time.Duration;

/**
 * When a free lane takes the batch that is being filled. Work-conserving: with no delay configured,
 * whatever is committed goes at once, so load alone makes batches grow and an idle system adds no
 * latency.
 *
 * @param maxBatchDelay how long the first frame of a batch may wait for company while a lane is
 *     free; zero for not at all
 */
public record BatchingPolicy(Duration maxBatchDelay) {

    /** The answer of {@link #nanosUntilDispatch} where only another event can change it. */
    public static final long UNTIL_NEXT_EVENT = Long.MAX_VALUE;

    /** Dispatch as soon as there is a frame and a free lane. */
    public static final BatchingPolicy IMMEDIATE = new BatchingPolicy(Duration.ZERO);

    /**
     * @throws IllegalArgumentException if the delay is negative
     */
    public BatchingPolicy {
        if (maxBatchDelay.isNegative()) {
            throw new IllegalArgumentException(
                    "max batch delay is " + maxBatchDelay + ", expected zero or more");
        }
    }

    /**
     * The whole decision, as a pure function of time and state.
     *
     * @param nowNanos reading of the clock that stamped {@code oldestCommitNanos}
     * @param committed frames ready in the filling batch
     * @param oldestCommitNanos when the first of them was committed; meaningless where there is
     *     none
     * @param sealRequested whether somebody waits for these frames to leave (a checkpoint barrier,
     *     the end of the input)
     * @return zero or less to dispatch now, else how many nanoseconds to wait unless something
     *     happens first
     */
    long nanosUntilDispatch(
            long nowNanos, int committed, long oldestCommitNanos, boolean sealRequested) {
        if (committed == 0) {
            return UNTIL_NEXT_EVENT;
        }
        if (sealRequested) {
            return 0;
        }
        return oldestCommitNanos + maxBatchDelay.toNanos() - nowNanos;
    }
}

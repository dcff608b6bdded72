// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.time.Duration;

/**
 * How long a transaction may have to stay open. It begins at the barrier of one checkpoint, which
 * may take until its timeout; the next one starts after that and the pause, or an interval later,
 * and may take as long. With that one it is committed, or with the first later one that succeeds; a
 * failure right before must not outlast it.
 *
 * @param interval between the starts of checkpoints
 * @param timeout of a checkpoint
 * @param pause least time between the end of a checkpoint and the start of the next
 * @param tolerableFailures checkpoints that may fail one after the other before the job does
 * @param tolerableRestart longest time from a failure until the job runs again
 */
public record CheckpointTiming(
        Duration interval,
        Duration timeout,
        Duration pause,
        int tolerableFailures,
        Duration tolerableRestart) {

    Duration longestTransaction() {
        Duration afterACheckpoint = timeout.plus(pause);
        Duration betweenStarts =
                interval.compareTo(afterACheckpoint) > 0 ? interval : afterACheckpoint;
        return betweenStarts
                .multipliedBy(1L + tolerableFailures)
                .plus(timeout)
                .plus(tolerableRestart);
    }
}

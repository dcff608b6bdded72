// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.time.Duration;

/**
 * How long a transaction may have to stay open: it begins with one checkpoint, is committed after
 * the next that succeeds, and must outlive a restart between.
 *
 * @param interval between checkpoints
 * @param timeout of a checkpoint
 * @param tolerableFailures checkpoints that may fail one after the other before the job does
 * @param tolerableRestart longest time from a failure until the job runs again
 */
public record CheckpointTiming(
        Duration interval, Duration timeout, int tolerableFailures, Duration tolerableRestart) {

    Duration longestTransaction() {
        return interval.plus(timeout).multipliedBy(1L + tolerableFailures).plus(tolerableRestart);
    }
}

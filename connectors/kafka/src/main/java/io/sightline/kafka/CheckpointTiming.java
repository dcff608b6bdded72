// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.time.Duration;

/**
 * How long a transaction may have to stay open: it begins with one checkpoint, is committed after
 * the next, and must outlive a restart between.
 *
 * @param interval between checkpoints
 * @param timeout of a checkpoint
 * @param tolerableRestart longest time from a failure until the job runs again
 */
public record CheckpointTiming(Duration interval, Duration timeout, Duration tolerableRestart) {

    Duration longestTransaction() {
        return interval.plus(timeout).plus(tolerableRestart);
    }
}

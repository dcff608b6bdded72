// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.time.Duration;
import java.util.Objects;
import org.apache.flink.connector.base.DeliveryGuarantee;

/**
 * What consumers may rely on.
 *
 * @param guarantee at least once, or exactly once
 * @param transactionalId the same across restarts of a job, different between jobs; null where
 *     nothing is transactional
 * @param transactionTimeout after which the broker gives a transaction up; null where nothing is
 *     transactional
 */
public record Delivery(
        DeliveryGuarantee guarantee, String transactionalId, Duration transactionTimeout) {

    public Delivery {
        Objects.requireNonNull(guarantee);
        if (guarantee == DeliveryGuarantee.NONE) {
            throw new IllegalArgumentException(
                    "events are delivered at least once or exactly once, not 'none'");
        }
        if (guarantee == DeliveryGuarantee.EXACTLY_ONCE) {
            // The connector aborts the open transactions whose id begins with its own prefix.
            // Ending each at a '/' that no id contains keeps job 'site' off job 'site-2'.
            if (transactionalId == null
                    || transactionalId.isBlank()
                    || transactionalId.indexOf('/') >= 0) {
                throw new IllegalArgumentException(
                        "transactional id '"
                                + transactionalId
                                + "', expected a name without '/' that no other job on this Kafka"
                                + " has");
            }
            if (transactionTimeout == null
                    || transactionTimeout.toMillis() < 1
                    || transactionTimeout.toMillis() > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        "transaction timeout "
                                + transactionTimeout
                                + ", expected 1 ms to "
                                + Integer.MAX_VALUE
                                + " ms");
            }
        }
    }

    /** After a failure some events are written again, with the same ids. */
    public static Delivery atLeastOnce() {
        return new Delivery(DeliveryGuarantee.AT_LEAST_ONCE, null, null);
    }

    /** Consumers that read committed records see each event once, after its checkpoint. */
    public static Delivery exactlyOnce(String transactionalId, Duration transactionTimeout) {
        return new Delivery(DeliveryGuarantee.EXACTLY_ONCE, transactionalId, transactionTimeout);
    }

    boolean isExactlyOnce() {
        return guarantee == DeliveryGuarantee.EXACTLY_ONCE;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.kafka.TopicPosition.At;
import io.sightline.kafka.TopicPosition.Committed;
import io.sightline.kafka.TopicPosition.Earliest;
import io.sightline.kafka.TopicPosition.Latest;
import io.sightline.kafka.TopicPosition.Offsets;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.TopicPartition;

/**
 * Turns a {@link TopicPosition} into offsets. The connector's own initializers would do, but for
 * two things: they leave {@code committed} to each reader, and they tie the place to start at to
 * what happens when retention has overtaken a restored offset. There, going on at the oldest frame
 * that is left is right for every kind of start; {@code latest} would lose all the others as well.
 */
final class PartitionOffsets implements OffsetsInitializer {

    private final TopicPosition position;
    private final boolean start;

    private PartitionOffsets(TopicPosition position, boolean start) {
        this.position = position;
        this.start = start;
    }

    static PartitionOffsets startingAt(TopicPosition position) {
        return new PartitionOffsets(position, true);
    }

    static PartitionOffsets stoppingAt(TopicPosition position) {
        return new PartitionOffsets(position, false);
    }

    @Override
    public Map<TopicPartition, Long> getPartitionOffsets(
            Collection<TopicPartition> partitions, PartitionOffsetsRetriever broker) {
        if (position instanceof Earliest) {
            return broker.beginningOffsets(partitions);
        }
        Map<TopicPartition, Long> ends = broker.endOffsets(partitions);
        if (position instanceof Latest) {
            return ends;
        }
        Map<TopicPartition, Long> offsets = new HashMap<>(ends);
        if (position instanceof Committed) {
            broker.committedOffsets(partitions).forEach((p, at) -> putKnown(offsets, p, at));
        } else if (position instanceof At at) {
            Map<TopicPartition, Long> times = new HashMap<>();
            partitions.forEach(p -> times.put(p, at.instant().toEpochMilli()));
            broker.offsetsForTimes(times)
                    .forEach((p, found) -> putKnown(offsets, p, offsetOf(found)));
        } else if (position instanceof Offsets explicit) {
            partitions.forEach(p -> offsets.put(p, explicit.byPartition().get(p.partition())));
            if (start) {
                requireHeld(offsets, broker.beginningOffsets(partitions), ends);
            }
        }
        return offsets;
    }

    @Override
    // The connector's interface still speaks in the type that Kafka has deprecated.
    @SuppressWarnings("deprecation")
    public OffsetResetStrategy getAutoOffsetResetStrategy() {
        return OffsetResetStrategy.EARLIEST;
    }

    private static Long offsetOf(OffsetAndTimestamp found) {
        return found == null ? null : found.offset();
    }

    private static void putKnown(
            Map<TopicPartition, Long> offsets, TopicPartition partition, Long offset) {
        if (offset != null && offset >= 0) {
            offsets.put(partition, offset);
        }
    }

    /** A consumer would go silently elsewhere. */
    private static void requireHeld(
            Map<TopicPartition, Long> asked,
            Map<TopicPartition, Long> first,
            Map<TopicPartition, Long> end) {
        asked.forEach(
                (partition, offset) -> {
                    if (offset < first.get(partition) || offset > end.get(partition)) {
                        throw new IllegalArgumentException(
                                "offset "
                                        + offset
                                        + " of "
                                        + partition
                                        + " is not there, the partition holds "
                                        + first.get(partition)
                                        + " up to "
                                        + end.get(partition)
                                        + ": start within, or at earliest");
                    }
                });
    }
}

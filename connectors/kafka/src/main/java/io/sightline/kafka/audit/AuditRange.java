// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.audit;

import io.sightline.kafka.TopicPosition;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;

/** The offsets of the frames' topic that are audited, and what cannot be proven of them. */
final class AuditRange {

    private final KafkaConsumer<?, ?> consumer;
    private final AuditSettings settings;
    private final Map<Integer, PartitionAccount> accounts = new TreeMap<>();
    private final List<String> unproven = new ArrayList<>();

    private AuditRange(KafkaConsumer<?, ?> consumer, AuditSettings settings) {
        this.consumer = consumer;
        this.settings = settings;
    }

    /**
     * @throws IllegalArgumentException if the topic or a partition is not there, the range is empty
     *     or contradicts itself, or it ends at an offset or a time that has not come
     * @throws org.apache.kafka.common.KafkaException if Kafka does not answer
     */
    static AuditRange find(KafkaConsumer<?, ?> consumer, AuditSettings settings) {
        AuditRange range = new AuditRange(consumer, settings);
        range.find();
        return range;
    }

    /** By partition, in ascending order, and without those that have nothing to audit. */
    Map<Integer, PartitionAccount> accounts() {
        return accounts;
    }

    /** Of which frames nothing can be said, and why. */
    List<String> unproven() {
        return unproven;
    }

    /**
     * @throws IllegalArgumentException if there is no such topic
     */
    static Set<TopicPartition> partitionsOf(KafkaConsumer<?, ?> consumer, String topic) {
        List<PartitionInfo> infos = consumer.partitionsFor(topic);
        if (infos == null || infos.isEmpty()) {
            throw new IllegalArgumentException(
                    "topic '" + topic + "' does not exist: name the topics that the job uses");
        }
        Set<TopicPartition> partitions = new HashSet<>();
        infos.forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
        return partitions;
    }

    private void find() {
        TopicPosition.stopProblem(settings.until(), Instant.now())
                .ifPresent(
                        problem -> {
                            throw new IllegalArgumentException(problem);
                        });
        TopicPosition.requireOrder(settings.from(), settings.until());
        Set<TopicPartition> partitions = partitionsOf(consumer, settings.framesTopic());
        requireKnown(settings.from(), partitions.size());
        requireKnown(settings.until(), partitions.size());
        Map<TopicPartition, Long> starts =
                offsets(settings.from(), partitions, consumer.endOffsets(partitions));
        Map<TopicPartition, Long> stops = offsets(settings.until(), partitions, Map.of());
        // Asked for last: the job and retention may have gone on meanwhile.
        Map<TopicPartition, Long> begins = consumer.beginningOffsets(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        for (TopicPartition partition : partitions) {
            Long start = starts.get(partition);
            Long stop = stops.get(partition);
            if (start != null
                    && (stop != null || settings.until() instanceof TopicPosition.Committed)) {
                findUnknownStart(
                        partition.partition(), start, begins.get(partition), ends.get(partition));
                addPartition(partition, start, stop, ends.get(partition));
            }
        }
        if (accounts.isEmpty()) {
            throw new IllegalArgumentException(
                    "nothing to audit: topic '"
                            + settings.framesTopic()
                            + "' has no offsets from "
                            + settings.from()
                            + " until "
                            + settings.until()
                            + (settings.until() instanceof TopicPosition.Committed
                                    ? " (by group '" + settings.groupId() + "')"
                                    : "")
                            + ": give --from and --until");
        }
    }

    private void requireKnown(TopicPosition position, int partitions) {
        if (position instanceof TopicPosition.Offsets offsets) {
            TopicPosition.partitionsProblem(
                            offsets.byPartition().keySet(), settings.framesTopic(), partitions)
                    .ifPresent(
                            problem -> {
                                throw new IllegalArgumentException(problem);
                            });
        }
    }

    /** What was never written would pass for offsets that hold no frame. */
    private static void requireWritten(
            TopicPartition partition, String what, long offset, long end) {
        if (offset > end) {
            throw new IllegalArgumentException(
                    "the range would "
                            + what
                            + " at offset "
                            + offset
                            + " of partition "
                            + partition.partition()
                            + ", but topic '"
                            + partition.topic()
                            + "' has it up to "
                            + end
                            + ": give an offset up to there, or latest");
        }
    }

    /** A time is looked for among the frames that are held, also where it lies before them. */
    private void findUnknownStart(int partition, long start, long begin, long end) {
        if (settings.from() instanceof TopicPosition.At && begin > 0 && start <= begin) {
            unproven.add(
                    "partition "
                            + partition
                            + ": frames from "
                            + settings.from()
                            + " on may have been deleted before offset "
                            + begin
                            + (begin < end
                                    ? ", where it begins: give a later time, or offsets"
                                    : ", and it holds none now: give offsets, and leave it out"));
        }
    }

    /**
     * @param stop null where nothing is committed
     */
    private void addPartition(TopicPartition partition, long start, Long stop, long end) {
        int number = partition.partition();
        requireWritten(partition, "start", start, end);
        if (stop != null) {
            requireWritten(partition, "end", stop, end);
        }
        if (stop != null && start < stop) {
            accounts.put(number, new PartitionAccount(number, start, stop));
        } else if (settings.until() instanceof TopicPosition.Committed) {
            findUnproven(number, start, stop, end);
        } else {
            TopicPosition.requireOrder(number, start, stop);
        }
    }

    /**
     * @param committed null where nothing is
     */
    private void findUnproven(int partition, long start, Long committed, long end) {
        boolean earliest = settings.from() instanceof TopicPosition.Earliest;
        String group = "group '" + settings.groupId() + "'";
        String defect = null;
        if (committed == null && start < end) {
            defect = group + " has committed nothing, and there are " + (end - start) + " offsets";
        } else if (earliest && (committed == null ? 0 : committed) < start) {
            long unread = start - (committed == null ? 0 : committed);
            defect = unread + " offsets were deleted before " + group + " read them";
        } else if (committed != null && committed < start && start < end) {
            defect =
                    group
                            + " has committed only "
                            + committed
                            + ", before the start of the range, and there are "
                            + (end - start)
                            + " offsets from "
                            + start
                            + " on";
        }
        if (defect != null) {
            unproven.add("partition " + partition + ": " + defect);
        }
    }

    /**
     * @param otherwise for partitions where nothing is committed; those it lacks are left out
     */
    private Map<TopicPartition, Long> offsets(
            TopicPosition position,
            Set<TopicPartition> partitions,
            Map<TopicPartition, Long> otherwise) {
        if (position instanceof TopicPosition.Earliest) {
            return consumer.beginningOffsets(partitions);
        }
        if (position instanceof TopicPosition.Latest) {
            return consumer.endOffsets(partitions);
        }
        Map<TopicPartition, Long> offsets = new HashMap<>();
        if (position instanceof TopicPosition.Committed) {
            Map<TopicPartition, OffsetAndMetadata> committed = consumer.committed(partitions);
            for (TopicPartition partition : partitions) {
                OffsetAndMetadata offset = committed.get(partition);
                Long at = offset == null ? otherwise.get(partition) : Long.valueOf(offset.offset());
                if (at != null) {
                    offsets.put(partition, at);
                }
            }
        } else if (position instanceof TopicPosition.At at) {
            Map<TopicPartition, Long> times = new HashMap<>();
            partitions.forEach(p -> times.put(p, at.instant().toEpochMilli()));
            offsets.putAll(consumer.endOffsets(partitions));
            consumer.offsetsForTimes(times)
                    .forEach(
                            (partition, found) -> {
                                if (found != null) {
                                    offsets.put(partition, found.offset());
                                }
                            });
        } else if (position instanceof TopicPosition.Offsets explicit) {
            explicit.byPartition()
                    .forEach(
                            (partition, offset) ->
                                    offsets.put(
                                            new TopicPartition(settings.framesTopic(), partition),
                                            offset));
        }
        return offsets;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.events.FrameRecord;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.KafkaSourceOptions;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumerator.PartitionOffsetsRetrieverImpl;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.kafka.clients.admin.AdminClient;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;

/**
 * The source of frames.
 *
 * <p><b>Fairness and memory.</b> A consumer empties what it fetched of one partition before it
 * turns to the next, so {@code max.partition.fetch.bytes} is the share of a turn; Kafka's default
 * of 1 MiB would be twenty frames. A record above that size still gets through, alone, when its
 * partition is first in a request. {@code max.poll.records} bounds what is handed over at once:
 * Flink keeps up to {@value #POLLS_HELD} polls (two queued, one in the fetcher's hand, one being
 * emitted), and a frame of a quiet camera stands behind all of them. Half of the memory budget is
 * for these, if every frame were of the largest size, and half for what the consumer has fetched
 * ahead: one share of each partition, so a subtask that reads more partitions than have room in it,
 * 128 by default, holds more. {@code fetch.max.bytes} bounds one request to one broker only.
 */
public final class FrameSource {

    /** Polls that are on their way between consumer and operator at a time. */
    static final int POLLS_HELD = 4;

    /** With {@value #POLLS_HELD} polls held, the most frames a flood can be ahead by: 64. */
    private static final int MAX_POLL_RECORDS = 16;

    /**
     * Partitions that are added to the topic are read, from their beginning, after at most this.
     */
    private static final Duration PARTITION_DISCOVERY = Duration.ofMinutes(1);

    private FrameSource() {}

    /**
     * Reads as the settings say, bounded where they name an end.
     *
     * @throws KafkaException if the place to start has to be asked of the broker, and it does not
     *     answer
     */
    public static KafkaSource<FrameRecord> build(FrameSourceSettings settings) {
        KafkaSourceBuilder<FrameRecord> builder =
                KafkaSource.<FrameRecord>builder()
                        .setProperties(consumerProperties(settings))
                        .setStartingOffsets(start(settings))
                        .setDeserializer(new FrameDeserializer());
        Set<TopicPartition> named = named(settings);
        if (named.isEmpty()) {
            builder.setTopics(settings.topic());
        } else {
            builder.setPartitions(named);
        }
        if (settings.until() != null) {
            builder.setBounded(PartitionOffsets.stoppingAt(settings.until()));
        }
        return builder.build();
    }

    /**
     * A position that moves is asked of the broker now, so that a job which restarts before its
     * first checkpoint starts there again: a later {@code latest} would pass over the frames
     * between.
     */
    // The connector's interface still speaks in the type that Kafka has deprecated.
    @SuppressWarnings("deprecation")
    private static OffsetsInitializer start(FrameSourceSettings settings) {
        TopicPosition from = settings.from();
        return from instanceof TopicPosition.Earliest || from instanceof TopicPosition.Offsets
                ? PartitionOffsets.startingAt(from)
                : OffsetsInitializer.offsets(startOffsets(settings), OffsetResetStrategy.EARLIEST);
    }

    private static Map<TopicPartition, Long> startOffsets(FrameSourceSettings settings) {
        try (AdminClient admin = AdminClient.create(settings.kafka().toProperties())) {
            Set<TopicPartition> named = named(settings);
            return PartitionOffsets.startingAt(settings.from())
                    .getPartitionOffsets(
                            named.isEmpty() ? all(admin, settings.topic()) : named,
                            new PartitionOffsetsRetrieverImpl(admin, settings.groupId()));
        } catch (ExecutionException e) {
            throw new KafkaException(
                    "topic " + settings.topic() + " cannot be looked at", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptException(e);
        }
    }

    /** Empty where all partitions are read. */
    private static Set<TopicPartition> named(FrameSourceSettings settings) {
        return settings.namedPartitions().stream()
                .map(partition -> new TopicPartition(settings.topic(), partition))
                .collect(Collectors.toSet());
    }

    private static Set<TopicPartition> all(AdminClient admin, String topic)
            throws ExecutionException, InterruptedException {
        return admin
                .describeTopics(List.of(topic))
                .allTopicNames()
                .get()
                .get(topic)
                .partitions()
                .stream()
                .map(info -> new TopicPartition(topic, info.partition()))
                .collect(Collectors.toSet());
    }

    static Properties consumerProperties(FrameSourceSettings settings) {
        long half = settings.memoryBytesPerSubtask() / 2;
        int fetchBytes = (int) Math.min(half, Integer.MAX_VALUE);
        long pollRecords = half / POLLS_HELD / settings.maxFrameBytes();

        Properties properties = settings.kafka().toProperties();
        properties.setProperty(ConsumerConfig.GROUP_ID_CONFIG, settings.groupId());
        properties.setProperty(
                KafkaSourceOptions.CLIENT_ID_PREFIX.key(), settings.groupId() + "-frames");
        properties.setProperty(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, Integer.toString(fetchBytes));
        properties.setProperty(
                ConsumerConfig.MAX_PARTITION_FETCH_BYTES_CONFIG,
                Integer.toString(Math.min(settings.fetchBytesPerPartition(), fetchBytes)));
        properties.setProperty(
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                Long.toString(Math.min(pollRecords, MAX_POLL_RECORDS)));
        // Costs nothing where cameras do not write in transactions, and is right where they do.
        properties.setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        // Progress is kept in checkpoints; committed offsets are for lag monitors and 'committed'.
        properties.setProperty(KafkaSourceOptions.COMMIT_OFFSETS_ON_CHECKPOINT.key(), "true");
        properties.setProperty(
                KafkaSourceOptions.PARTITION_DISCOVERY_INTERVAL_MS.key(),
                settings.namedPartitions().isEmpty()
                        ? Long.toString(PARTITION_DISCOVERY.toMillis())
                        : "-1");
        return properties;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatusCodec;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * What a running job says on its topics from now on, as a reader of committed records: its events,
 * and from the statuses what it did with each camera's frames.
 */
final class JobReader implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(100);

    /** Without a single frame more that is accounted for. */
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final String statusTopic;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final DetectionEventCodec eventCodec = new DetectionEventCodec();
    private final CameraStatusCodec statusCodec = new CameraStatusCodec();
    private final List<Event> events = new ArrayList<>();
    private final Map<String, Account> accounts = new TreeMap<>();

    /**
     * An event.
     *
     * @param captureMillis when its frame was captured
     * @param latencyMillis from there to its hand-over to the sink
     */
    record Event(String camera, long captureMillis, long latencyMillis) {}

    /** What the statuses of a camera add up to. */
    static final class Account {
        long framesIn;
        long events;
        long deadLetters;
        final Map<String, Long> dropped = new TreeMap<>();
    }

    JobReader(String bootstrapServers, String eventsTopic, String statusTopic) {
        this.statusTopic = statusTopic;
        consumer =
                new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers",
                                bootstrapServers,
                                "isolation.level",
                                "read_committed"),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer());
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : List.of(eventsTopic, statusTopic)) {
            consumer.partitionsFor(topic)
                    .forEach(info -> partitions.add(new TopicPartition(topic, info.partition())));
        }
        consumer.assign(partitions);
        consumer.seekToEnd(partitions);
        partitions.forEach(consumer::position);
    }

    /** Reads for so long. */
    void read(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            poll();
        }
    }

    private void poll() {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
            if (record.topic().equals(statusTopic)) {
                take(statusCodec.decode(record.value()));
            } else {
                DetectionEvent event = eventCodec.decode(record.value());
                events.add(
                        new Event(
                                event.cameraId(),
                                Instant.parse(event.captureTime()).toEpochMilli(),
                                event.timing().captureToEmitMs()));
            }
        }
    }

    private void take(CameraStatus status) {
        Account account =
                accounts.computeIfAbsent(
                        String.valueOf(status.cameraId()), camera -> new Account());
        account.framesIn += status.framesIn();
        account.events += status.events();
        account.deadLetters += status.deadLetters();
        status.dropped()
                .forEach((reason, count) -> account.dropped.merge(reason, count, Long::sum));
    }

    /** Those read so far. */
    List<Event> events() {
        return events;
    }

    /** By camera, of what was read so far. */
    Map<String, Account> accounts() {
        return accounts;
    }

    /** Forgets what was read, to begin with another measurement. */
    void forget() {
        events.clear();
        accounts.clear();
    }

    /**
     * Reads until the statuses account for so many frames.
     *
     * @throws IOException where they no longer come nearer to it
     */
    void awaitAccounted(long frames) throws IOException {
        long accounted = accounted();
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (accounted < frames) {
            poll();
            if (accounted() > accounted) {
                accounted = accounted();
                deadline = System.nanoTime() + PATIENCE.toNanos();
            } else if (System.nanoTime() > deadline) {
                throw new IOException(
                        "the job accounts for "
                                + accounted
                                + " of "
                                + frames
                                + " frames, and for no more since "
                                + PATIENCE.toSeconds()
                                + " s: see its log");
            }
        }
    }

    private long accounted() {
        return accounts.values().stream().mapToLong(account -> account.framesIn).sum();
    }

    @Override
    public void close() {
        consumer.close();
    }
}

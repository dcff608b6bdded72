// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** A consumer of the events topic, from its beginning, that remembers what it has read. */
final class EventReader implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final KafkaConsumer<byte[], byte[]> consumer;
    private final DetectionEventCodec codec = new DetectionEventCodec();
    private final List<DetectionEvent> events = new ArrayList<>();
    private final Set<String> ids = new HashSet<>();

    /**
     * @param isolation {@code read_committed} or {@code read_uncommitted}
     */
    EventReader(String bootstrapServers, String topic, String isolation) {
        consumer =
                new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers",
                                bootstrapServers,
                                "isolation.level",
                                isolation,
                                "auto.offset.reset",
                                "earliest"),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer());
        List<TopicPartition> partitions =
                consumer.partitionsFor(topic).stream()
                        .map(info -> new TopicPartition(topic, info.partition()))
                        .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    /** Reads until there are events of that many frames. */
    void awaitFrames(int count) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (ids.size() < count) {
            poll(Duration.ofMillis(100));
            assertThat(System.nanoTime())
                    .as("%d of %d frames have events after %s", ids.size(), count, PATIENCE)
                    .isLessThan(deadline);
        }
    }

    /** Reads until there is an event of each of the cameras' frames of that number. */
    void awaitFrame(int seq, int... cameras) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!Arrays.stream(cameras)
                .allMatch(
                        camera ->
                                events.stream()
                                        .anyMatch(
                                                event ->
                                                        event.seq() == seq
                                                                && event.cameraId()
                                                                        .equals(
                                                                                ColourFrames.camera(
                                                                                        camera))))) {
            poll(Duration.ofMillis(100));
            assertThat(System.nanoTime())
                    .as("frames %d have events after %s", seq, PATIENCE)
                    .isLessThan(deadline);
        }
    }

    /** Reads until there are events of that many frames of each camera. */
    void awaitFramesOfEach(int cameras, int count) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (framesByCamera().size() < cameras
                || framesByCamera().values().stream().anyMatch(frames -> frames < count)) {
            poll(Duration.ofMillis(100));
            assertThat(System.nanoTime())
                    .as(
                            "frames with events are %s, expected %d of each after %s",
                            framesByCamera(), count, PATIENCE)
                    .isLessThan(deadline);
        }
    }

    private Map<String, Long> framesByCamera() {
        return events.stream()
                .collect(Collectors.groupingBy(DetectionEvent::cameraId, Collectors.counting()));
    }

    /** Reads to the end as it is now, and gives all that was read, in the order of the topic. */
    List<DetectionEvent> readAll() {
        Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (ends.entrySet().stream()
                .anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
            poll(Duration.ofMillis(100));
            assertThat(System.nanoTime()).as("reading up to %s", ends).isLessThan(deadline);
        }
        return List.copyOf(events);
    }

    private void poll(Duration timeout) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(timeout)) {
            DetectionEvent event = codec.decode(record.value());
            events.add(event);
            ids.add(event.eventId());
        }
    }

    /** How many different frames have events so far. */
    int frames() {
        return ids.size();
    }

    /**
     * There is an event for each of the frames 0 to count − 1 of each camera and for no other; its
     * objects are its frame's; doubles say the same; and each camera's frames first appear in
     * order.
     *
     * @return how many events are doubles
     */
    static int assertComplete(List<DetectionEvent> events, int cameras, int count) {
        Map<String, DetectionEvent> first = new HashMap<>();
        Map<String, Long> next = new HashMap<>();
        int doubles = 0;
        for (DetectionEvent event : events) {
            DetectionEvent before = first.putIfAbsent(event.eventId(), event);
            if (before != null) {
                doubles++;
                assertThat(withoutTiming(event)).isEqualTo(withoutTiming(before));
                continue;
            }
            ColourFrames.assertShowsItsFrame(event);
            assertThat(event.seq())
                    .as("next frame of %s", event.cameraId())
                    .isEqualTo(next.getOrDefault(event.cameraId(), 0L));
            next.merge(event.cameraId(), 1L, Long::sum);
        }
        assertThat(next).hasSize(cameras).allSatisfy((id, n) -> assertThat(n).isEqualTo(count));
        return doubles;
    }

    /**
     * Of a topic of frames that more are sent to: each camera's events are those of its frames from
     * 0 on, one of each, in the order of their offsets, and of its first {@code least} frames at
     * least.
     */
    static void assertEachOnce(List<DetectionEvent> events, int cameras, int least) {
        Map<String, Long> next = new HashMap<>();
        Map<String, Long> offsets = new HashMap<>();
        Set<String> ids = new HashSet<>();
        for (DetectionEvent event : events) {
            long expected = next.getOrDefault(event.cameraId(), 0L);
            assertThat(event.seq()).as("next frame of %s", event.cameraId()).isEqualTo(expected);
            Long before = offsets.put(event.cameraId(), event.source().offset());
            assertThat(event.source().offset()).isGreaterThan(before == null ? -1 : before);
            assertThat(ids.add(event.eventId())).as("new id of %s", event).isTrue();
            ColourFrames.assertShowsItsFrame(event);
            next.put(event.cameraId(), expected + 1);
        }
        assertThat(next)
                .hasSize(cameras)
                .allSatisfy((id, n) -> assertThat(n).isGreaterThanOrEqualTo(least));
    }

    /** What has to be equal wherever the frame is the same. */
    static DetectionEvent withoutTiming(DetectionEvent event) {
        return new DetectionEvent(
                event.schema(),
                event.eventId(),
                event.cameraId(),
                event.epoch(),
                event.seq(),
                event.captureTime(),
                event.source(),
                event.image(),
                event.model(),
                event.objects(),
                null,
                event.traceparent());
    }

    @Override
    public void close() {
        consumer.close();
    }
}

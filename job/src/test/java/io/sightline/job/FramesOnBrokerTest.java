// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.camera.EncodedFrame;
import io.sightline.camera.KafkaFrameSink;
import io.sightline.job.local.EmbeddedBroker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What a replay writes, as a consumer of a real broker finds it. */
@Timeout(120)
class FramesOnBrokerTest {

    private static final int MAX_FRAME_BYTES = 1024 * 1024;

    private static EmbeddedBroker broker;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = EmbeddedBroker.start(2 * MAX_FRAME_BYTES);
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    @Test
    void shouldKeepTheContractOfTheFramesTopicAndTheOrderOfEachCamera() throws Exception {
        broker.createTopic("frames", 3, Map.of());
        int frames = 200;
        List<String> cameras = List.of("cam-1", "Tor-ä", "cam-3");
        try (KafkaFrameSink sink =
                KafkaFrameSink.connect(
                        Map.of("bootstrap.servers", broker.bootstrapServers()),
                        "frames",
                        MAX_FRAME_BYTES)) {
            for (int seq = 0; seq < frames; seq++) {
                byte[] jpeg = new byte[seq == 7 ? MAX_FRAME_BYTES : 1000];
                for (String camera : cameras) {
                    sink.accept(
                            new EncodedFrame(
                                    camera, jpeg, 1_000_000 + seq, seq, 1, seq * 512L, "1/12800"));
                }
            }
            sink.flush();
        }
        Map<String, Integer> next = new HashMap<>();
        for (ConsumerRecord<byte[], byte[]> record : read("frames", frames * cameras.size())) {
            String camera = new String(record.key(), StandardCharsets.UTF_8);
            int seq = next.merge(camera, 1, Integer::sum) - 1;
            assertThat(record.timestampType()).isEqualTo(TimestampType.CREATE_TIME);
            assertThat(record.timestamp()).isEqualTo(1_000_000 + seq);
            assertThat(record.value()).hasSize(seq == 7 ? MAX_FRAME_BYTES : 1000);
            assertThat(header(record, "seq")).isEqualTo(Integer.toString(seq));
            assertThat(header(record, "epoch")).isEqualTo("1");
            assertThat(header(record, "pts")).isEqualTo(Long.toString(seq * 512L));
            assertThat(header(record, "timebase")).isEqualTo("1/12800");
            assertThat(header(record, "content-type")).isEqualTo("image/jpeg");
        }
        assertThat(next).hasSize(3).containsKeys("cam-1", "Tor-ä", "cam-3");
        assertThat(next.values()).containsOnly(frames);
    }

    @Test
    void shouldSayThatATopicIsMissing() {
        assertThatThrownBy(
                        () ->
                                KafkaFrameSink.connect(
                                        Map.of(
                                                "bootstrap.servers",
                                                broker.bootstrapServers(),
                                                "max.block.ms",
                                                1000),
                                        "missing",
                                        MAX_FRAME_BYTES))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("frames topic missing: not to be reached at 127.0.0.1:")
                .hasMessageContaining("does the topic exist?");
    }

    @Test
    void shouldReportAFrameThatTheTopicDoesNotTake() throws Exception {
        broker.createTopic("small", 1, Map.of("max.message.bytes", "2000"));
        KafkaFrameSink sink =
                KafkaFrameSink.connect(
                        Map.of("bootstrap.servers", broker.bootstrapServers()),
                        "small",
                        MAX_FRAME_BYTES);
        sink.accept(new EncodedFrame("cam-1", new byte[5000], 1, 0, 0, 0, "1/25"));
        assertThatThrownBy(sink::flush)
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("frame 0 of camera cam-1: not delivered to topic small: ");
        assertThatThrownBy(sink::close).isInstanceOf(IOException.class);
    }

    private static List<ConsumerRecord<byte[], byte[]>> read(String topic, int count) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers",
                                broker.bootstrapServers(),
                                "group.id",
                                "reader",
                                "auto.offset.reset",
                                "earliest"),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(topic));
            while (records.size() < count) {
                consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
            }
        }
        return records;
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value(), StandardCharsets.US_ASCII);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

class KafkaFrameSinkTest {

    private static final EncodedFrame FRAME =
            new EncodedFrame("Tor-ä", new byte[] {1, 2, 3}, 1234, 7, 2, 3584, "1/12800");

    @Test
    void shouldWriteRecordsThatKeepTheContract() throws Exception {
        MockProducer<byte[], byte[]> producer = producer(true);
        KafkaFrameSink sink = new KafkaFrameSink(producer, "frames", 100);
        sink.accept(FRAME);
        sink.flush();
        sink.close();
        ProducerRecord<byte[], byte[]> record = producer.history().get(0);
        assertThat(producer.history()).hasSize(1);
        assertThat(record.topic()).isEqualTo("frames");
        assertThat(record.partition()).isNull();
        assertThat(record.timestamp()).isEqualTo(1234);
        assertThat(record.key()).isEqualTo("Tor-ä".getBytes(StandardCharsets.UTF_8));
        assertThat(record.value()).isEqualTo(new byte[] {1, 2, 3});
        Map<String, String> headers = new TreeMap<>();
        record.headers()
                .forEach(
                        header ->
                                headers.put(
                                        header.key(),
                                        new String(header.value(), StandardCharsets.US_ASCII)));
        assertThat(headers)
                .isEqualTo(
                        Map.of(
                                "content-type", "image/jpeg",
                                "seq", "7",
                                "epoch", "2",
                                "pts", "3584",
                                "timebase", "1/12800"));
    }

    @Test
    void shouldReportAnUndeliveredFrameOnTheNextCall() throws Exception {
        MockProducer<byte[], byte[]> producer = producer(false);
        KafkaFrameSink sink = new KafkaFrameSink(producer, "frames", 100);
        sink.accept(FRAME);
        producer.errorNext(new TimeoutException("no answer"));
        assertThatThrownBy(() -> sink.accept(FRAME))
                .isInstanceOf(IOException.class)
                .hasMessage("frame 7 of camera Tor-ä: not delivered to topic frames: no answer");
        assertThatThrownBy(sink::flush).hasMessageContaining("no answer");
        assertThatThrownBy(sink::close).hasMessageContaining("no answer");
        assertThat(producer.closed()).isTrue();
    }

    @Test
    void shouldRefuseFramesOverTheLimitWithTheRemedy() {
        KafkaFrameSink sink = new KafkaFrameSink(producer(true), "frames", 2);
        assertThatThrownBy(() -> sink.accept(FRAME))
                .isInstanceOf(IOException.class)
                .hasMessage(
                        "frame 7 of camera Tor-ä: 3 bytes, expected at most 2:"
                                + " raise max-frame-bytes or lower the JPEG quality");
    }

    @Test
    void shouldNotGiveUpDeliveryToGivenProperties() {
        Map<String, Object> properties =
                KafkaFrameSink.producerProperties(
                        Map.of("bootstrap.servers", "b:1", "acks", "0", "linger.ms", 50),
                        8 * 1024 * 1024);
        assertThat(properties)
                .containsEntry("bootstrap.servers", "b:1")
                .containsEntry(ProducerConfig.ACKS_CONFIG, "all")
                .containsEntry(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true)
                .containsEntry(ProducerConfig.LINGER_MS_CONFIG, 50)
                .containsEntry(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none");
        assertThat((int) properties.get(ProducerConfig.MAX_REQUEST_SIZE_CONFIG))
                .isGreaterThan(8 * 1024 * 1024);
    }

    @Test
    void shouldSayWhereItLookedForATopic() {
        assertThatThrownBy(
                        () ->
                                KafkaFrameSink.connect(
                                        Map.of(
                                                "bootstrap.servers",
                                                "127.0.0.1:1",
                                                "max.block.ms",
                                                100),
                                        "frames",
                                        100))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("frames topic frames: not to be reached at 127.0.0.1:1")
                .hasMessageNotContaining("\n");
    }

    private static MockProducer<byte[], byte[]> producer(boolean autoComplete) {
        return new MockProducer<>(
                autoComplete, null, new ByteArraySerializer(), new ByteArraySerializer());
    }
}

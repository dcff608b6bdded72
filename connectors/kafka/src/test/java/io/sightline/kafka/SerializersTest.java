// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatusCodec;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.Image;
import io.sightline.events.DetectionEvent.Model;
import io.sightline.events.DetectionEvent.Source;
import io.sightline.events.DetectionEvent.Timing;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.FrameRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.util.Collector;
import org.apache.flink.util.InstantiationUtil;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SerializersTest {

    @Test
    void shouldWriteAnEventUnderItsCameraAtItsCaptureTime() throws Exception {
        EventRecordSerializer serializer =
                InstantiationUtil.clone(new EventRecordSerializer("detections"));
        serializer.open(null, null);
        DetectionEvent event = event("Tür-1", "00-trace");

        ProducerRecord<byte[], byte[]> record = serializer.serialize(event, null, 5L);

        assertThat(record.topic()).isEqualTo("detections");
        assertThat(record.partition()).isNull();
        assertThat(record.key()).isEqualTo("Tür-1".getBytes(UTF_8));
        assertThat(record.timestamp()).isEqualTo(1_795_428_000_123L);
        assertThat(record.value()).isEqualTo(new DetectionEventCodec().encode(event));
        assertThat(texts(record))
                .containsExactly(
                        "schema=sightline.detection/1",
                        "content-type=application/json",
                        "traceparent=00-trace");
        assertThat(texts(serializer.serialize(event("c", null), null, 5L))).hasSize(2);
    }

    @Test
    void shouldWriteAStatusUnderItsCameraAtItsTime() throws Exception {
        CameraStatusRecordSerializer serializer =
                InstantiationUtil.clone(new CameraStatusRecordSerializer("camera-status"));
        serializer.open(null, null);
        CameraStatus status = status("Tür-1");

        ProducerRecord<byte[], byte[]> record = serializer.serialize(status, null, 5L);

        assertThat(record.topic()).isEqualTo("camera-status");
        assertThat(record.key()).isEqualTo("Tür-1".getBytes(UTF_8));
        assertThat(record.timestamp()).isEqualTo(1_795_428_000_123L);
        assertThat(record.value()).isEqualTo(new CameraStatusCodec().encode(status));
        assertThat(texts(record))
                .containsExactly(
                        "schema=sightline.camera-status/1", "content-type=application/json");
        assertThat(serializer.serialize(status(null), null, 5L).key()).isNull();
    }

    @ParameterizedTest
    @EnumSource(TimestampType.class)
    void shouldTakeOnlyTheProducersTimestampForCaptureTime(TimestampType type) {
        List<FrameRecord> frames = new ArrayList<>();

        new FrameDeserializer().deserialize(consumed(type, new RecordHeaders()), into(frames));

        assertThat(frames.get(0).timestampMillis())
                .isEqualTo(type == TimestampType.CREATE_TIME ? 42 : -1);
    }

    @Test
    void shouldReadARecordAsItIs() {
        RecordHeaders headers = new RecordHeaders();
        headers.add("seq", new byte[] {'7'}).add("odd", null);
        List<FrameRecord> frames = new ArrayList<>();

        new FrameDeserializer()
                .deserialize(consumed(TimestampType.CREATE_TIME, headers), into(frames));

        FrameRecord frame = frames.get(0);
        assertThat(frame.position()).isEqualTo("frames-3@991");
        assertThat(frame.key()).isNull();
        assertThat(frame.value()).isNull();
        assertThat(frame.headers()).hasSize(2);
        assertThat(frame.headers()[0].name()).isEqualTo("seq");
        assertThat(frame.headers()[0].value()).containsExactly('7');
        assertThat(frame.headers()[1].value()).isNull();
    }

    private static ConsumerRecord<byte[], byte[]> consumed(
            TimestampType type, RecordHeaders headers) {
        return new ConsumerRecord<>(
                "frames", 3, 991, 42, type, 0, 0, null, null, headers, Optional.empty());
    }

    private static Collector<FrameRecord> into(List<FrameRecord> frames) {
        return new Collector<>() {
            @Override
            public void collect(FrameRecord frame) {
                frames.add(frame);
            }

            @Override
            public void close() {}
        };
    }

    private static List<String> texts(ProducerRecord<byte[], byte[]> record) {
        List<String> texts = new ArrayList<>();
        for (Header header : record.headers()) {
            texts.add(header.key() + "=" + new String(header.value(), UTF_8));
        }
        return texts;
    }

    private static CameraStatus status(String camera) {
        return new CameraStatus(
                CameraStatus.SCHEMA,
                camera,
                "2026-11-23T10:00:00.123Z",
                1L,
                0,
                0,
                0,
                0,
                Map.of(),
                List.of(),
                null,
                null,
                null,
                null,
                new CameraStatus.ClockJumps(0, 0),
                0);
    }

    private static DetectionEvent event(String camera, String traceparent) {
        return new DetectionEvent(
                DetectionEvent.SCHEMA,
                "id",
                camera,
                1,
                null,
                "2026-11-23T10:00:00.123Z",
                new Source("t", 1, 2),
                new Image(3, 4),
                new Model("m", "sha", "int8", "fake"),
                List.of(),
                new Timing(1, 2, 3, 4, 5, 6, 7),
                traceparent);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.FrameHeaders;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * A detection event as a record: keyed by camera, so that a camera's events stay in order, and with
 * the capture time as its timestamp.
 */
final class EventRecordSerializer extends TopicSerializer<DetectionEvent> {

    private static final long serialVersionUID = 1;

    private static final byte[] SCHEMA = DetectionEvent.SCHEMA.getBytes(US_ASCII);
    private static final byte[] CONTENT_TYPE = DetectionEventCodec.CONTENT_TYPE.getBytes(US_ASCII);

    private transient DetectionEventCodec codec;

    EventRecordSerializer(String topic) {
        super(topic);
    }

    @Override
    public void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink) {
        codec = new DetectionEventCodec();
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
            DetectionEvent event, KafkaSinkContext context, Long timestamp) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(
                        topic,
                        null,
                        DetectionEventCodec.captureTimeMillis(event),
                        event.cameraId().getBytes(UTF_8),
                        codec.encode(event));
        record.headers().add(SCHEMA_HEADER, SCHEMA).add(FrameHeaders.CONTENT_TYPE, CONTENT_TYPE);
        if (event.traceparent() != null) {
            record.headers().add(FrameHeaders.TRACEPARENT, event.traceparent().getBytes(US_ASCII));
        }
        return record;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatusCodec;
import io.sightline.events.FrameHeaders;
import java.time.Instant;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A camera's status as a record, keyed by camera; that of cameras that share one has no key. */
final class CameraStatusRecordSerializer extends TopicSerializer<CameraStatus> {

    private static final long serialVersionUID = 1;

    private static final byte[] SCHEMA = CameraStatus.SCHEMA.getBytes(US_ASCII);
    private static final byte[] CONTENT_TYPE = CameraStatusCodec.CONTENT_TYPE.getBytes(US_ASCII);

    private transient CameraStatusCodec codec;

    CameraStatusRecordSerializer(String topic) {
        super(topic);
    }

    @Override
    public void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink) {
        codec = new CameraStatusCodec();
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
            CameraStatus status, KafkaSinkContext context, Long timestamp) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(
                        topic,
                        null,
                        Instant.parse(status.time()).toEpochMilli(),
                        status.cameraId() == null ? null : status.cameraId().getBytes(UTF_8),
                        codec.encode(status));
        record.headers().add(SCHEMA_HEADER, SCHEMA).add(FrameHeaders.CONTENT_TYPE, CONTENT_TYPE);
        return record;
    }
}

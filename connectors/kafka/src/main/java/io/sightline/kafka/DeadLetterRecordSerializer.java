// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.events.DeadLetter;
import io.sightline.events.DeadLetterCodec;
import io.sightline.events.FrameRecord.Header;
import org.apache.kafka.clients.producer.ProducerRecord;

/** A dead letter as a record, with the original's key and, where it had one, its timestamp. */
final class DeadLetterRecordSerializer extends TopicSerializer<DeadLetter> {

    private static final long serialVersionUID = 1;

    private final int maxValueBytes;

    DeadLetterRecordSerializer(String topic, int maxValueBytes) {
        super(topic);
        this.maxValueBytes = maxValueBytes;
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
            DeadLetter letter, KafkaSinkContext context, Long timestamp) {
        DeadLetterCodec.Encoded encoded = DeadLetterCodec.encode(letter, maxValueBytes);
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(
                        topic, null, encoded.timestampMillis(), encoded.key(), encoded.value());
        for (Header header : encoded.headers()) {
            record.headers().add(header.name(), header.value());
        }
        return record;
    }
}

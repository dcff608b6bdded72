// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.events.FrameRecord;
import io.sightline.events.FrameRecord.Header;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.record.TimestampType;

/**
 * Kafka's record as a {@link FrameRecord}. Nothing is rejected here: a defect must be able to
 * become a dead letter, and an exception in the source would stop the job at the same record for
 * ever.
 */
final class FrameDeserializer implements KafkaRecordDeserializationSchema<FrameRecord> {

    private static final long serialVersionUID = 1;

    private static final Header[] NO_HEADERS = {};
    private static final long NO_TIMESTAMP = -1;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<FrameRecord> out) {
        out.collect(
                new FrameRecord(
                        record.topic(),
                        record.partition(),
                        record.offset(),
                        // The time at which the broker got the frame is not its capture time.
                        record.timestampType() == TimestampType.CREATE_TIME
                                ? record.timestamp()
                                : NO_TIMESTAMP,
                        record.key(),
                        record.value(),
                        headers(record)));
    }

    @Override
    public TypeInformation<FrameRecord> getProducedType() {
        return TypeInformation.of(FrameRecord.class);
    }

    private static Header[] headers(ConsumerRecord<byte[], byte[]> record) {
        org.apache.kafka.common.header.Header[] theirs = record.headers().toArray();
        if (theirs.length == 0) {
            return NO_HEADERS;
        }
        Header[] ours = new Header[theirs.length];
        for (int i = 0; i < theirs.length; i++) {
            ours[i] = new Header(theirs[i].key(), theirs[i].value());
        }
        return ours;
    }
}

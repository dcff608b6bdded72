// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.events.DeadLetter;
import io.sightline.events.DeadLetterCodec;
import java.util.Properties;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.kafka.clients.producer.ProducerConfig;

/** The sink of frames that could not be analysed. */
public final class DeadLetterSink {

    private static final int LEAST_BUFFER_BYTES = 8 * 1024 * 1024;

    /** Dead letters that may wait for the broker before the job does. */
    private static final int LETTERS_BUFFERED = 4;

    private DeadLetterSink() {}

    public static KafkaSink<DeadLetter> build(SinkSettings settings) {
        return SinkFactory.build(
                settings,
                "dead-letters",
                producerProperties(settings),
                new DeadLetterRecordSerializer(
                        settings.deadLetterTopic(), settings.deadLetterMaxBytes()));
    }

    /** Longest record that a dead letter can become. */
    static int maxRecordBytes(SinkSettings settings) {
        return settings.deadLetterMaxBytes() + DeadLetterCodec.MAX_OVERHEAD_BYTES;
    }

    static Properties producerProperties(SinkSettings settings) {
        int recordBytes = maxRecordBytes(settings);
        Properties properties = SinkFactory.producerProperties(settings);
        properties.setProperty(
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(recordBytes));
        properties.setProperty(
                ProducerConfig.BUFFER_MEMORY_CONFIG,
                Long.toString(Math.max(LEAST_BUFFER_BYTES, (long) LETTERS_BUFFERED * recordBytes)));
        // Pictures are compressed already.
        properties.setProperty(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none");
        return properties;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.events.DetectionEvent;
import java.util.Properties;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.kafka.clients.producer.ProducerConfig;

/** The sink of detection events. */
public final class EventSink {

    /** Longest event: some thousands of objects. What a topic takes by default. */
    public static final int MAX_EVENT_BYTES = 1024 * 1024;

    /**
     * Holds thousands of events; Kafka's default, 32 MiB for each transaction open, is for more.
     */
    private static final int BUFFER_BYTES = 8 * 1024 * 1024;

    private EventSink() {}

    public static KafkaSink<DetectionEvent> build(SinkSettings settings) {
        return SinkFactory.build(
                settings,
                "detections",
                producerProperties(settings),
                new EventRecordSerializer(settings.eventsTopic()));
    }

    static Properties producerProperties(SinkSettings settings) {
        Properties properties = SinkFactory.producerProperties(settings);
        properties.setProperty(
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(MAX_EVENT_BYTES));
        properties.setProperty(ProducerConfig.BUFFER_MEMORY_CONFIG, Integer.toString(BUFFER_BYTES));
        // Events repeat their field names, labels and model in every line.
        properties.setProperty(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        return properties;
    }
}

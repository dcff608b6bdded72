// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.events.CameraStatus;
import java.util.Properties;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.kafka.clients.producer.ProducerConfig;

/** The sink of what became of each camera's frames. */
public final class CameraStatusSink {

    /** Longest status: some thousands of ranges of offsets. What a topic takes by default. */
    static final int MAX_STATUS_BYTES = 1024 * 1024;

    private static final int BUFFER_BYTES = 4 * 1024 * 1024;

    private CameraStatusSink() {}

    public static KafkaSink<CameraStatus> build(SinkSettings settings) {
        return SinkFactory.build(
                settings,
                "camera-status",
                producerProperties(settings),
                new CameraStatusRecordSerializer(settings.statusTopic()));
    }

    static Properties producerProperties(SinkSettings settings) {
        Properties properties = SinkFactory.producerProperties(settings);
        properties.setProperty(
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG, Integer.toString(MAX_STATUS_BYTES));
        properties.setProperty(ProducerConfig.BUFFER_MEMORY_CONFIG, Integer.toString(BUFFER_BYTES));
        properties.setProperty(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        return properties;
    }
}

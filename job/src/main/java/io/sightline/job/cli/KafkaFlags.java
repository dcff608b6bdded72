// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.job.DetectionOptions;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which brokers, and how to reach them. */
class KafkaFlags {

    @Option(
            names = "--bootstrap-servers",
            required = true,
            paramLabel = "HOST:PORT",
            description = "Kafka brokers, separated by commas.")
    String bootstrapServers;

    @Option(
            names = "--kafka-properties",
            paramLabel = "FILE",
            description =
                    "Properties for the Kafka client, such as security settings; never logged.")
    Path properties;

    /** What Kafka's clients need. */
    Map<String, Object> client() {
        return client(bootstrapServers, properties);
    }

    /**
     * What Kafka's clients need.
     *
     * @param properties file with more of it; null for none
     */
    static Map<String, Object> client(String bootstrapServers, Path properties) {
        Map<String, Object> client = new HashMap<>();
        DetectionOptions.kafkaClientProperties(properties)
                .forEach((name, value) -> client.put((String) name, value));
        client.put("bootstrap.servers", bootstrapServers);
        return client;
    }
}

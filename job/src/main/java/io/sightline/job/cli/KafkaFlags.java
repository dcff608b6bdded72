// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import java.nio.file.Path;
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
}

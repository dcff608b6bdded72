// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * Where the job writes, and what it promises.
 *
 * @param kafka where
 * @param eventsTopic for detection events
 * @param deadLetterTopic for frames that could not be analysed
 * @param statusTopic for what became of each camera's frames
 * @param deadLetterMaxBytes longest value of a dead letter; the rest is cut off
 * @param delivery what consumers may rely on
 */
public record SinkSettings(
        KafkaConnection kafka,
        String eventsTopic,
        String deadLetterTopic,
        String statusTopic,
        int deadLetterMaxBytes,
        Delivery delivery) {

    private static final int MOST_DEAD_LETTER_BYTES = 512 * 1024 * 1024;

    public SinkSettings {
        Objects.requireNonNull(kafka);
        Objects.requireNonNull(delivery);
        List<String> topics = Arrays.asList(eventsTopic, deadLetterTopic, statusTopic);
        if (topics.stream().anyMatch(topic -> topic == null || topic.isBlank())
                || Set.copyOf(topics).size() < topics.size()) {
            throw new IllegalArgumentException(
                    "events, dead-letter and camera-status topic are "
                            + topics
                            + ", expected three different names");
        }
        if (deadLetterMaxBytes < 0 || deadLetterMaxBytes > MOST_DEAD_LETTER_BYTES) {
            throw new IllegalArgumentException(
                    "dead-letter-max-bytes is "
                            + deadLetterMaxBytes
                            + ", expected 0 to "
                            + MOST_DEAD_LETTER_BYTES);
        }
    }
}

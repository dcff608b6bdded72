// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.audit;

import io.sightline.kafka.KafkaConnection;
import io.sightline.kafka.TopicPosition;
import java.time.Duration;

/**
 * What is audited.
 *
 * @param kafka where
 * @param framesTopic whose offsets must each have one answer
 * @param eventsTopic where answers are
 * @param deadLetterTopic where answers are
 * @param statusTopic where answers are: the offsets that were dropped
 * @param groupId under which the job commits, for positions that are {@code committed}
 * @param from the first offset of each partition
 * @param until the offset of each partition before which the range ends
 * @param exactlyOnce whether an answer that comes twice is an error
 * @param patience how long answers that are missing may take to appear
 */
public record AuditSettings(
        KafkaConnection kafka,
        String framesTopic,
        String eventsTopic,
        String deadLetterTopic,
        String statusTopic,
        String groupId,
        TopicPosition from,
        TopicPosition until,
        boolean exactlyOnce,
        Duration patience) {}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.kafka.TopicPosition.Committed;
import io.sightline.kafka.TopicPosition.Earliest;
import io.sightline.kafka.TopicPosition.Offsets;
import java.util.Objects;
import java.util.Set;

/**
 * What is read of the frames topic, and how much of it a subtask may hold.
 *
 * @param kafka where
 * @param topic the frames topic
 * @param groupId the consumer group under which offsets are committed
 * @param from where to start, unless a checkpoint or savepoint says it
 * @param until where to stop, null to go on for ever
 * @param maxFrameBytes the largest frame that is not rejected
 * @param fetchBytesPerPartition what one partition may deliver before the next has its turn; see
 *     {@link FrameSource}
 * @param memoryBytesPerSubtask what compressed frames between broker and operator may take on the
 *     heap of each source subtask
 */
public record FrameSourceSettings(
        KafkaConnection kafka,
        String topic,
        String groupId,
        TopicPosition from,
        TopicPosition until,
        int maxFrameBytes,
        int fetchBytesPerPartition,
        long memoryBytesPerSubtask) {

    /** About four JPEGs of 1080p, and more than one of almost any camera. */
    public static final int DEFAULT_FETCH_BYTES_PER_PARTITION = 256 * 1024;

    public static final long DEFAULT_MEMORY_BYTES_PER_SUBTASK = 64L * 1024 * 1024;

    /**
     * Least number of the largest frames that the budget must hold: one on each step of the way.
     */
    static final int LEAST_FRAMES = 2 * FrameSource.POLLS_HELD;

    /**
     * @throws IllegalArgumentException in one line, where the settings contradict each other
     */
    public FrameSourceSettings {
        Objects.requireNonNull(kafka);
        Objects.requireNonNull(from);
        requireText(topic, "the frames topic");
        requireText(groupId, "the consumer group");
        if (maxFrameBytes < 1 || fetchBytesPerPartition < 1) {
            throw new IllegalArgumentException(
                    "max-frame-bytes is "
                            + maxFrameBytes
                            + " and the fetch size "
                            + fetchBytesPerPartition
                            + ", expected at least 1 byte each");
        }
        if (memoryBytesPerSubtask < (long) LEAST_FRAMES * maxFrameBytes) {
            throw new IllegalArgumentException(
                    "a source budget of "
                            + memoryBytesPerSubtask
                            + " bytes a subtask is less than "
                            + LEAST_FRAMES
                            + " frames of max-frame-bytes = "
                            + maxFrameBytes
                            + ": raise it to "
                            + (long) LEAST_FRAMES * maxFrameBytes
                            + " or lower max-frame-bytes");
        }
        if (until instanceof Committed || until instanceof Earliest) {
            throw new IllegalArgumentException("nothing can be read until " + until);
        }
        TopicPosition.requireOrder(from, until);
    }

    /** With the default fetch size and budget, reading for ever. */
    public static FrameSourceSettings of(
            KafkaConnection kafka,
            String topic,
            String groupId,
            TopicPosition from,
            int maxFrameBytes) {
        return new FrameSourceSettings(
                kafka,
                topic,
                groupId,
                from,
                null,
                maxFrameBytes,
                DEFAULT_FETCH_BYTES_PER_PARTITION,
                Math.max(DEFAULT_MEMORY_BYTES_PER_SUBTASK, (long) LEAST_FRAMES * maxFrameBytes));
    }

    /** The partitions that explicit offsets name; empty where all are read. */
    Set<Integer> namedPartitions() {
        if (from instanceof Offsets start) {
            return start.byPartition().keySet();
        }
        return until instanceof Offsets stop ? stop.byPartition().keySet() : Set.of();
    }

    private static void requireText(String text, String name) {
        if (text == null || text.isBlank()) {
            throw new IllegalArgumentException(name + " is not given");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.audit;

import java.util.List;
import java.util.Map;

/**
 * What an audit found. {@code offsets = events + deadLetters + dropped + absent + deleted +
 * missing}, but for frames that are answered in more than one way.
 *
 * @param framesTopic the topic audited
 * @param ranges its partitions, and which offsets of them
 * @param offsets how many these are
 * @param events frames with a detection event
 * @param deadLetters frames that are dead letters
 * @param dropped frames that were given up, by reason
 * @param absent offsets that hold no frame: markers and aborted records of transactions, what
 *     compaction has removed
 * @param deleted offsets without an answer that retention had deleted before they were looked at
 * @param missing frames without an answer
 * @param missingRanges where they are; the first ones, where there are many
 * @param doubled answers beyond the first, of the same kind
 * @param answeredAndDropped frames that were both, before and after a restart
 * @param cameras what the answers of each camera come to, by its id
 * @param sumsUnknown why these were not held against what the statuses count for each camera; null
 *     where they were
 * @param problems why it does not hold, a line each; empty where it does
 */
public record AuditReport(
        String framesTopic,
        List<Range> ranges,
        long offsets,
        long events,
        long deadLetters,
        Map<String, Long> dropped,
        long absent,
        long deleted,
        long missing,
        List<Range> missingRanges,
        Doubled doubled,
        long answeredAndDropped,
        List<Camera> cameras,
        String sumsUnknown,
        List<String> problems) {

    /** Offsets from the first up to, but not including, the end. */
    public record Range(int partition, long first, long end) {}

    /** How many answers came again. */
    public record Doubled(long events, long deadLetters, long dropped) {
        long total() {
            return events + deadLetters + dropped;
        }
    }

    /**
     * A camera's frames of the range.
     *
     * @param id {@value #NONE} for records without a readable id, and for drops of cameras that the
     *     job does not tell apart
     */
    public record Camera(String id, long events, long deadLetters, long dropped) {

        static final String NONE = "(none)";

        public long frames() {
            return events + deadLetters + dropped;
        }
    }

    /** Whether each frame of the range has exactly one answer, as far as was promised. */
    public boolean holds() {
        return problems.isEmpty();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.io.Serializable;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** A place in a topic at which reading starts or stops. */
public sealed interface TopicPosition extends Serializable {

    /** What the consumer group committed, and the end for partitions where it committed nothing. */
    record Committed() implements TopicPosition {
        @Override
        public String toString() {
            return "committed";
        }
    }

    /** The end as it is when the job is submitted. */
    record Latest() implements TopicPosition {
        @Override
        public String toString() {
            return "latest";
        }
    }

    /** The oldest record that retention has left. */
    record Earliest() implements TopicPosition {
        @Override
        public String toString() {
            return "earliest";
        }
    }

    /**
     * The first record of each partition whose timestamp is at or after this instant; the end where
     * there is none.
     */
    record At(Instant instant) implements TopicPosition {
        @Override
        public String toString() {
            return instant.toString();
        }
    }

    /**
     * An offset for each partition that is read; the others are left alone.
     *
     * @param byPartition at least one
     */
    record Offsets(Map<Integer, Long> byPartition) implements TopicPosition {
        public Offsets {
            byPartition = Collections.unmodifiableMap(new TreeMap<>(byPartition));
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder();
            for (Map.Entry<Integer, Long> entry : byPartition.entrySet()) {
                text.append(text.isEmpty() ? "" : ",")
                        .append(entry.getKey())
                        .append(':')
                        .append(entry.getValue());
            }
            return text.toString();
        }
    }

    /**
     * Where to start: {@code committed}, {@code latest}, {@code earliest}, a time in ISO 8601 with
     * its zone, milliseconds since 1970, or offsets such as {@code 0:100,3:250}.
     *
     * @throws IllegalArgumentException in one line, where the text is none of these
     */
    static TopicPosition parseStart(String text) {
        return switch (text.strip()) {
            case "committed" -> new Committed();
            case "latest" -> new Latest();
            case "earliest" -> new Earliest();
            default ->
                    parse(
                            text.strip(),
                            "committed, latest, earliest, a time such as 2026-11-23T10:00:00Z or"
                                    + " milliseconds since 1970, or partition:offset pairs such as"
                                    + " 0:100,3:250");
        };
    }

    /**
     * Where to stop; the record at that place is not read. As for the start, but for {@code
     * committed} and {@code earliest}, which would read nothing.
     *
     * @throws IllegalArgumentException in one line, where the text is none of these
     */
    static TopicPosition parseStop(String text) {
        return text.strip().equals("latest")
                ? new Latest()
                : parse(
                        text.strip(),
                        "latest, a time such as 2026-11-23T10:00:00Z or milliseconds since 1970, or"
                                + " partition:offset pairs such as 0:100,3:250");
    }

    /**
     * What is wrong with a stop at a time that has not come, in one line: the end that the topic
     * has now would be taken for it.
     *
     * @param until null where nothing stops
     */
    static Optional<String> stopProblem(TopicPosition until, Instant now) {
        return until instanceof At stop && stop.instant().isAfter(now)
                ? Optional.of(
                        "the time to stop at, "
                                + stop
                                + ", lies ahead, it is "
                                + now.truncatedTo(ChronoUnit.SECONDS)
                                + ": give a time that has passed, or start when it has")
                : Optional.empty();
    }

    /**
     * @param until null where nothing stops
     * @throws IllegalArgumentException in one line, where both are offsets and these are not for
     *     the same partitions, or a stop lies before its start
     */
    static void requireOrder(TopicPosition from, TopicPosition until) {
        if (!(from instanceof Offsets start && until instanceof Offsets stop)) {
            return;
        }
        if (!start.byPartition().keySet().equals(stop.byPartition().keySet())) {
            throw new IllegalArgumentException(
                    "offsets to start at are given for partitions "
                            + start.byPartition().keySet()
                            + " and to stop at for "
                            + stop.byPartition().keySet()
                            + ", expected the same partitions");
        }
        start.byPartition()
                .forEach(
                        (partition, offset) ->
                                requireOrder(partition, offset, stop.byPartition().get(partition)));
    }

    /**
     * @throws IllegalArgumentException in one line, where the stop lies before the start
     */
    static void requireOrder(int partition, long start, long stop) {
        if (stop < start) {
            throw new IllegalArgumentException(
                    "partition "
                            + partition
                            + " would start at "
                            + start
                            + ", after its stop at "
                            + stop);
        }
    }

    /** What is wrong with offsets for partitions that the topic does not have, in one line. */
    static Optional<String> partitionsProblem(Set<Integer> named, String topic, int partitions) {
        Set<Integer> unknown = new TreeSet<>(named);
        unknown.removeIf(partition -> partition < partitions);
        return unknown.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        "offsets are given for partitions "
                                + unknown
                                + " of topic '"
                                + topic
                                + "', which has partitions 0 to "
                                + (partitions - 1)
                                + ": name only these");
    }

    private static TopicPosition parse(String text, String expected) {
        try {
            if (text.matches("[0-9]+")) {
                return new At(Instant.ofEpochMilli(Long.parseLong(text)));
            }
            if (text.matches("[0-9]+:[0-9]+(,[0-9]+:[0-9]+)*")) {
                return new Offsets(parseOffsets(text));
            }
            return new At(OffsetDateTime.parse(text).toInstant());
        } catch (DateTimeException | NumberFormatException e) {
            // A time without its zone would be another one on every machine.
            String defect =
                    text.matches("[0-9]{4}-.*") ? "no time with its zone" : "none that is known";
            throw new IllegalArgumentException(
                    "position '" + text + "' is " + defect + ", expected " + expected, e);
        }
    }

    private static Map<Integer, Long> parseOffsets(String text) {
        Map<Integer, Long> offsets = new TreeMap<>();
        for (String pair : text.split(",", -1)) {
            int colon = pair.indexOf(':');
            int partition = Integer.parseInt(pair.substring(0, colon));
            if (offsets.put(partition, Long.parseLong(pair.substring(colon + 1))) != null) {
                throw new IllegalArgumentException(
                        "position '" + text + "' names partition " + partition + " twice");
            }
        }
        return offsets;
    }
}

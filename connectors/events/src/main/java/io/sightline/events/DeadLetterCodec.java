// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import io.sightline.events.FrameRecord.Header;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * Dead letters as records of the dead-letter topic: the record as it was read, and headers that say
 * what was wrong with it. The names below are Sightline's: headers that the original carried under
 * them (it may have been a dead letter before) are replaced, so that a reader finds each once.
 *
 * <p>A record is hostile until proven otherwise, so its size is bounded in all parts. A dead letter
 * that a broker refuses would stop the job, and come again after each restart.
 */
public final class DeadLetterCodec {

    /** At which step: {@link Rejection.Stage#label()}. */
    public static final String ERROR_STAGE = "error-stage";

    /** Which defect: {@link Rejection#label()}. */
    public static final String ERROR_CLASS = "error-class";

    /** What was found and what is expected, UTF-8. */
    public static final String ERROR_MESSAGE = "error-message";

    public static final String SOURCE_TOPIC = "source-topic";
    public static final String SOURCE_PARTITION = "source-partition";
    public static final String SOURCE_OFFSET = "source-offset";

    /** Bytes of the original value; only where it was cut. */
    public static final String VALUE_TRUNCATED = "value-truncated";

    /** Bytes of the original key; only where it was cut, to {@link #MAX_KEY_BYTES}. */
    public static final String KEY_TRUNCATED = "key-truncated";

    /**
     * How many of the original headers are left out; only where together they exceed {@link
     * #MAX_HEADER_BYTES}.
     */
    public static final String HEADERS_DROPPED = "headers-dropped";

    /** Most bytes of the original key, well above the longest camera id. */
    public static final int MAX_KEY_BYTES = 1024;

    /** Most bytes of the original headers, names and values, that are kept. */
    public static final int MAX_HEADER_BYTES = 16 * 1024;

    /**
     * What a dead letter can have beside its value: key, original headers (with their length
     * fields), and ours.
     */
    public static final int MAX_OVERHEAD_BYTES = 64 * 1024;

    private static final int MAX_MESSAGE_CHARS = 1000;

    /**
     * Counted for each original header beside its text, so that many empty ones are bounded too.
     */
    private static final int HEADER_OVERHEAD_BYTES = 8;

    private static final Set<String> OURS =
            Set.of(
                    ERROR_STAGE,
                    ERROR_CLASS,
                    ERROR_MESSAGE,
                    SOURCE_TOPIC,
                    SOURCE_PARTITION,
                    SOURCE_OFFSET,
                    VALUE_TRUNCATED,
                    KEY_TRUNCATED,
                    HEADERS_DROPPED);

    private DeadLetterCodec() {}

    /**
     * A record for the dead-letter topic.
     *
     * @param timestampMillis of the original, null where it had none
     * @param key of the original, null where it had none
     * @param value of the original or its beginning, null where it had none
     * @param headers the original's, then ours
     */
    public record Encoded(Long timestampMillis, byte[] key, byte[] value, List<Header> headers) {}

    /**
     * @param letter the frame and what was wrong with it
     * @param maxValueBytes longer values are cut to this many bytes; 0 keeps none
     */
    public static Encoded encode(DeadLetter letter, int maxValueBytes) {
        if (maxValueBytes < 0) {
            throw new IllegalArgumentException(
                    "most bytes of a dead letter's value: "
                            + maxValueBytes
                            + ", expected 0 or more");
        }
        FrameRecord record = letter.record();
        List<Header> headers = new ArrayList<>(record.headers().length + OURS.size());
        int dropped = keepHeaders(record.headers(), headers);
        add(headers, ERROR_STAGE, letter.reason().stage().label());
        add(headers, ERROR_CLASS, letter.reason().label());
        add(headers, ERROR_MESSAGE, shortened(letter.message()));
        add(headers, SOURCE_TOPIC, record.topic());
        add(headers, SOURCE_PARTITION, Integer.toString(record.partition()));
        add(headers, SOURCE_OFFSET, Long.toString(record.offset()));
        byte[] value = record.value();
        if (value != null && value.length > maxValueBytes) {
            add(headers, VALUE_TRUNCATED, Integer.toString(value.length));
            value = Arrays.copyOf(value, maxValueBytes);
        }
        byte[] key = record.key();
        if (key != null && key.length > MAX_KEY_BYTES) {
            add(headers, KEY_TRUNCATED, Integer.toString(key.length));
            key = Arrays.copyOf(key, MAX_KEY_BYTES);
        }
        if (dropped > 0) {
            add(headers, HEADERS_DROPPED, Integer.toString(dropped));
        }
        return new Encoded(
                record.timestampMillis() < 0 ? null : record.timestampMillis(),
                key,
                value,
                headers);
    }

    /** Copies the original headers that fit, and returns how many did not. */
    private static int keepHeaders(Header[] originals, List<Header> kept) {
        int room = MAX_HEADER_BYTES;
        int dropped = 0;
        for (Header header : originals) {
            if (OURS.contains(header.name())) {
                continue;
            }
            int valueBytes = header.value() == null ? 0 : header.value().length;
            // UTF-8 takes up to three bytes a char.
            long bytes = 3L * header.name().length() + valueBytes + HEADER_OVERHEAD_BYTES;
            if (bytes <= room) {
                kept.add(header);
                room -= (int) bytes;
            } else {
                dropped++;
            }
        }
        return dropped;
    }

    private static void add(List<Header> headers, String name, String value) {
        headers.add(new Header(name, value.getBytes(StandardCharsets.UTF_8)));
    }

    private static String shortened(String message) {
        if (message == null) {
            return "";
        }
        return message.length() <= MAX_MESSAGE_CHARS
                ? message
                : message.substring(0, MAX_MESSAGE_CHARS) + "…";
    }
}

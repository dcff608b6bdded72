// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import io.sightline.events.FrameRecord.Header;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Reads records of the frames topic. What makes a frame unusable rejects it; an optional header
 * that cannot be read is ignored and counted. Of a header that is repeated, the last counts, as
 * with Kafka's own.
 */
public final class CameraFrameCodec {

    /** What a value is where no header says so. */
    public static final String DEFAULT_CONTENT_TYPE = "image/jpeg";

    /** Longest camera id, in bytes of UTF-8. */
    public static final int MAX_CAMERA_ID_BYTES = 255;

    /** The last millisecond that ISO 8601 writes with four digits of year. */
    private static final long MAX_TIMESTAMP_MILLIS = 253_402_300_799_999L;

    /** version, trace id, parent id, flags: {@code 00-<32 hex>-<16 hex>-<2 hex>}. */
    private static final int TRACEPARENT_LENGTH = 55;

    private static final int QUOTED_CHARS = 80;

    private CameraFrameCodec() {}

    /**
     * Checks a record against the contract of the frames topic. The picture itself is not looked
     * at.
     *
     * @param record as read
     * @param maxFrameBytes most bytes of a value
     * @return the frame; its image is the record's value, not a copy
     * @throws FrameRejectedException where the record breaks the contract; the first defect in the
     *     order key, value, timestamp, content type, size
     */
    public static CameraFrame decode(FrameRecord record, int maxFrameBytes)
            throws FrameRejectedException {
        String cameraId = cameraId(record.key());
        byte[] image = record.value();
        if (image == null || image.length == 0) {
            throw new FrameRejectedException(
                    Rejection.MISSING_VALUE,
                    "the value is "
                            + (image == null ? "null" : "empty")
                            + ", expected an encoded picture");
        }
        long timestamp = record.timestampMillis();
        if (timestamp < 0 || timestamp > MAX_TIMESTAMP_MILLIS) {
            throw new FrameRejectedException(
                    Rejection.MISSING_TIMESTAMP,
                    timestamp < 0
                            ? "the record has no capture time, expected a CreateTime timestamp in"
                                    + " milliseconds since 1970"
                            : "timestamp "
                                    + timestamp
                                    + " lies beyond the year 9999, expected milliseconds since"
                                    + " 1970");
        }

        Long seq = null;
        long epoch = 0;
        String traceparent = null;
        byte[] contentType = null;
        int malformed = 0;
        for (Header header : record.headers()) {
            byte[] value = header.value();
            switch (header.name()) {
                case FrameHeaders.SEQ -> {
                    long number = parseDigits(value, 0, length(value));
                    if (number < 0) {
                        malformed++;
                    } else {
                        seq = number;
                    }
                }
                case FrameHeaders.EPOCH -> {
                    long number = parseDigits(value, 0, length(value));
                    if (number < 0) {
                        malformed++;
                    } else {
                        epoch = number;
                    }
                }
                case FrameHeaders.TRACEPARENT -> {
                    if (isTraceparent(value)) {
                        traceparent = new String(value, StandardCharsets.US_ASCII);
                    } else {
                        malformed++;
                    }
                }
                case FrameHeaders.CONTENT_TYPE -> {
                    if (length(value) == 0) {
                        malformed++;
                    } else {
                        contentType = value;
                    }
                }
                case FrameHeaders.PTS -> malformed += isSignedNumber(value) ? 0 : 1;
                case FrameHeaders.TIMEBASE -> malformed += isFraction(value) ? 0 : 1;
                case FrameHeaders.KEYFRAME -> malformed += isBoolean(value) ? 0 : 1;
                default -> {
                    // Not ours: producers may carry what they like.
                }
            }
        }
        if (contentType != null) {
            requirePicture(contentType);
        }
        if (image.length > maxFrameBytes) {
            throw new FrameRejectedException(
                    Rejection.FRAME_TOO_LARGE,
                    "the frame has "
                            + image.length
                            + " bytes, the limit is "
                            + maxFrameBytes
                            + ": lower the camera's quality or raise max-frame-bytes");
        }
        return new CameraFrame(cameraId, image, timestamp, seq, epoch, traceparent, malformed);
    }

    /**
     * The camera that a record's key names, also where its frame is rejected; null for no camera.
     */
    public static String readableCameraId(byte[] key) {
        try {
            return cameraId(key);
        } catch (FrameRejectedException e) {
            return null;
        }
    }

    private static String cameraId(byte[] key) throws FrameRejectedException {
        if (key == null || key.length == 0) {
            throw new FrameRejectedException(
                    Rejection.MISSING_KEY,
                    "the key is " + (key == null ? "null" : "empty") + ", expected the camera id");
        }
        if (key.length > MAX_CAMERA_ID_BYTES) {
            throw new FrameRejectedException(
                    Rejection.INVALID_KEY,
                    "the key has "
                            + key.length
                            + " bytes, expected a camera id of at most "
                            + MAX_CAMERA_ID_BYTES);
        }
        if (isAscii(key)) {
            return new String(key, StandardCharsets.US_ASCII);
        }
        try {
            // A new decoder reports malformed input, where String's constructor would replace it.
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key)).toString();
        } catch (CharacterCodingException e) {
            throw new FrameRejectedException(
                    Rejection.INVALID_KEY, "the key is not UTF-8, expected the camera id in UTF-8");
        }
    }

    private static void requirePicture(byte[] contentType) throws FrameRejectedException {
        String text = new String(contentType, StandardCharsets.ISO_8859_1);
        int semicolon = text.indexOf(';');
        String type =
                (semicolon < 0 ? text : text.substring(0, semicolon))
                        .strip()
                        .toLowerCase(Locale.ROOT);
        switch (type) {
            case "image/jpeg", "image/png", "image/webp" -> {}
            case "video/h264", "video/h265" ->
                    throw new FrameRejectedException(
                            Rejection.UNSUPPORTED_CONTENT_TYPE,
                            "content-type "
                                    + type
                                    + " is not supported yet, expected image/jpeg, image/png or"
                                    + " image/webp");
            default ->
                    throw new FrameRejectedException(
                            Rejection.UNSUPPORTED_CONTENT_TYPE,
                            "content-type '"
                                    + quotable(type)
                                    + "' is unknown, expected image/jpeg, image/png or image/webp");
        }
    }

    /** Foreign text for a message: on one line, and short. */
    private static String quotable(String text) {
        StringBuilder quoted = new StringBuilder();
        for (int i = 0; i < text.length() && i < QUOTED_CHARS; i++) {
            char c = text.charAt(i);
            quoted.append(c < ' ' || c > '~' ? '?' : c);
        }
        return text.length() > QUOTED_CHARS ? quoted.append("…").toString() : quoted.toString();
    }

    private static int length(byte[] bytes) {
        return bytes == null ? 0 : bytes.length;
    }

    private static boolean isAscii(byte[] bytes) {
        for (byte b : bytes) {
            if (b < 0) {
                return false;
            }
        }
        return true;
    }

    /** The decimal number in bytes from..to, or -1 where they hold anything else. */
    private static long parseDigits(byte[] bytes, int from, int to) {
        if (from >= to) {
            return -1;
        }
        long number = 0;
        for (int i = from; i < to; i++) {
            int digit = bytes[i] - '0';
            if (digit < 0 || digit > 9 || number > (Long.MAX_VALUE - digit) / 10) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }

    private static boolean isSignedNumber(byte[] bytes) {
        int from = (length(bytes) > 0 && bytes[0] == '-') ? 1 : 0;
        return parseDigits(bytes, from, length(bytes)) >= 0;
    }

    private static boolean isFraction(byte[] bytes) {
        for (int i = 0; i < length(bytes); i++) {
            if (bytes[i] == '/') {
                return parseDigits(bytes, 0, i) > 0 && parseDigits(bytes, i + 1, bytes.length) > 0;
            }
        }
        return false;
    }

    private static boolean isBoolean(byte[] bytes) {
        if (bytes == null) {
            return false;
        }
        String text = new String(bytes, StandardCharsets.ISO_8859_1);
        return text.equals("true") || text.equals("false") || text.equals("1") || text.equals("0");
    }

    private static boolean isTraceparent(byte[] bytes) {
        if (length(bytes) != TRACEPARENT_LENGTH) {
            return false;
        }
        for (int i = 0; i < bytes.length; i++) {
            boolean separator = i == 2 || i == 35 || i == 52;
            if (separator ? bytes[i] != '-' : !isLowerHex(bytes[i])) {
                return false;
            }
        }
        return true;
    }

    private static boolean isLowerHex(byte b) {
        return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f');
    }
}

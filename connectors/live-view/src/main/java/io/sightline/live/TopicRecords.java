// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.events.CameraFrameCodec;
import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatusCodec;
import io.sightline.events.DeadLetterCodec;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.DropReason;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.live.JobStatus.DroppedFrames;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** Turns records of the topics into what the window takes. */
final class TopicRecords {

    private static final int MAX_LABEL_CHARS = 64;
    private static final int MAX_MESSAGE_CHARS = 500;
    private static final Set<String> PICTURES = Set.of("image/jpeg", "image/png", "image/webp");

    private static final Set<String> DROP_REASONS =
            Arrays.stream(DropReason.values())
                    .map(DropReason::label)
                    .collect(Collectors.toUnmodifiableSet());

    /** Of drops for a reason that a newer job may have. */
    private static final String OTHER_REASON = "other";

    private final DetectionEventCodec events = new DetectionEventCodec();
    private final CameraStatusCodec statuses = new CameraStatusCodec();
    private final String framesTopic;

    TopicRecords(String framesTopic) {
        this.framesTopic = framesTopic;
    }

    FrameRecord frameRecord(ConsumerRecord<byte[], byte[]> record) {
        Header[] headers = record.headers().toArray();
        FrameRecord.Header[] copied = new FrameRecord.Header[headers.length];
        for (int i = 0; i < headers.length; i++) {
            copied[i] = new FrameRecord.Header(headers[i].key(), headers[i].value());
        }
        return new FrameRecord(
                record.topic(),
                record.partition(),
                record.offset(),
                record.timestamp(),
                record.key(),
                record.value(),
                copied);
    }

    /** One of the picture types there are: browsers are told no other, whatever a record says. */
    static String contentType(FrameRecord record) {
        String type = CameraFrameCodec.DEFAULT_CONTENT_TYPE;
        for (FrameRecord.Header header : record.headers()) {
            if (header.name().equals(FrameHeaders.CONTENT_TYPE) && header.value() != null) {
                String text = new String(header.value(), StandardCharsets.ISO_8859_1);
                type = text.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
            }
        }
        return PICTURES.contains(type) ? type : CameraFrameCodec.DEFAULT_CONTENT_TYPE;
    }

    /** Null where it is no event, or one of frames that are not looked at. */
    Answer.Event event(ConsumerRecord<byte[], byte[]> record) {
        if (record.value() == null) {
            return null;
        }
        try {
            DetectionEvent event = events.decode(record.value());
            DetectionEvent.Source source = event.source();
            if (!framesTopic.equals(source.topic()) || !isCameraId(event.cameraId())) {
                return null;
            }
            return new Answer.Event(
                    new FrameKey(source.partition(), source.offset()),
                    event.cameraId(),
                    DetectionEventCodec.captureTimeMillis(event),
                    event.timing().captureToEmitMs(),
                    event.objects(),
                    new String(record.value(), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException | DateTimeParseException | ArithmeticException e) {
            return null;
        }
    }

    private static boolean isCameraId(String id) {
        return !id.isEmpty()
                && id.getBytes(StandardCharsets.UTF_8).length
                        <= CameraFrameCodec.MAX_CAMERA_ID_BYTES;
    }

    /** Null where it is one of frames that are not looked at. */
    Answer.DeadLetter deadLetter(ConsumerRecord<byte[], byte[]> record) {
        String topic = text(record, DeadLetterCodec.SOURCE_TOPIC, MAX_MESSAGE_CHARS);
        if (!topic.isEmpty() && !topic.equals(framesTopic)) {
            return null;
        }
        return new Answer.DeadLetter(
                source(record),
                cameraId(record.key()),
                record.timestamp() < 0 ? null : record.timestamp(),
                text(record, DeadLetterCodec.ERROR_STAGE, MAX_LABEL_CHARS),
                text(record, DeadLetterCodec.ERROR_CLASS, MAX_LABEL_CHARS),
                text(record, DeadLetterCodec.ERROR_MESSAGE, MAX_MESSAGE_CHARS));
    }

    /** Null where it is no status, or not one of a single camera whose frames are looked at. */
    JobStatus status(ConsumerRecord<byte[], byte[]> record) {
        if (record.value() == null) {
            return null;
        }
        try {
            CameraStatus status = statuses.decode(record.value());
            boolean others =
                    status.droppedOffsets().stream()
                            .anyMatch(dropped -> !dropped.topic().equals(framesTopic));
            if (status.cameraId() == null || others) {
                return null;
            }
            String silentSince = status.silentSince();
            return new JobStatus(
                    status.cameraId(),
                    status.checkpoint(),
                    Math.max(0, status.framesIn()),
                    Math.max(0, status.events()),
                    byReason(status.dropped()),
                    status.lagMillis(),
                    silentSince == null ? null : Instant.parse(silentSince).toEpochMilli(),
                    DroppedFrames.of(status.droppedOffsets()));
        } catch (IllegalArgumentException | DateTimeParseException | ArithmeticException e) {
            return null;
        }
    }

    /** One that is known, whatever a record says. */
    static String dropReason(String reason) {
        return DROP_REASONS.contains(reason) ? reason : OTHER_REASON;
    }

    private static Map<String, Long> byReason(Map<String, Long> dropped) {
        Map<String, Long> known = new TreeMap<>();
        dropped.forEach(
                (reason, frames) -> {
                    if (frames > 0) {
                        known.merge(
                                dropReason(reason), Math.min(frames, Integer.MAX_VALUE), Long::sum);
                    }
                });
        return known;
    }

    private static FrameKey source(ConsumerRecord<byte[], byte[]> record) {
        try {
            return new FrameKey(
                    Integer.parseInt(text(record, DeadLetterCodec.SOURCE_PARTITION, 20)),
                    Long.parseLong(text(record, DeadLetterCodec.SOURCE_OFFSET, 20)));
        } catch (NumberFormatException e) {
            return null;
        }
    }

    private static String cameraId(byte[] key) {
        if (key == null || key.length == 0 || key.length > CameraFrameCodec.MAX_CAMERA_ID_BYTES) {
            return null;
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(key)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    private static String text(ConsumerRecord<byte[], byte[]> record, String header, int maxChars) {
        Header found = record.headers().lastHeader(header);
        if (found == null || found.value() == null) {
            return "";
        }
        String text = new String(found.value(), StandardCharsets.UTF_8);
        return text.length() > maxChars ? text.substring(0, maxChars) + "…" : text;
    }
}

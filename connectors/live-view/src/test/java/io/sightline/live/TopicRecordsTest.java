// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DeadLetter;
import io.sightline.events.DeadLetterCodec;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.events.Rejection;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicRecordsTest {

    private static final String STATUS =
            """
            {"schema": "sightline.camera-status/1", "camera_id": "gate",
             "time": "2026-11-23T10:00:10.000Z", "checkpoint": 17, "subtask": 2,
             "frames_in": 9, "events": 3, "dead_letters": 1,
             "dropped": {"superseded": 3, "too-old": 0, "room-full": 0, "bored": 2},
             "dropped_offsets": [{"topic": "camera-frames", "partition": 0,
                                  "reason": "superseded", "ranges": [[991, 993]]}],
             "lag_ms": 31, "last_capture_time": null, "epoch": 0,
             "silent_since": "2026-11-23T10:00:00.123Z",
             "clock_jumps": {"forward": 0, "backward": 0}, "epoch_changes": 0}
            """;

    private final TopicRecords records = new TopicRecords("camera-frames");

    @ParameterizedTest
    @CsvSource({
        "image/png, image/png",
        "IMAGE/WEBP; q=1, image/webp",
        "image/jpeg, image/jpeg",
        "text/html, image/jpeg",
        "image/svg+xml, image/jpeg",
        "'', image/jpeg"
    })
    void shouldTellBrowsersOfPicturesOnly(String header, String expected) {
        FrameRecord record =
                new FrameRecord(
                        "camera-frames",
                        0,
                        0,
                        0,
                        null,
                        null,
                        new FrameHeaders().contentType(header).toArray());
        assertThat(TopicRecords.contentType(record)).isEqualTo(expected);
    }

    @Test
    void shouldTakePicturesForJpegWhereNothingSaysOtherwise() {
        FrameRecord record =
                new FrameRecord("camera-frames", 0, 0, 0, null, null, new FrameRecord.Header[0]);
        assertThat(TopicRecords.contentType(record)).isEqualTo("image/jpeg");
    }

    @Test
    void shouldReadADeadLetterAsItIsWritten() {
        FrameRecord frame =
                new FrameRecord(
                        "camera-frames",
                        3,
                        991,
                        5_000,
                        "Tor-ä".getBytes(StandardCharsets.UTF_8),
                        new byte[10],
                        new FrameRecord.Header[0]);
        DeadLetterCodec.Encoded encoded =
                DeadLetterCodec.encode(
                        new DeadLetter(frame, Rejection.TRUNCATED, "half of it is missing"), 100);
        assertThat(records.deadLetter(record(encoded)))
                .isEqualTo(
                        new Answer.DeadLetter(
                                new FrameKey(3, 991),
                                "Tor-ä",
                                5_000L,
                                "decode",
                                "truncated",
                                "half of it is missing"));
    }

    @Test
    void shouldTakeADeadLetterThatSaysNothing() {
        DeadLetterCodec.Encoded bare =
                new DeadLetterCodec.Encoded(null, new byte[] {(byte) 0xff}, null, List.of());
        assertThat(records.deadLetter(record(bare)))
                .isEqualTo(new Answer.DeadLetter(null, null, null, "", "", ""));
    }

    @Test
    void shouldCutALongMessage() {
        DeadLetterCodec.Encoded wordy =
                new DeadLetterCodec.Encoded(
                        null,
                        new byte[300],
                        null,
                        List.of(
                                new FrameRecord.Header(
                                        "error-message",
                                        "x".repeat(5_000).getBytes(StandardCharsets.UTF_8))));
        Answer.DeadLetter letter = records.deadLetter(record(wordy));
        assertThat(letter.message()).hasSizeLessThan(600);
        assertThat(letter.camera()).isNull();
    }

    @Test
    void shouldPassOverWhatIsOfOtherTopics() {
        DeadLetterCodec.Encoded other =
                new DeadLetterCodec.Encoded(
                        null,
                        null,
                        null,
                        List.of(
                                new FrameRecord.Header(
                                        "source-topic",
                                        "others".getBytes(StandardCharsets.UTF_8))));
        assertThat(records.deadLetter(record(other))).isNull();
        String json = TestFrames.json(new FrameKey(0, 1), "gate", List.of());
        assertThat(records.event(event(json))).isNotNull();
        assertThat(records.event(event(json.replace("camera-frames", "others")))).isNull();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{}", "[]", "null", "{\"schema\":\"sightline.detection/1\"}", "<"})
    void shouldPassOverWhatIsNoEvent(String json) {
        assertThat(records.event(event(json))).isNull();
    }

    /** The page's server sends events on as they are, as UTF-8. */
    @Test
    void shouldPassOverAnEventInAnotherEncoding() {
        String json = TestFrames.json(new FrameKey(0, 1), "gate", List.of());
        assertThat(records.event(event(json.getBytes(StandardCharsets.UTF_16LE)))).isNull();
        assertThat(records.event(event("\ufeff" + json))).isNull();
        assertThat(records.event(event(new byte[] {0, 0, 1, 0}))).isNull();
    }

    @Test
    void shouldPassOverAnEventOfNoTimeAndOfAnEndlessCameraId() {
        String json = TestFrames.json(new FrameKey(0, 1), "gate", List.of());
        assertThat(records.event(event(json.replaceFirst("1970-[^\"]*", "yesterday")))).isNull();
        String endless = "+999999999-01-01T00:00:00Z";
        assertThat(records.event(event(json.replaceFirst("1970-[^\"]*", endless)))).isNull();
        assertThat(records.event(event(json.replace("gate", "g".repeat(256))))).isNull();
        assertThat(records.event(event(json.replace("gate", "")))).isNull();
    }

    @Test
    void shouldReadWhatTheJobSaysOfACamera() {
        JobStatus read = records.status(status(STATUS));
        assertThat(read.camera()).isEqualTo("gate");
        assertThat(read.checkpoint()).isEqualTo(17);
        assertThat(read.framesIn()).isEqualTo(9);
        assertThat(read.events()).isEqualTo(3);
        assertThat(read.dropped()).isEqualTo(Map.of("superseded", 3L, "other", 2L));
        assertThat(read.lagMillis()).isEqualTo(31);
        assertThat(read.silentSinceMillis())
                .isEqualTo(Instant.parse("2026-11-23T10:00:00.123Z").toEpochMilli());

        String few =
                STATUS.replace("17", "null").replaceAll("31|\"2026-11-23T10:00:00.*?\"", "null");
        JobStatus less = records.status(status(few));
        assertThat(less.checkpoint()).isNull();
        assertThat(less.lagMillis()).isNull();
        assertThat(less.silentSinceMillis()).isNull();
    }

    @Test
    void shouldTellWhichFramesTheJobDropped() {
        String more =
                "[[991, 993], [1000, 1000], [5, 1]]}, {\"topic\": \"camera-frames\", \"partition\": 1,"
                        + " \"reason\": \"bored\", \"ranges\": [[0, 9223372036854775807]]}]";
        JobStatus.DroppedFrames dropped =
                records.status(status(STATUS.replace("[[991, 993]]}]", more))).droppedFrames();
        for (long offset : new long[] {991, 992, 993, 1000}) {
            assertThat(dropped.reason(new FrameKey(0, offset))).isEqualTo("superseded");
        }
        for (long offset : new long[] {0, 3, 5, 990, 994, 999, 1001}) {
            assertThat(dropped.reason(new FrameKey(0, offset))).isNull();
        }
        assertThat(dropped.reason(new FrameKey(1, 77))).isEqualTo("other");
        assertThat(dropped.reason(new FrameKey(2, 77))).isNull();
    }

    @Test
    void shouldPassOverTheStatusOfOtherFramesAndOfCamerasThatShareOne() {
        assertThat(records.status(status(STATUS.replace("camera-frames", "others")))).isNull();
        assertThat(records.status(status(STATUS.replace("\"gate\"", "null")))).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{}",
                "[]",
                "null",
                "{\"schema\":\"sightline.camera-status/1\"}",
                "{\"schema\":\"sightline.camera-status/2\"}"
            })
    void shouldPassOverWhatIsNoStatus(String json) {
        assertThat(records.status(status(json))).isNull();
    }

    @Test
    void shouldPassOverASilenceOfNoTimeAndTakeNoLessThanNothing() {
        String time = "2026-11-23T10:00:00.123Z";
        assertThat(records.status(status(STATUS.replace(time, "yesterday")))).isNull();
        assertThat(records.status(status(STATUS.replace(time, "+999999999-01-01T00:00:00Z"))))
                .isNull();
        String odd =
                STATUS.replace("\"frames_in\": 9", "\"frames_in\": -9")
                        .replace("\"events\": 3", "\"events\": -3")
                        .replace("\"superseded\": 3", "\"superseded\": -3");
        JobStatus strange = records.status(status(odd));
        assertThat(strange.framesIn()).isZero();
        assertThat(strange.events()).isZero();
        assertThat(strange.dropped()).containsOnlyKeys("other");
        assertThat(records.status(new ConsumerRecord<>("status", 0, 1, null, null))).isNull();
    }

    private static ConsumerRecord<byte[], byte[]> status(String json) {
        return new ConsumerRecord<>("status", 0, 1, null, json.getBytes(StandardCharsets.UTF_8));
    }

    private static ConsumerRecord<byte[], byte[]> event(String json) {
        return event(json.getBytes(StandardCharsets.UTF_8));
    }

    private static ConsumerRecord<byte[], byte[]> event(byte[] json) {
        return new ConsumerRecord<>("detections", 0, 1, null, json);
    }

    private static ConsumerRecord<byte[], byte[]> record(DeadLetterCodec.Encoded letter) {
        RecordHeaders headers = new RecordHeaders();
        letter.headers().forEach(header -> headers.add(header.name(), header.value()));
        return new ConsumerRecord<>(
                "dead",
                0,
                1,
                letter.timestampMillis() == null ? -1 : letter.timestampMillis(),
                TimestampType.CREATE_TIME,
                -1,
                -1,
                letter.key(),
                letter.value(),
                headers,
                Optional.empty());
    }
}

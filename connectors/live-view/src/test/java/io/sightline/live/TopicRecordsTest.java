// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DeadLetter;
import io.sightline.events.DeadLetterCodec;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.events.Rejection;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TopicRecordsTest {

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

    @Test
    void shouldPassOverAnEventOfNoTimeAndOfAnEndlessCameraId() {
        String json = TestFrames.json(new FrameKey(0, 1), "gate", List.of());
        assertThat(records.event(event(json.replaceFirst("1970-[^\"]*", "yesterday")))).isNull();
        assertThat(records.event(event(json.replace("gate", "g".repeat(256))))).isNull();
        assertThat(records.event(event(json.replace("gate", "")))).isNull();
    }

    private static ConsumerRecord<byte[], byte[]> event(String json) {
        return new ConsumerRecord<>(
                "detections", 0, 1, null, json.getBytes(StandardCharsets.UTF_8));
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

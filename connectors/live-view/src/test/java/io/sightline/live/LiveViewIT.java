// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatus.ClockJumps;
import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import io.sightline.events.CameraStatusCodec;
import io.sightline.events.DeadLetter;
import io.sightline.events.DeadLetterCodec;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.DropReason;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.events.Rejection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The live page on a real broker, as a browser hears it. */
@Timeout(180)
class LiveViewIT {

    private static final Topics TOPICS =
            new Topics("camera-frames", "detections", "camera-frames-dead-letter", "camera-status");
    private static final WindowLimits LIMITS =
            new WindowLimits(50, 16 << 20, 16, Duration.ofSeconds(2));
    private static final String HOSTILE = "gate/1 100% \"><img src=x onerror=alert(1)> ä 📷";

    @TempDir Path folder;

    private RestartableBroker broker;
    private KafkaProducer<byte[], byte[]> producer;
    private int pictures;

    @BeforeEach
    void startBroker() throws Exception {
        broker = new RestartableBroker(folder);
        producer =
                new KafkaProducer<>(
                        Map.of("bootstrap.servers", broker.servers),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
    }

    @AfterEach
    void stopBroker() {
        producer.close(Duration.ZERO);
        broker.close();
    }

    @Test
    void shouldFindTopicsThatAppearAndShowFramesWithWhatTheJobSaid() throws Exception {
        try (LiveView view = start();
                Page page = Page.open(view.uri(), true)) {
            page.message(message -> message.at("/kafka/missing_topics").size() == 3);
            broker.createTopic(TOPICS.frames(), 3);
            broker.createTopic(TOPICS.events(), 2);
            broker.createTopic(TOPICS.deadLetters(), 1);

            byte[] image = picture();
            RecordMetadata seen = frame(HOSTILE, image, "image/png");
            event(new FrameKey(seen.partition(), seen.offset()), HOSTILE, "<b>person</b>");
            Page.Frame shown = page.frame();
            assertThat(shown.camera()).isEqualTo(HOSTILE);
            assertThat(shown.image()).isEqualTo(image);
            assertThat(shown.header().get("content_type").asText()).isEqualTo("image/png");
            assertThat(shown.header().at("/event/objects/0/label").asText())
                    .isEqualTo("<b>person</b>");
            assertThat(shown.header().get("seq").asLong()).isEqualTo(pictures);

            RecordMetadata broken = frame("yard", picture(), "image/jpeg");
            deadLetter(broken, "yard");
            assertThat(page.frame().header().at("/dead_letter/reason").asText())
                    .isEqualTo("truncated");
            JsonNode letter = page.message("dead_letter");
            assertThat(letter.get("camera").asText()).isEqualTo("yard");
            assertThat(letter.get("key").asText())
                    .isEqualTo(broken.partition() + "-" + broken.offset());

            // Of one the event never comes, of another the frame.
            frame("yard", picture(), "image/jpeg");
            event(new FrameKey(0, 10_000), "street", "car");
            assertThat(page.frame().header().get("event").isNull()).isTrue();
            assertThat(page.message("event").get("camera").asText()).isEqualTo("street");

            JsonNode status = page.message("status");
            assertThat(status.at("/kafka/state").asText()).isEqualTo("connected");
            assertThat(status.at("/kafka/missing_topics")).isEmpty();
            assertThat(status.get("cameras")).hasSize(3);
            JsonNode hostile = status.at("/cameras/0");
            assertThat(hostile.get("camera").asText()).isEqualTo(HOSTILE);
            assertThat(hostile.get("frames").asInt()).isEqualTo(1);
            assertThat(hostile.get("events").asInt()).isEqualTo(1);
            assertThat(hostile.at("/latency_ms/p95").asInt()).isEqualTo(30);
            assertThat(hostile.at("/counts/<b>person<~1b>")).hasSize(60);
            assertThat(hostile.get("bucket_events")).hasSize(60);
            assertThat(status.at("/totals/dead_letters").asInt()).isEqualTo(1);
            assertThat(hostile.get("job").isNull()).isTrue();

            broker.createTopic(TOPICS.cameraStatus(), 1);
            status("yard", broken);
            JsonNode yard = page.message(each -> each.at("/cameras/2/job").isObject());
            assertThat(yard.at("/cameras/2/camera").asText()).isEqualTo("yard");
            assertThat(yard.at("/cameras/2/job/now/frames_in").asInt()).isEqualTo(5);
            assertThat(yard.at("/cameras/2/job/now/events").asInt()).isEqualTo(4);
            assertThat(yard.at("/cameras/2/job/now/dropped/too-old").asInt()).isEqualTo(1);
            assertThat(yard.at("/cameras/2/job/lag_ms").asInt()).isEqualTo(31);
            assertThat(yard.at("/cameras/2/job/silent_since_ms").isNull()).isTrue();
        }
    }

    @Test
    void shouldGoWithoutTheJobsWordWhereItMayNotBeRead() throws Exception {
        broker.restartWithAcls();
        createTopics();
        broker.createTopic(TOPICS.cameraStatus(), 1);
        broker.allowOnly(AclOperation.DESCRIBE, TOPICS.cameraStatus());
        try (LiveView view = start();
                Page page = Page.open(view.uri(), true)) {
            firstFrame(page);
            for (int i = 0; i < 2; i++) {
                JsonNode status = page.message("status");
                assertThat(status.at("/kafka/state").asText()).isEqualTo("connected");
                assertThat(status.at("/kafka/missing_topics")).isEmpty();
            }
            firstFrame(page);
        }
    }

    @Test
    void shouldBeginWithWhatIsNewAndLeaveNoTrace() throws Exception {
        createTopics();
        for (int i = 0; i < 10; i++) {
            answered("gate");
        }
        try (LiveView view = start();
                Page page = Page.open(view.uri(), true)) {
            Page.Frame first = firstFrame(page);
            assertThat(first.header().get("offset").asLong()).isGreaterThanOrEqualTo(10);
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.servers))) {
                assertThat(admin.listGroups().all().get()).isEmpty();
            }
        }
    }

    @Test
    void shouldSayThatTheBrokerIsAwayAndGoOnWhenItIsBack() throws Exception {
        createTopics();
        try (LiveView view = start();
                Page page = Page.open(view.uri(), true)) {
            firstFrame(page);
            broker.stop();
            page.message(message -> message.at("/kafka/state").asText().equals("lost"));
            try (Page second = Page.open(view.uri(), true)) {
                assertThat(second.message("hello").at("/kafka/state").asText()).isEqualTo("lost");
                assertThat(second.frame().camera()).isEqualTo("gate");
            }
            broker.start();
            page.message(message -> message.at("/kafka/state").asText().equals("connected"));
            while (page.framesWaiting() > 0) {
                page.frame();
            }
            RecordMetadata sent = answered("gate");
            Page.Frame frame;
            do {
                frame = page.frame();
            } while (frame.header().get("offset").asLong() < sent.offset());
            assertThat(frame.header().get("offset").asLong()).isEqualTo(sent.offset());
        }
    }

    @Test
    void shouldStartBeforeThereIsABroker() throws Exception {
        broker.stop();
        try (LiveView view = start();
                Page page = Page.open(view.uri(), true)) {
            assertThat(page.message("status").at("/kafka/state").asText()).isEqualTo("connecting");
            broker.start();
            page.message(message -> message.at("/kafka/state").asText().equals("connected"));
        }
    }

    private LiveView start() throws Exception {
        return LiveView.start(
                Map.of("bootstrap.servers", broker.servers, "group.id", "not-to-be-used"),
                TOPICS,
                LIMITS,
                HttpEndpoint.loopback(0));
    }

    private void createTopics() throws Exception {
        broker.createTopic(TOPICS.frames(), 1);
        broker.createTopic(TOPICS.events(), 1);
        broker.createTopic(TOPICS.deadLetters(), 1);
    }

    /** What is written before the reader has found its place is not read: writes until it has. */
    private Page.Frame firstFrame(Page page) throws Exception {
        while (page.framesWaiting() == 0) {
            answered("gate");
            Thread.sleep(50);
        }
        return page.frame();
    }

    private RecordMetadata answered(String camera) throws Exception {
        RecordMetadata frame = frame(camera, picture(), "image/jpeg");
        event(new FrameKey(frame.partition(), frame.offset()), camera, "person");
        return frame;
    }

    private byte[] picture() {
        return ("picture " + ++pictures).getBytes(StandardCharsets.UTF_8);
    }

    private RecordMetadata frame(String camera, byte[] image, String type) throws Exception {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(TOPICS.frames(), bytes(camera), image);
        for (FrameRecord.Header header :
                new FrameHeaders().seq(pictures).contentType(type).toArray()) {
            record.headers().add(header.name(), header.value());
        }
        return producer.send(record).get();
    }

    private void event(FrameKey key, String camera, String label) throws Exception {
        DetectedObject object = new DetectedObject(0, label, 0.9, new BoundingBox(1, 2, 3, 4));
        String json = TestFrames.json(key, camera, List.of(object));
        producer.send(new ProducerRecord<>(TOPICS.events(), bytes(camera), bytes(json))).get();
    }

    private void deadLetter(RecordMetadata frame, String camera) throws Exception {
        FrameRecord record =
                new FrameRecord(
                        frame.topic(),
                        frame.partition(),
                        frame.offset(),
                        frame.timestamp(),
                        bytes(camera),
                        new byte[10],
                        new FrameRecord.Header[0]);
        DeadLetterCodec.Encoded letter =
                DeadLetterCodec.encode(
                        new DeadLetter(record, Rejection.TRUNCATED, "half is missing"), 100);
        ProducerRecord<byte[], byte[]> sent =
                new ProducerRecord<>(
                        TOPICS.deadLetters(),
                        null,
                        letter.timestampMillis(),
                        letter.key(),
                        letter.value());
        letter.headers().forEach(header -> sent.headers().add(header.name(), header.value()));
        producer.send(sent).get();
    }

    /** One frame was too old, four had events. */
    private void status(String camera, RecordMetadata dropped) throws Exception {
        String time = DetectionEventCodec.formatTime(1_000_000);
        String reason = DropReason.TOO_OLD.label();
        CameraStatus status =
                new CameraStatus(
                        CameraStatus.SCHEMA,
                        camera,
                        time,
                        1L,
                        0,
                        5,
                        4,
                        0,
                        Map.of(reason, 1L),
                        List.of(
                                new DroppedOffsets(
                                        dropped.topic(),
                                        dropped.partition(),
                                        reason,
                                        List.of(
                                                new OffsetRange(
                                                        dropped.offset(), dropped.offset())))),
                        31L,
                        time,
                        0L,
                        null,
                        new ClockJumps(0, 0),
                        0);
        byte[] json = new CameraStatusCodec().encode(status);
        producer.send(new ProducerRecord<>(TOPICS.cameraStatus(), bytes(camera), json)).get();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}

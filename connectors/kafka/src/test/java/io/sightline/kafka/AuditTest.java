// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatus.ClockJumps;
import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import io.sightline.events.CameraStatusCodec;
import io.sightline.events.DeadLetter;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.Image;
import io.sightline.events.DetectionEvent.Model;
import io.sightline.events.DetectionEvent.Source;
import io.sightline.events.DetectionEvent.Timing;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.EventId;
import io.sightline.events.FrameRecord;
import io.sightline.events.Rejection;
import io.sightline.kafka.audit.Audit;
import io.sightline.kafka.audit.AuditReport;
import io.sightline.kafka.audit.AuditReport.Doubled;
import io.sightline.kafka.audit.AuditReport.Range;
import io.sightline.kafka.audit.AuditSettings;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(120)
class AuditTest {

    private static final String SHA = "0123456789abcdef".repeat(4);
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private static KafkaConnection kafka;
    private static KafkaProducer<byte[], byte[]> sender;

    private final String frames = "audit-" + NUMBER.incrementAndGet();

    // Brokers refuse times ahead of their clock, and delete what is older than their retention.
    private final String anHourAgo =
            Instant.now().truncatedTo(ChronoUnit.MILLIS).minusSeconds(3600).toString();

    @BeforeAll
    static void start() throws Exception {
        kafka = KafkaConnection.of(TestBroker.start().servers());
        sender = producer(Map.of());
    }

    @AfterAll
    static void close() {
        sender.close();
    }

    @BeforeEach
    void createTopics() throws Exception {
        try (Admin admin = Admin.create(kafka.toProperties())) {
            admin.createTopics(
                            List.of(
                                    new NewTopic(frames, 2, (short) 1),
                                    new NewTopic(frames + "-events", 1, (short) 1),
                                    new NewTopic(frames + "-letters", 1, (short) 1),
                                    new NewTopic(frames + "-status", 1, (short) 1)))
                    .all()
                    .get();
        }
    }

    private AuditReport audit(String from, String until, boolean exactlyOnce) throws Exception {
        try (Audit audit =
                new Audit(
                        new AuditSettings(
                                kafka,
                                frames,
                                frames + "-events",
                                frames + "-letters",
                                frames + "-status",
                                frames,
                                TopicPosition.parseStart(from),
                                TopicPosition.parseStart(until),
                                exactlyOnce,
                                Duration.ZERO),
                        (topic, done, total) -> {})) {
            return audit.run();
        }
    }

    private static KafkaProducer<byte[], byte[]> producer(Map<String, Object> more) {
        Map<String, Object> properties = new HashMap<>(more);
        properties.put("bootstrap.servers", kafka.bootstrapServers());
        return new KafkaProducer<>(
                properties, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private static void send(List<ProducerRecord<byte[], byte[]>> records) throws Exception {
        List<Future<?>> sent = new ArrayList<>();
        records.forEach(record -> sent.add(sender.send(record)));
        for (Future<?> future : sent) {
            future.get();
        }
    }

    private void sendFrames(int partition, int count) throws Exception {
        send(Collections.nCopies(count, frame(partition)));
    }

    private ProducerRecord<byte[], byte[]> frame(int partition) {
        return new ProducerRecord<>(frames, partition, new byte[] {'c'}, new byte[] {1});
    }

    private ProducerRecord<byte[], byte[]> frame(int partition, long captured) {
        return new ProducerRecord<>(
                frames, partition, captured, new byte[] {'c'}, new byte[] {1}, null);
    }

    private ProducerRecord<byte[], byte[]> event(int partition, long offset, String sha) {
        DetectionEvent event =
                new DetectionEvent(
                        DetectionEvent.SCHEMA,
                        EventId.of(frames, partition, offset, sha),
                        "c",
                        0,
                        null,
                        DetectionEventCodec.formatTime(0),
                        new Source(frames, partition, offset),
                        new Image(1, 1),
                        new Model("m", sha, "fp32", "none"),
                        List.of(),
                        new Timing(0, 0, 0, 0, 0, 1, 0),
                        null);
        return new ProducerRecord<>(frames + "-events", new DetectionEventCodec().encode(event));
    }

    private ProducerRecord<byte[], byte[]> letter(int partition, long offset) {
        return new DeadLetterRecordSerializer(frames + "-letters", 10)
                .serialize(
                        new DeadLetter(
                                new FrameRecord(
                                        frames,
                                        partition,
                                        offset,
                                        0,
                                        null,
                                        null,
                                        new FrameRecord.Header[0]),
                                Rejection.MISSING_KEY,
                                "no key"),
                        null,
                        null);
    }

    /** Of frames dropped from the first to the last offset, or a count that does not match. */
    private ProducerRecord<byte[], byte[]> status(
            int partition, long first, long last, long counted) {
        CameraStatus status =
                new CameraStatus(
                        CameraStatus.SCHEMA,
                        "c",
                        DetectionEventCodec.formatTime(0),
                        1L,
                        0,
                        counted,
                        0,
                        0,
                        Map.of("superseded", counted),
                        List.of(
                                new DroppedOffsets(
                                        frames,
                                        partition,
                                        "superseded",
                                        List.of(new OffsetRange(first, last)))),
                        null,
                        null,
                        null,
                        null,
                        new ClockJumps(0, 0),
                        0);
        return new ProducerRecord<>(frames + "-status", new CameraStatusCodec().encode(status));
    }

    private ProducerRecord<byte[], byte[]> status(int partition, long first, long last) {
        return status(partition, first, last, last - first + 1);
    }

    /** What a camera's status counts beside drops; null for the one that cameras share. */
    private ProducerRecord<byte[], byte[]> counts(String camera, long events, long letters) {
        CameraStatus status =
                new CameraStatus(
                        CameraStatus.SCHEMA,
                        camera,
                        DetectionEventCodec.formatTime(0),
                        1L,
                        0,
                        events + letters,
                        events,
                        letters,
                        Map.of(),
                        List.of(),
                        null,
                        null,
                        null,
                        null,
                        new ClockJumps(0, 0),
                        0);
        return new ProducerRecord<>(frames + "-status", new CameraStatusCodec().encode(status));
    }

    @Test
    void shouldHoldEachCamerasAnswersAgainstWhatItsStatusesCount() throws Exception {
        sendFrames(0, 7);
        send(
                List.of(
                        event(0, 0, SHA),
                        event(0, 1, SHA),
                        letter(0, 2),
                        status(0, 3, 6),
                        counts("c", 1, 0),
                        counts("c", 1, 0),
                        counts(null, 0, 1)));
        AuditReport report = audit("earliest", "latest", true);
        assertThat(report.problems()).isEmpty();
        assertThat(report.sumsUnknown()).isNull();
        assertThat(report.cameras())
                .containsExactly(
                        new AuditReport.Camera("(none)", 0, 1, 0),
                        new AuditReport.Camera("c", 2, 0, 4));
        assertThat(report.cameras().get(1).frames()).isEqualTo(6);

        send(List.of(counts("c", 1, 2)));
        assertThat(audit("earliest", "latest", true).problems())
                .containsExactly(
                        "the statuses of camera 'c' count 3 events, the topic has 2",
                        "the statuses of camera 'c' count 2 dead letters, the topic has 0");
        assertThat(audit("earliest", "latest", false).sumsUnknown()).contains("exactly-once");
        assertThat(audit("0:0", "0:7", true).sumsUnknown())
                .isEqualTo("the range does not start with the topic");
    }

    @Test
    void shouldFindAnswersThatNoStatusCounts() throws Exception {
        sendFrames(0, 2);
        send(List.of(event(0, 0, SHA), event(0, 1, SHA), counts("c", 1, 0)));
        assertThat(audit("earliest", "latest", true).problems())
                .containsExactly(
                        "1 events are beyond what the statuses of their cameras count, the status"
                                + " that cameras share counts 0");
        // Of a camera that was not told apart before, or after, a restart.
        send(List.of(counts(null, 1, 0)));
        assertThat(audit("earliest", "latest", true).problems()).isEmpty();
    }

    @Test
    void shouldHoldWhereEachFrameIsAnsweredAndTellWhatIsNoFrame() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                producer(Map.of("transactional.id", frames))) {
            producer.initTransactions();
            // Offsets 0 and 1, a marker; 3 and 4 aborted, a marker; 6 to 9, a marker.
            transaction(producer, 2, true);
            transaction(producer, 2, false);
            transaction(producer, 4, true);
        }
        sendFrames(1, 2);
        send(
                List.of(
                        event(0, 0, SHA),
                        event(0, 1, SHA),
                        letter(0, 6),
                        status(0, 7, 9),
                        event(1, 0, SHA),
                        event(1, 1, SHA),
                        // Beyond the range, and of another topic's job.
                        event(1, 7, SHA),
                        new ProducerRecord<>(
                                frames + "-events",
                                new String(event(0, 0, SHA).value(), UTF_8)
                                        .replace(frames, "another")
                                        .getBytes(UTF_8))));

        AuditReport report = audit("earliest", "latest", true);

        assertThat(report.problems()).isEmpty();
        assertThat(report.sumsUnknown()).contains("topic 'another'");
        assertThat(report.ranges()).containsExactly(new Range(0, 0, 11), new Range(1, 0, 2));
        assertThat(report.offsets()).isEqualTo(13);
        assertThat(report.events()).isEqualTo(4);
        assertThat(report.deadLetters()).isEqualTo(1);
        assertThat(report.dropped()).containsExactly(Map.entry("superseded", 3L));
        assertThat(report.absent()).isEqualTo(5);
        assertThat(report.missing()).isZero();
    }

    private void transaction(KafkaProducer<byte[], byte[]> producer, int count, boolean commit)
            throws Exception {
        producer.beginTransaction();
        for (int i = 0; i < count; i++) {
            producer.send(frame(0)).get();
        }
        if (commit) {
            producer.commitTransaction();
        } else {
            producer.abortTransaction();
        }
    }

    @Test
    void shouldNotHoldUntilATimeThatHasNotCome() throws Exception {
        sendFrames(0, 1);
        send(List.of(event(0, 0, SHA)));

        assertThatThrownBy(() -> audit("earliest", "2999-01-01T00:00:00Z", false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("lies ahead");
    }

    @Test
    void shouldNameRecordsThatNoJobWrites() throws Exception {
        sendFrames(0, 1);
        String good = new String(event(0, 0, SHA).value(), UTF_8);
        String drop = new String(status(1, 0, 0).value(), UTF_8);
        send(
                List.of(
                        event(0, 0, SHA),
                        new ProducerRecord<>(frames + "-events", new byte[] {0, 0, 1, 0}),
                        new ProducerRecord<>(frames + "-events", null),
                        new ProducerRecord<>(
                                frames + "-events",
                                good.replace('"' + frames + '"', "null").getBytes(UTF_8)),
                        new ProducerRecord<>(
                                frames + "-events",
                                good.replace('"' + SHA + '"', "null").getBytes(UTF_8)),
                        new ProducerRecord<>(
                                frames + "-status",
                                drop.replace("\"superseded\":1", "\"superseded\":null")
                                        .getBytes(UTF_8))));

        List<String> problems = audit("earliest", "latest", false).problems();

        assertThat(problems)
                .hasSize(6)
                .contains("5 records are not as they should be")
                .anyMatch(p -> p.contains("-events-0@1: no sightline.detection/1 event"))
                .anyMatch(p -> p.contains("-events-0@2: ") && p.contains("the value is null"))
                .anyMatch(p -> p.contains("-events-0@3: ") && p.contains("topic of source"))
                .anyMatch(p -> p.contains("-events-0@4: ") && p.contains("sha256 of model"))
                .anyMatch(p -> p.contains("-status-0@0: ") && p.contains("superseded of dropped"));
    }

    @Test
    void shouldNameTheFramesThatHaveNoAnswer() throws Exception {
        sendFrames(0, 10);
        send(List.of(event(0, 0, SHA), letter(0, 3), status(0, 6, 8)));

        AuditReport report = audit("earliest", "latest", false);

        assertThat(report.missing()).isEqualTo(5);
        assertThat(report.missingRanges())
                .containsExactly(new Range(0, 1, 3), new Range(0, 4, 6), new Range(0, 9, 10));
        assertThat(report.problems()).containsExactly("5 frames have no answer");
        assertThat(report.holds()).isFalse();
        assertThat(audit("0:6", "0:9", true).holds()).isTrue();
    }

    @Test
    void shouldTakeAnswersThatComeAgainForErrorsOnlyUnderExactlyOnce() throws Exception {
        sendFrames(0, 3);
        send(
                List.of(
                        event(0, 0, SHA),
                        event(0, 0, SHA),
                        letter(0, 1),
                        letter(0, 1),
                        status(0, 2, 2),
                        status(0, 2, 2),
                        // Decided anew after a restart.
                        event(0, 2, SHA),
                        counts("c", 3, 0),
                        counts(null, 0, 2)));

        AuditReport lenient = audit("earliest", "latest", false);
        assertThat(lenient.problems()).isEmpty();
        assertThat(lenient.doubled()).isEqualTo(new Doubled(1, 1, 1));
        assertThat(lenient.answeredAndDropped()).isEqualTo(1);

        assertThat(audit("earliest", "latest", true).problems())
                .hasSize(2)
                .anyMatch(problem -> problem.startsWith("3 answers came again"))
                .anyMatch(problem -> problem.startsWith("1 frames were both answered and dropped"));
    }

    @Test
    void shouldNotTakeContradictionsForDoubles() throws Exception {
        sendFrames(0, 2);
        send(
                List.of(
                        event(0, 0, SHA),
                        letter(0, 0),
                        event(0, 1, SHA),
                        event(0, 1, SHA.replace('0', '1')),
                        status(0, 5, 6, 3),
                        new ProducerRecord<>(frames + "-letters", new byte[] {1}),
                        new ProducerRecord<>(frames + "-events", new byte[] {'{'})));

        AuditReport report = audit("earliest", "latest", false);

        assertThat(report.problems())
                .hasSize(6)
                .contains("1 frames have both an event and a dead letter")
                .contains("1 events are of frames that another model has an event for as well")
                .contains("3 records are not as they should be")
                .anyMatch(problem -> problem.contains("the status does not add up"))
                .anyMatch(problem -> problem.contains("no sightline.detection/1 event"))
                .anyMatch(problem -> problem.contains("header source-topic is missing"));
    }

    @Test
    void shouldAuditWhatTheJobHasCommitted() throws Exception {
        sendFrames(0, 5);
        send(List.of(event(0, 0, SHA), event(0, 1, SHA), counts("c", 2, 0)));
        assertThatThrownBy(() -> audit("earliest", "committed", false))
                .hasMessageStartingWith("nothing to audit: topic '" + frames + "'")
                .hasMessageContaining("by group '" + frames + "'");
        commit(0, 2);

        AuditReport report = audit("earliest", "committed", true);

        assertThat(report.ranges()).containsExactly(new Range(0, 0, 2));
        assertThat(report.holds()).isTrue();
        assertThat(audit("earliest", "latest", true).missing()).isEqualTo(3);
    }

    @Test
    void shouldNotHoldOverPartitionsThatTheJobHasNotGotTo() throws Exception {
        sendFrames(0, 2);
        sendFrames(1, 5);
        send(List.of(event(0, 0, SHA), event(0, 1, SHA), counts("c", 2, 0)));
        commit(0, 2);
        assertThat(audit("earliest", "committed", true).problems())
                .containsExactly(
                        "partition 1: group '"
                                + frames
                                + "' has committed nothing, and there are 5 offsets");

        commit(1, 1);
        deleteBefore(1, 4);
        assertThat(audit("earliest", "committed", true).problems())
                .containsExactly(
                        "partition 1: 3 offsets were deleted before group '"
                                + frames
                                + "' read them");
    }

    @Test
    void shouldNotHoldOverPartitionsThatAreCommittedBeforeTheRangeOnly() throws Exception {
        long begin = Instant.parse(anHourAgo).toEpochMilli();
        for (int partition = 0; partition < 2; partition++) {
            send(List.of(frame(partition, begin - 2), frame(partition, begin - 1)));
            send(List.of(frame(partition, begin), frame(partition, begin + 1)));
        }
        send(List.of(event(0, 2, SHA), event(0, 3, SHA)));
        commit(0, 4);
        commit(1, 1);
        String problem =
                "partition 1: group '"
                        + frames
                        + "' has committed only 1, before the start of the range, and there are 2"
                        + " offsets from 2 on";

        assertThat(audit(anHourAgo, "committed", true).problems()).containsExactly(problem);
        assertThat(audit("0:2,1:2", "committed", true).problems()).containsExactly(problem);
        assertThat(audit("0:2", "committed", true).problems()).isEmpty();

        commit(1, 2);
        deleteBefore(1, 3);
        assertThat(audit("0:2,1:3", "committed", true).problems())
                .containsExactly(
                        "partition 1: group '"
                                + frames
                                + "' has committed only 2, before the start of the range, and there"
                                + " are 1 offsets from 3 on");
    }

    @Test
    void shouldNotHoldOverAPartitionThatWasEmptiedBeforeAnythingWasCommitted() throws Exception {
        sendFrames(0, 1);
        sendFrames(1, 3);
        send(List.of(event(0, 0, SHA)));
        commit(0, 1);
        deleteBefore(1, 3);

        assertThat(audit("earliest", "committed", false).problems())
                .containsExactly(
                        "partition 1: 3 offsets were deleted before group '"
                                + frames
                                + "' read them");
    }

    @Test
    void shouldProveNothingOfOffsetsThatWereDeletedWithoutAnAnswer() throws Exception {
        sendFrames(0, 10);
        send(List.of(event(0, 0, SHA), event(0, 1, SHA), event(0, 3, SHA)));
        send(List.of(event(0, 8, SHA), event(0, 9, SHA)));
        commit(0, 10);
        deleteBefore(0, 8);

        AuditReport report = audit("0:0", "committed", false);

        assertThat(report.deleted()).isEqualTo(5);
        assertThat(report.absent()).isZero();
        assertThat(report.missing()).isZero();
        assertThat(report.problems())
                .containsExactly(
                        "partition 0: of the offsets before 8, where it begins now, 5 have no answer"
                                + " and can no longer be read: nothing is proven of them; start at 8"
                                + " for what is left");
        assertThat(audit("0:0", "0:2", false).holds()).isTrue();
        assertThat(audit("0:8", "committed", false).holds()).isTrue();
    }

    @Test
    void shouldNotHoldFromATimeBeforeWhatRetentionHasLeft() throws Exception {
        long begin = Instant.parse(anHourAgo).toEpochMilli();
        send(List.of(frame(0, begin), frame(0, begin + 1), frame(0, begin + 2000)));
        send(List.of(event(0, 0, SHA), event(0, 2, SHA)));
        assertThat(audit(anHourAgo, "latest", false).missing()).isEqualTo(1);

        deleteBefore(0, 2);

        assertThat(audit(anHourAgo, "latest", false).problems())
                .containsExactly(
                        "partition 0: frames from "
                                + anHourAgo
                                + " on may have been deleted before offset 2, where it begins: give a"
                                + " later time, or offsets");
        assertThat(audit("0:2", "latest", false).holds()).isTrue();

        deleteBefore(0, 3);
        send(List.of(frame(1, begin), event(1, 0, SHA)));
        assertThat(audit(anHourAgo, "latest", false).problems())
                .containsExactly(
                        "partition 0: frames from "
                                + anHourAgo
                                + " on may have been deleted before offset 3, and it holds none now:"
                                + " give offsets, and leave it out");
        assertThat(audit("1:0", "latest", false).holds()).isTrue();
    }

    @Test
    void shouldNotTakeWhatCompactionDeletesForNoFrame() throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                producer(Map.of("transactional.id", frames))) {
            producer.initTransactions();
            transaction(producer, 1, true);
        }
        send(List.of(event(0, 0, SHA)));
        assertThat(audit("earliest", "latest", false).problems()).isEmpty();
        try (Admin admin = Admin.create(kafka.toProperties())) {
            admin.incrementalAlterConfigs(
                            Map.of(
                                    new ConfigResource(ConfigResource.Type.TOPIC, frames),
                                    List.of(
                                            new AlterConfigOp(
                                                    new ConfigEntry("cleanup.policy", "compact"),
                                                    AlterConfigOp.OpType.SET))))
                    .all()
                    .get();
        }

        // The gap is a marker; nobody can tell it from a frame that was compacted away.
        assertThat(audit("earliest", "latest", false).problems())
                .singleElement()
                .asString()
                .startsWith("topic '" + frames + "': 1 offsets hold no frame")
                .contains("cleanup.policy=compact");
        assertThat(audit("0:0", "0:1", false).holds()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0:0 | 0:1000000 | would end at offset 1000000 of partition 0,",
                "0:4 | latest | would start at offset 4 of partition 0,",
                "0:4 | committed | would start at offset 4 of partition 0,",
                "earliest | committed | would end at offset 9 of partition 1,",
                "0:0,1:0 | 0:2 | for partitions [0, 1] and to stop at for [0], expected the same",
                "0:2 | 0:1 | partition 0 would start at 2, after its stop at 1",
                "0:2,1:0 | 1970-01-01T00:00:00Z | partition 0 would start at 2, after its stop at 0",
                "0:0,7:0 | committed | partitions [7] of topic",
                "earliest | 0:1,7:1 | partitions [7] of topic"
            })
    void shouldRefuseRangesThatAreNotThere(String from, String until, String problem)
            throws Exception {
        sendFrames(0, 3);
        sendFrames(1, 3);
        for (int partition = 0; partition < 2; partition++) {
            send(List.of(event(partition, 0, SHA), event(partition, 1, SHA)));
            send(List.of(event(partition, 2, SHA)));
        }
        commit(0, 3);
        commit(1, 9);

        assertThatThrownBy(() -> audit(from, until, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(problem);
    }

    private void commit(int partition, long offset) throws Exception {
        try (Admin admin = Admin.create(kafka.toProperties())) {
            admin.alterConsumerGroupOffsets(
                            frames,
                            Map.of(
                                    new TopicPartition(frames, partition),
                                    new OffsetAndMetadata(offset)))
                    .all()
                    .get();
        }
    }

    private void deleteBefore(int partition, long offset) throws Exception {
        try (Admin admin = Admin.create(kafka.toProperties())) {
            admin.deleteRecords(
                            Map.of(
                                    new TopicPartition(frames, partition),
                                    RecordsToDelete.beforeOffset(offset)))
                    .all()
                    .get();
        }
    }

    @Test
    void shouldSayWhichTopicIsNotThere() {
        try (Audit audit =
                new Audit(
                        new AuditSettings(
                                kafka,
                                "no-frames",
                                "e",
                                "l",
                                "s",
                                "g",
                                TopicPosition.parseStart("earliest"),
                                TopicPosition.parseStart("latest"),
                                false,
                                Duration.ZERO),
                        (topic, done, total) -> {})) {
            assertThatThrownBy(audit::run).hasMessageStartingWith("topic 'no-frames' does not");
        }
    }
}

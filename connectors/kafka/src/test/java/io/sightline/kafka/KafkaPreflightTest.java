// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class KafkaPreflightTest {

    private static final int MIB = 1024 * 1024;
    private static final Duration PATIENCE = Duration.ofSeconds(20);
    private static final CheckpointTiming TIMING =
            new CheckpointTiming(
                    Duration.ofSeconds(1),
                    Duration.ofMinutes(2),
                    Duration.ZERO,
                    0,
                    Duration.ofMinutes(5));
    private static final Delivery EXACTLY_ONCE =
            Delivery.exactlyOnce("preflight", Duration.ofMinutes(10));

    private static KafkaConnection kafka;

    @BeforeAll
    static void startBroker() throws Exception {
        kafka = KafkaConnection.of(TestBroker.start().servers());
        try (Admin admin = Admin.create(kafka.toProperties())) {
            admin.createTopics(
                            List.of(
                                    topic("pf-frames", Map.of()),
                                    topic("pf-events", Map.of()),
                                    topic("pf-letters", Map.of()),
                                    topic("pf-status", Map.of()),
                                    topic(
                                            "pf-append",
                                            Map.of("message.timestamp.type", "LogAppendTime")),
                                    topic("pf-compact-1", Map.of("cleanup.policy", "compact")),
                                    topic(
                                            "pf-compact-2",
                                            Map.of("cleanup.policy", "compact,delete")),
                                    topic("pf-compact-3", Map.of("cleanup.policy", "compact")),
                                    topic("pf-small", Map.of("max.message.bytes", "100000")),
                                    topic(
                                            "pf-strict",
                                            Map.of(
                                                    "message.timestamp.before.max.ms",
                                                    "60000",
                                                    "message.timestamp.after.max.ms",
                                                    "1000"))))
                    .all()
                    .get();
        }
    }

    @Test
    void shouldFindNothingWrongWithOrdinaryTopics() {
        KafkaPreflight.Findings findings =
                KafkaPreflight.check(
                        source("pf-frames", "committed", MIB - 4096),
                        sinks("pf-events", "pf-letters", EXACTLY_ONCE),
                        TIMING,
                        PATIENCE);

        assertThat(findings.framePartitions()).isEqualTo(3);
        assertThat(findings.warnings()).isEmpty();
    }

    @Test
    void shouldNameEveryMissingTopicWithItsRemedy() {
        KafkaPreflightException e = failure("nope-1", "latest", "nope-2", "nope-3");

        assertThat(e.problems())
                .hasSize(3)
                .allMatch(problem -> problem.contains("does not exist: kafka-topics.sh"))
                .anyMatch(problem -> problem.contains("message.timestamp.type=CreateTime"));
        assertThat(e).hasMessageStartingWith("Kafka is not ready for this job, 3 problems:");
    }

    @Test
    void shouldRefuseAFramesTopicThatDestroysCaptureTime() {
        assertThat(failure("pf-append", "latest", "pf-events", "pf-letters"))
                .hasMessageContaining("LogAppendTime")
                .hasMessageContaining("--add-config message.timestamp.type=CreateTime");
    }

    @Test
    void shouldWarnWhereFramesCannotArriveButNotRefuse() {
        KafkaPreflight.Findings findings =
                KafkaPreflight.check(
                        source("pf-frames", "latest", 4 * MIB),
                        sinks("pf-events", "pf-letters", Delivery.atLeastOnce()),
                        TIMING,
                        PATIENCE);

        assertThat(findings.warnings())
                .singleElement()
                .asString()
                .contains("max-frame-bytes = 4194304", "max.message.bytes=");
    }

    @Test
    void shouldRefuseSinkTopicsThatCannotTakeWhatIsWritten() {
        assertThat(failure("pf-frames", "latest", "pf-small", "pf-strict").problems())
                .hasSize(3)
                .anyMatch(p -> p.contains("'pf-small' takes records of at most 100000 bytes"))
                .anyMatch(p -> p.contains("more than 60000 ms old"))
                .anyMatch(p -> p.contains("more than 1000 ms ahead"));
    }

    @Test
    void shouldRefuseAStatusTopicThatCannotTakeWhatIsWritten() {
        assertThatThrownBy(
                        () ->
                                KafkaPreflight.check(
                                        source("pf-frames", "latest", 1000),
                                        new SinkSettings(
                                                kafka,
                                                "pf-events",
                                                "pf-letters",
                                                "pf-small",
                                                1000,
                                                Delivery.atLeastOnce()),
                                        TIMING,
                                        PATIENCE))
                .hasMessageContaining(
                        "'pf-small' takes records of at most 100000 bytes, camera statuses can");
    }

    @Test
    void shouldRefusePartitionsThatAreNotThere() {
        assertThat(failure("pf-frames", "0:0,3:0,7:0", "pf-events", "pf-letters"))
                .hasMessageContaining("partitions [3, 7]")
                .hasMessageContaining("partitions 0 to 2");
    }

    @Test
    void shouldRefuseTransactionsThatTheBrokerWouldNotKeep() {
        Delivery tooLong = Delivery.exactlyOnce("preflight", Duration.ofMinutes(16));

        assertThatThrownBy(
                        () ->
                                KafkaPreflight.check(
                                        source("pf-frames", "latest", 1000),
                                        sinks("pf-events", "pf-letters", tooLong),
                                        TIMING,
                                        PATIENCE))
                .hasMessageContaining("960000 ms")
                .hasMessageContaining("transaction.max.timeout.ms = 900000");
    }

    @Test
    void shouldRefuseTransactionsThatARestartWouldOutlast() {
        // Its own checkpoint may take two minutes before the one that commits it starts.
        Duration longest = Duration.ofMinutes(2 + 2 + 5);

        assertThat(KafkaPreflight.timingProblem(TIMING, longest.plusMillis(1))).isEmpty();
        assertThat(KafkaPreflight.timingProblem(TIMING, longest))
                .hasValueSatisfying(
                        problem ->
                                assertThat(problem)
                                        .contains(
                                                "for 540000 ms",
                                                "interval 1000 ms",
                                                "timeout 120000 ms",
                                                "restart 300000 ms")
                                        .contains("raise the timeout"));
    }

    @Test
    void shouldCountThePauseBetweenCheckpointsAndALongIntervalInstead() {
        assertThat(timing(1, 120, 30, 0).longestTransaction())
                .isEqualTo(Duration.ofSeconds(120 + 30 + 120 + 300));
        assertThat(timing(600, 120, 30, 0).longestTransaction())
                .isEqualTo(Duration.ofMinutes(10 + 2 + 5));
    }

    @Test
    void shouldRefuseAJobThatOutlivesItsTransactionsWhileCheckpointsFail() {
        CheckpointTiming patient = timing(1, 120, 10, 2);

        assertThat(KafkaPreflight.timingProblem(patient, Duration.ofMillis(810_001))).isEmpty();
        assertThat(KafkaPreflight.timingProblem(patient, Duration.ofSeconds(810)))
                .hasValueSatisfying(
                        problem ->
                                assertThat(problem)
                                        .startsWith(
                                                "a transaction may stay open for 810000 ms, 3 × max(")
                                        .contains("with 2 failed checkpoints tolerated"));
    }

    private static CheckpointTiming timing(
            int interval, int timeout, int pause, int tolerableFailures) {
        return new CheckpointTiming(
                Duration.ofSeconds(interval),
                Duration.ofSeconds(timeout),
                Duration.ofSeconds(pause),
                tolerableFailures,
                Duration.ofMinutes(5));
    }

    @Test
    void shouldRefuseToStopAtATimeThatHasNotCome() {
        FrameSourceSettings endless =
                new FrameSourceSettings(
                        kafka,
                        "pf-frames",
                        "preflight",
                        TopicPosition.parseStart("earliest"),
                        TopicPosition.parseStop("2999-01-01T00:00:00Z"),
                        1000,
                        1000,
                        MIB);

        assertThatThrownBy(
                        () ->
                                KafkaPreflight.check(
                                        endless,
                                        sinks("pf-events", "pf-letters", Delivery.atLeastOnce()),
                                        TIMING,
                                        PATIENCE))
                .isInstanceOf(KafkaPreflightException.class)
                .hasMessageStartingWith("the time to stop at, 2999-01-01T00:00:00Z, lies ahead");
    }

    @Test
    void shouldRefuseTopicsForAnswersThatAreCompacted() {
        assertThatThrownBy(
                        () ->
                                KafkaPreflight.check(
                                        source("pf-frames", "latest", 1000),
                                        new SinkSettings(
                                                kafka,
                                                "pf-compact-1",
                                                "pf-compact-2",
                                                "pf-compact-3",
                                                1000,
                                                Delivery.atLeastOnce()),
                                        TIMING,
                                        PATIENCE))
                .hasMessageContaining("3 problems")
                .hasMessageContaining("'pf-compact-1' has cleanup.policy=compact,")
                .hasMessageContaining("'pf-compact-2' has cleanup.policy=compact,delete")
                .hasMessageContaining("'pf-compact-3' has cleanup.policy=compact,")
                .hasMessageContaining("--topic pf-compact-2 --add-config cleanup.policy=delete");
    }

    @Test
    void shouldRefuseAFramesTopicThatIsCompacted() {
        assertThat(failure("pf-compact-2", "latest", "pf-events", "pf-letters").problems())
                .singleElement()
                .asString()
                .startsWith(
                        "topic 'pf-compact-2' has cleanup.policy=compact,delete, which deletes"
                                + " frames that nobody has read")
                .contains("--topic pf-compact-2 --add-config cleanup.policy=delete");
    }

    @Test
    void shouldSayInOneLineThatNobodyAnswers() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + silent.getLocalPort();

            assertThatThrownBy(() -> check(KafkaConnection.of(address), Duration.ofMillis(500)))
                    .isInstanceOf(KafkaPreflightException.class)
                    .hasMessageStartingWith("no Kafka broker answers at " + address)
                    .message()
                    .doesNotContain("\n");
        }
    }

    @Test
    void shouldSayInOneLineThatTheAddressIsNone() {
        assertThatThrownBy(() -> check(KafkaConnection.of("no-port"), PATIENCE))
                .isInstanceOf(KafkaPreflightException.class)
                .hasMessageContaining("no Kafka client can be made")
                .message()
                .doesNotContain("\n");
    }

    private static void check(KafkaConnection at, Duration patience) {
        KafkaPreflight.check(
                FrameSourceSettings.of(at, "f", "g", TopicPosition.parseStart("latest"), 1000),
                new SinkSettings(at, "d", "l", "s", 1000, Delivery.atLeastOnce()),
                TIMING,
                patience);
    }

    private static KafkaPreflightException failure(
            String frames, String from, String events, String letters) {
        return catchThrowableOfType(
                KafkaPreflightException.class,
                () ->
                        KafkaPreflight.check(
                                source(frames, from, 1000),
                                sinks(events, letters, Delivery.atLeastOnce()),
                                TIMING,
                                PATIENCE));
    }

    private static FrameSourceSettings source(String topic, String from, int maxFrameBytes) {
        return FrameSourceSettings.of(
                kafka, topic, "preflight", TopicPosition.parseStart(from), maxFrameBytes);
    }

    private static SinkSettings sinks(String events, String letters, Delivery delivery) {
        return new SinkSettings(kafka, events, letters, "pf-status", 512 * 1024, delivery);
    }

    private static NewTopic topic(String name, Map<String, String> configs) {
        return new NewTopic(name, 3, (short) 1).configs(configs);
    }
}

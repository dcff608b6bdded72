// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent;
import io.sightline.job.LivePipeline.Job;
import io.sightline.job.LivePipeline.Topics;
import io.sightline.kafka.audit.AuditReport;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** More frames than can be analysed: who is answered, who is not, and that nobody is forgotten. */
@Timeout(180)
class OverloadIT {

    private static final int CAMERAS = 4;

    @RegisterExtension static final LivePipeline PIPELINE = new LivePipeline();

    private static long dropped(AuditReport report) {
        return report.dropped().values().stream().mapToLong(Long::longValue).sum();
    }

    /** The others send a frame when the last one is answered, while one sends forty. */
    @Test
    void shouldAnswerEachFrameOfTheOthersWhileOneCameraFloods() throws Exception {
        int rounds = 10;
        int flood = 40;
        Topics topics = PIPELINE.topics(CAMERAS);
        Job job =
                PIPELINE.start(
                        topics,
                        "--parallelism=1",
                        "--lanes=1",
                        "--room-frames=2",
                        "--overload-policy=latest",
                        "--checkpoint-interval=200ms");
        job.engine.slow(Duration.ofMillis(10));
        AuditReport report;
        Map<String, Long> events;
        try (EventReader reader = topics.committed()) {
            for (int round = 0; round < rounds; round++) {
                int seq = round;
                topics.produce(
                        Stream.concat(
                                IntStream.range(round * flood, (round + 1) * flood)
                                        .mapToObj(n -> frame(topics, 0, n)),
                                IntStream.range(1, CAMERAS).mapToObj(c -> frame(topics, c, seq))));
                reader.awaitFrame(seq, 1, 2, 3);
            }
            report = topics.audit(/* exactlyOnce= */ true);
            events =
                    reader.readAll().stream()
                            .collect(
                                    Collectors.groupingBy(
                                            DetectionEvent::cameraId, Collectors.counting()));
        }
        job.stop(/* drain= */ false);
        System.out.printf(
                "latest, one of %d cameras floods: events %s, dropped %s%n",
                CAMERAS, events, report.dropped());
        assertThat(report.problems()).isEmpty();
        assertThat(report.offsets()).isEqualTo(rounds * (flood + CAMERAS - 1L));
        assertThat(report.dropped()).containsOnlyKeys("superseded");
        assertThat(dropped(report)).isPositive();
        assertThat(events.get(ColourFrames.camera(0)))
                .isEqualTo((long) rounds * flood - dropped(report))
                .isPositive();
        for (int camera = 1; camera < CAMERAS; camera++) {
            assertThat(events.get(ColourFrames.camera(camera))).isEqualTo(rounds);
        }
    }

    private static ProducerRecord<byte[], byte[]> frame(Topics topics, int camera, int seq) {
        return topics.frame(camera, camera, seq, ColourFrames.jpeg(camera, seq));
    }

    /** What was dropped is decided anew after each failure, and then perhaps answered. */
    @ParameterizedTest
    @ValueSource(strings = {"at-least-once", "exactly-once"})
    void shouldAccountForEachFrameThroughFailuresUnderADropPolicy(String delivery)
            throws Exception {
        int failures = 4;
        int step = 20;
        Topics topics = PIPELINE.topics(CAMERAS);
        Job job =
                PIPELINE.start(
                        topics,
                        "--parallelism=2",
                        "--lanes=2",
                        "--overload-policy=latest",
                        "--delivery=" + delivery,
                        "--checkpoint-interval=50ms");
        job.engine.slow(Duration.ofMillis(2));
        int frames = 0;
        for (int failed = 1; failed <= failures; failed++) {
            job.engine.failInRun(10);
            long deadline = System.nanoTime() + LivePipeline.PATIENCE.toNanos();
            while (job.engine.failures() < failed) {
                assertThat(System.nanoTime()).as("a lane fails").isLessThan(deadline);
                topics.produce(CAMERAS, frames, frames += step);
            }
        }
        topics.produce(CAMERAS, frames, frames += step);
        AuditReport report = topics.audit(delivery.equals("exactly-once"));
        LivePipeline.await("tasks run again", job::running);
        job.stop(/* drain= */ false);
        System.out.printf(
                "%s, latest, %d lane failures: %d frames, events %d, dropped %s, answered again %s, dropped and answered %d%n",
                delivery,
                failures,
                report.offsets(),
                report.events(),
                report.dropped(),
                report.doubled(),
                report.answeredAndDropped());
        assertThat(report.problems()).isEmpty();
        assertThat(report.offsets()).isEqualTo((long) frames * CAMERAS);
        assertThat(report.missing()).isZero();
        assertThat(dropped(report)).isPositive();
        assertThat(topics.audit(delivery.equals("exactly-once")).problems())
                .as("what the savepoint committed")
                .isEmpty();
    }

    @Test
    void shouldDropUnderMaxAgeTheOldFramesAndNoOthers() throws Exception {
        int frames = 100;
        long fresh = System.currentTimeMillis();
        Topics topics = PIPELINE.topics(CAMERAS);
        // Every other frame was captured an hour ago.
        topics.produce(
                IntStream.range(0, frames * CAMERAS)
                        .mapToObj(
                                i -> {
                                    int seq = i / CAMERAS;
                                    ProducerRecord<byte[], byte[]> old =
                                            frame(topics, i % CAMERAS, seq);
                                    return seq % 2 == 0
                                            ? old
                                            : new ProducerRecord<>(
                                                    old.topic(),
                                                    old.partition(),
                                                    fresh,
                                                    old.key(),
                                                    old.value(),
                                                    old.headers());
                                }));
        Job job =
                PIPELINE.start(
                        topics,
                        "--parallelism=2",
                        "--lanes=2",
                        "--room-frames=" + frames * CAMERAS,
                        "--overload-policy=max-age",
                        "--max-age=30min",
                        "--checkpoint-interval=200ms");
        AuditReport report = topics.audit(/* exactlyOnce= */ true);
        job.stop(/* drain= */ false);
        assertThat(report.problems()).isEmpty();
        assertThat(report.dropped())
                .containsExactly(Map.entry("too-old", (long) frames * CAMERAS / 2));
        try (EventReader reader = topics.committed()) {
            assertThat(reader.readAll())
                    .hasSize(frames * CAMERAS / 2)
                    .allSatisfy(event -> assertThat(event.seq() % 2).isOne())
                    .allSatisfy(ColourFrames::assertShowsItsFrame);
        }
    }

    @ParameterizedTest
    @CsvSource({"process-all, ''", "latest, --camera-policy=cam-0=process-all"})
    void shouldAnswerEachFrameOfACameraThatIsProcessedWhole(String policy, String flag)
            throws Exception {
        int flood = 200;
        int others = 20;
        Topics topics = PIPELINE.topics(CAMERAS);
        topics.produce(1, 0, flood);
        topics.produce(
                IntStream.range(0, others * (CAMERAS - 1))
                        .mapToObj(i -> frame(topics, 1 + i % (CAMERAS - 1), i / (CAMERAS - 1))));
        Job job =
                PIPELINE.start(
                        topics,
                        Stream.of(
                                        "--parallelism=1",
                                        "--lanes=1",
                                        "--room-frames=2",
                                        "--overload-policy=" + policy,
                                        "--delivery=exactly-once",
                                        "--checkpoint-interval=200ms",
                                        flag)
                                .filter(text -> !text.isEmpty())
                                .toArray(String[]::new));
        job.engine.slow(Duration.ofMillis(2));
        AuditReport report = topics.audit(/* exactlyOnce= */ true);
        job.stop(/* drain= */ false);
        assertThat(report.problems()).isEmpty();
        assertThat(report.offsets()).isEqualTo(flood + others * (CAMERAS - 1L));
        if (policy.equals("process-all")) {
            assertThat(report.dropped()).isEmpty();
        }
        try (EventReader reader = topics.committed()) {
            assertThat(
                            reader.readAll().stream()
                                    .filter(e -> e.cameraId().equals(ColourFrames.camera(0)))
                                    .map(DetectionEvent::seq))
                    .hasSize(flood)
                    .isSorted();
        }
    }
}

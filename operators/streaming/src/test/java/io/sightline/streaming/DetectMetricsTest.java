// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.vision.Interpolation;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import java.util.stream.Collectors;
import javax.imageio.ImageIO;
import org.apache.flink.api.common.JobID;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.clusterframework.types.ResourceID;
import org.apache.flink.runtime.executiongraph.ExecutionAttemptID;
import org.apache.flink.runtime.metrics.groups.TaskManagerMetricGroup;
import org.apache.flink.runtime.metrics.groups.TaskMetricGroup;
import org.apache.flink.runtime.metrics.util.TestingMetricRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What operators of a cluster see: names, bounds, and accounts that balance. */
@Timeout(60)
class DetectMetricsTest {

    private static final int MAX_CAMERAS = 7;

    /** By name, from the operator's own group on. */
    private final Map<String, Metric> metrics = new TreeMap<>();

    private final Semaphore permits = new Semaphore(0);
    private DetectHarness harness;
    private byte[] picture;
    private long offset;

    @BeforeEach
    void open() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(32, 32, BufferedImage.TYPE_3BYTE_BGR), "jpeg", bytes);
        picture = bytes.toByteArray();
        TestingMetricRegistry registry =
                TestingMetricRegistry.builder()
                        .setRegisterConsumer(
                                (metric, name, group) -> {
                                    String full = group.getMetricIdentifier(name);
                                    int start = full.indexOf(".sightline.");
                                    if (start >= 0) {
                                        metrics.put(
                                                full.substring(start + ".sightline.".length()),
                                                metric);
                                    }
                                })
                        .build();
        TaskMetricGroup task =
                TaskManagerMetricGroup.createTaskManagerMetricGroup(
                                registry, "host", ResourceID.generate())
                        .addJob(new JobID(), "job")
                        .addTask(ExecutionAttemptID.randomId(), "task");
        harness =
                new DetectHarness(
                        new DetectSettings(
                                FakeBackendFactory.create(32, 32, 1, run -> false, permits),
                                1,
                                2,
                                Duration.ZERO,
                                null,
                                null,
                                Interpolation.LINEAR,
                                1 << 20,
                                1 << 20,
                                16,
                                1 << 20,
                                MAX_CAMERAS,
                                OverloadSettings.PROCESS_ALL,
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(5)),
                        task);
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        permits.release(1000);
        harness.close();
    }

    private void process(String camera, byte[] value, FrameRecord.Header... headers)
            throws Exception {
        harness.process(
                new FrameRecord(
                        "camera-frames",
                        0,
                        offset++,
                        1,
                        camera == null ? null : camera.getBytes(StandardCharsets.UTF_8),
                        value,
                        headers));
    }

    private long number(String name) {
        Metric metric = metrics.get(name);
        assertThat(metric).as(name).isNotNull();
        return metric instanceof Counter counter
                ? counter.getCount()
                : ((Number) ((Gauge<?>) metric).getValue()).longValue();
    }

    private void assertBalanced(String prefix) {
        assertThat(number(prefix + "framesIn"))
                .as(prefix)
                .isEqualTo(
                        number(prefix + "eventsOut")
                                + number(prefix + "deadLetters")
                                + number(prefix + "reason.superseded.dropped")
                                + number(prefix + "reason.too-old.dropped")
                                + number(prefix + "reason.room-full.dropped")
                                + number(prefix + "inFlight"));
    }

    @Test
    void shouldMeasureEachStepOfAFramesWay() throws Exception {
        permits.release(1000);
        for (int i = 0; i < 5; i++) {
            process("cam-1", picture);
        }
        harness.endInput();
        for (String name :
                List.of(
                        "queueMicros",
                        "decodeMicros",
                        "roomWaitMicros",
                        "letterboxMicros",
                        "inferMicros",
                        "postprocessMicros",
                        "batchSize")) {
            Histogram histogram = (Histogram) metrics.get(name);
            assertThat(histogram).as(name).isNotNull();
            assertThat(histogram.getCount()).as(name).isEqualTo(5);
            assertThat(histogram.getStatistics().getMin()).as(name).isNotNegative();
        }
        assertThat(((Histogram) metrics.get("batchSize")).getStatistics().getMax()).isEqualTo(1);
        assertThat(((Histogram) metrics.get("drainMicros")).getCount()).isEqualTo(1);
        assertThat(number("taskManager.laneFrames")).isEqualTo(5);
        assertThat(number("taskManager.laneBatches")).isEqualTo(5);
        assertThat(number("taskManager.laneBusyMillis")).isNotNegative();
        assertThat(number("taskManager.nativeBytes")).isPositive();
    }

    @Test
    void shouldKeepAnAccountOfEachCameraThatBalances() throws Exception {
        for (int i = 0; i < 3; i++) {
            process("cam-1", picture);
            process("cam-2", i == 1 ? new byte[] {1} : picture);
        }
        process(null, picture);
        process(
                "cam-1",
                Arrays.copyOf(picture, picture.length - 2),
                new FrameRecord.Header(FrameHeaders.SEQ, new byte[] {'x'}));
        // Too large to be looked at, and its camera's all the same; the next one waits.
        process("cam-2", new byte[(1 << 20) + 1]);

        // No run has been let through yet: the frames are on their way, and nothing is lost of
        // sight.
        assertThat(number("framesIn")).isEqualTo(9);
        assertThat(number("inFlight")).isEqualTo(9);
        assertThat(number("camera.cam-1.inFlight")).isEqualTo(4);
        for (String prefix : List.of("", "camera.cam-1.", "camera.cam-2.", "camera.other.")) {
            assertBalanced(prefix);
        }

        permits.release(1000);
        harness.endInput();
        assertThat(number("inFlight")).isZero();
        assertThat(number("eventsOut")).isEqualTo(6).isEqualTo(harness.events().size());
        assertThat(number("deadLetters")).isEqualTo(3).isEqualTo(harness.deadLetters().size());
        assertThat(number("camera.cam-1.eventsOut")).isEqualTo(4);
        assertThat(number("camera.cam-2.eventsOut")).isEqualTo(2);
        assertThat(number("camera.cam-2.deadLetters")).isEqualTo(2);
        assertThat(number("camera.other.deadLetters")).isEqualTo(1);
        assertThat(number("malformedHeaders")).isEqualTo(1);
        assertThat(number("missingEndMarkers")).isEqualTo(1);
        for (String prefix : List.of("", "camera.cam-1.", "camera.cam-2.", "camera.other.")) {
            assertBalanced(prefix);
        }
    }

    @Test
    void shouldTellHowLateACameraIsAndHowLongItHasBeenSilent() throws Exception {
        permits.release(1000);
        long before = System.currentTimeMillis();
        process("cam-1", picture);
        // Captured a millisecond after 1970.
        assertThat(number("camera.cam-1.lagMillis"))
                .isBetween(before - 1, System.currentTimeMillis() - 1);
        assertThat(number("camera.cam-1.silentMillis"))
                .isBetween(0L, System.currentTimeMillis() - before);
        harness.endInput();
    }

    @Test
    void shouldNameOnlySoManyCamerasAndOnlyWellFormedOnes() throws Exception {
        permits.release(1000);
        List<String> ids =
                List.of(
                        "a",
                        "has space",
                        "Tor-ä",
                        "x".repeat(65),
                        "other",
                        "b",
                        "x".repeat(64),
                        "one-too-many",
                        "a");
        for (String id : ids) {
            process(id, picture);
        }
        harness.endInput();
        assertThat(
                        metrics.keySet().stream()
                                .filter(name -> name.startsWith("camera."))
                                .filter(name -> name.endsWith(".framesIn"))
                                .map(name -> name.substring(7, name.lastIndexOf('.')))
                                .collect(Collectors.toSet()))
                .containsExactlyInAnyOrder("a", "b", "x".repeat(64), "other");
        assertThat(number("camera.a.framesIn")).isEqualTo(2);
        assertThat(number("camera.other.framesIn")).isEqualTo(5);
        assertThat(number("framesIn")).isEqualTo(ids.size());
        assertThat(number("eventsOut")).isEqualTo(ids.size());
    }

    @Test
    void shouldNotGrowWithCamerasThatComeAndGo() throws Exception {
        permits.release(10_000);
        for (int i = 0; i < 1_000; i++) {
            process("cam-" + i, new byte[] {1});
        }
        int registered = metrics.size();
        for (int i = 1_000; i < 2_000; i++) {
            process("cam-" + i, new byte[] {1});
        }
        assertThat(metrics).hasSize(registered);
        assertThat(number("camera.other.deadLetters")).isEqualTo(2_000 - MAX_CAMERAS);
    }
}

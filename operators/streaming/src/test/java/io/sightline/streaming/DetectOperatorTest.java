// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.events.CameraStatus;
import io.sightline.events.DeadLetter;
import io.sightline.events.DetectionEvent;
import io.sightline.events.FrameRecord;
import io.sightline.events.Rejection;
import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ProcessUnusableException;
import io.sightline.inference.testing.FakeBackend;
import io.sightline.vision.Interpolation;
import java.awt.Color;
import java.awt.Graphics;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import javax.imageio.ImageIO;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.RecordAttributes;
import org.apache.flink.streaming.runtime.streamrecord.RecordAttributesBuilder;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.apache.flink.util.ExceptionUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class DetectOperatorTest {

    private static final long CAPTURED = 1_700_000_000_123L;

    private final List<DetectHarness> harnesses = new ArrayList<>();

    private DetectHarness open(FakeBackendFactory backend, Duration delay, int lanes)
            throws Exception {
        return open(backend, delay, lanes, OverloadSettings.PROCESS_ALL);
    }

    private DetectHarness open(
            BackendFactory backend, Duration delay, int lanes, OverloadSettings overload)
            throws Exception {
        DetectHarness harness =
                new DetectHarness(
                        new DetectSettings(
                                backend,
                                lanes,
                                2,
                                delay,
                                null,
                                null,
                                Interpolation.LINEAR,
                                1 << 20,
                                1 << 20,
                                4,
                                1 << 20,
                                10,
                                overload,
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(5)));
        harness.open();
        harnesses.add(harness);
        return harness;
    }

    private static byte[] jpeg(int red) {
        BufferedImage image = new BufferedImage(32, 32, BufferedImage.TYPE_3BYTE_BGR);
        Graphics graphics = image.getGraphics();
        graphics.setColor(new Color(red, red, red));
        graphics.fillRect(0, 0, 32, 32);
        graphics.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "jpeg", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static FrameRecord frame(long offset, byte[] value) {
        return new FrameRecord(
                "camera-frames",
                0,
                offset,
                CAPTURED + offset,
                ("cam-" + offset % 3).getBytes(StandardCharsets.UTF_8),
                value,
                new FrameRecord.Header[0]);
    }

    @Test
    void shouldEmitOneEventForEachFrameInOrderWithItsOwnContent() throws Exception {
        DetectHarness harness = open(FakeBackendFactory.create(), Duration.ZERO, 3);
        int frames = 200;
        for (int i = 0; i < frames; i++) {
            harness.process(frame(i, jpeg(i % 20 + 1)));
        }
        harness.endInput();

        List<DetectionEvent> events = harness.events();
        assertThat(events).hasSize(frames);
        for (int i = 0; i < frames; i++) {
            DetectionEvent event = events.get(i);
            assertThat(event.source()).isEqualTo(new DetectionEvent.Source("camera-frames", 0, i));
            assertThat(event.cameraId()).isEqualTo("cam-" + i % 3);
            assertThat(event.image()).isEqualTo(new DetectionEvent.Image(32, 32));
            assertThat(event.objects()).hasSize(1);
            // The fake engine puts the first pixel's gray into the box's left edge.
            assertThat(event.objects().get(0).bbox().x()).isBetween(i % 20 - 1.0, i % 20 + 3.0);
            assertThat(event.timing().batchSize()).isBetween(1, 4);
        }
        assertThat(events.stream().map(DetectionEvent::eventId).distinct()).hasSize(frames);
    }

    @Test
    void shouldHoldWhateverIsNotAFrameBehindTheFramesItFollows() throws Exception {
        Semaphore permits = new Semaphore(0);
        DetectHarness harness =
                open(FakeBackendFactory.create(32, 32, 4, run -> false, permits), Duration.ZERO, 1);
        RecordAttributes attributes =
                new RecordAttributesBuilder(List.of()).setBacklog(true).build();
        harness.process(frame(0, jpeg(1)));
        harness.processWatermark(new Watermark(5));
        harness.process(frame(1, jpeg(1)));
        harness.processWatermarkStatus(WatermarkStatus.IDLE);
        harness.processRecordAttributes(attributes);
        assertThat(harness.getOutput()).isEmpty();

        permits.release(10);
        harness.prepareSnapshotPreBarrier(1);
        harness.processWatermarkStatus(WatermarkStatus.ACTIVE);

        assertThat(harness.getOutput().stream().map(DetectOperatorTest::kind))
                .containsExactly(
                        "event 0",
                        "watermark 5",
                        "event 1",
                        "status idle",
                        "attributes",
                        "status active");
    }

    private static String kind(Object element) {
        if (element instanceof StreamRecord<?> record) {
            return "event " + ((DetectionEvent) record.getValue()).source().offset();
        }
        if (element instanceof Watermark watermark) {
            return "watermark " + watermark.getTimestamp();
        }
        if (element instanceof WatermarkStatus status) {
            return status.isIdle() ? "status idle" : "status active";
        }
        return element instanceof RecordAttributes ? "attributes" : element.toString();
    }

    @Test
    void shouldHaveNothingInFlightAndNoStateWhenABarrierPasses() throws Exception {
        DetectHarness harness = open(FakeBackendFactory.create(), Duration.ofHours(1), 1);
        for (int i = 0; i < 3; i++) {
            harness.process(frame(i, jpeg(1)));
        }
        assertThat(harness.events()).as("waiting for a fuller batch").isEmpty();

        harness.prepareSnapshotPreBarrier(1);
        OperatorSubtaskState state = harness.snapshot(1, 1);

        assertThat(harness.events()).hasSize(3);
        assertThat(state.getStateSize()).isZero();
        assertThat(state.hasState()).isFalse();
    }

    @Test
    void shouldPutABadFrameIntoTheDeadLettersInItsTurnAndGoOn() throws Exception {
        DetectHarness harness = open(FakeBackendFactory.create(), Duration.ZERO, 2);
        byte[] good = jpeg(9);
        harness.process(frame(0, good));
        harness.process(frame(1, "not a picture".getBytes(StandardCharsets.UTF_8)));
        harness.process(frame(2, Arrays.copyOf(good, good.length * 2 / 3)));
        harness.process(frame(3, null));
        harness.process(frame(4, good));
        harness.endInput();

        assertThat(harness.events().stream().map(event -> event.source().offset()))
                .containsExactly(0L, 4L);
        assertThat(harness.deadLetters().stream().map(DeadLetter::reason))
                .containsExactly(
                        Rejection.UNKNOWN_FORMAT, Rejection.TRUNCATED, Rejection.MISSING_VALUE);
    }

    @Test
    void shouldNotFailAllForOneFrameWithoutNumbers() throws Exception {
        FakeBackendFactory backend = FakeBackendFactory.create();
        DetectHarness harness = open(backend, Duration.ofHours(1), 1);
        backend.opened().get(0).overflowsFor(200);
        harness.process(frame(0, jpeg(9)));
        harness.process(frame(1, jpeg(200)));
        harness.process(frame(2, jpeg(9)));
        harness.endInput();

        assertThat(harness.events()).hasSize(2);
        assertThat(harness.deadLetters())
                .singleElement()
                .satisfies(
                        letter -> {
                            assertThat(letter.reason()).isEqualTo(Rejection.UNREADABLE_OUTPUT);
                            assertThat(letter.message()).contains("NaN", "output 'output'");
                        });
    }

    @Test
    void shouldHoldNoMoreOfWhatItRejectsThanOfWhatItTakes() throws Exception {
        Semaphore permits = new Semaphore(0);
        DetectHarness harness =
                open(FakeBackendFactory.create(32, 32, 1, run -> false, permits), Duration.ZERO, 1);
        byte[] garbage = new byte[300_000];
        harness.process(frame(0, jpeg(1)));
        for (int i = 1; i < 5; i++) {
            harness.process(frame(i, garbage));
        }
        assertThat(harness.deadLetters()).as("behind the first frame").isEmpty();
        CompletableFuture<Void> release =
                CompletableFuture.runAsync(
                        () -> permits.release(100),
                        CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS));
        harness.process(frame(5, garbage));
        assertThat(harness.events()).as("it waited for a result").hasSize(1);
        release.join();
        harness.endInput();
        assertThat(harness.deadLetters()).hasSize(5);
    }

    @Test
    void shouldStopReadingWhileOneLaneIsFarBehindTheOthers() throws Exception {
        Semaphore stuck = new Semaphore(0);
        FakeBackendFactory backend =
                FakeBackendFactory.create(
                        32,
                        32,
                        1,
                        run -> {
                            if (run == 0) {
                                stuck.acquireUninterruptibly();
                            }
                            return false;
                        },
                        null);
        DetectHarness harness = open(backend, Duration.ZERO, 2);
        // Four slots, four frames in flight for each.
        for (int i = 0; i < 16; i++) {
            harness.process(frame(i, jpeg(1)));
            int runs = i + 1;
            while (backend.opened().stream().mapToInt(FakeBackend::runs).sum() < runs) {
                Thread.sleep(1);
            }
        }
        assertThat(harness.events()).isEmpty();
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> harness.process(frame(16, jpeg(1))))
                .as("it waits")
                .isInstanceOf(InterruptedException.class);
        stuck.release();
        harness.endInput();
        assertThat(harness.events()).hasSize(16);
    }

    @Test
    void shouldFailASubtaskThatHasNothingInFlightWithALane() throws Exception {
        FakeBackendFactory backend = FakeBackendFactory.create(32, 32, 4, run -> true, null);
        DetectHarness busy = open(backend, Duration.ZERO, 1);
        DetectHarness quiet = open(backend, Duration.ZERO, 1);
        assertThatThrownBy(
                        () -> {
                            busy.process(frame(0, jpeg(1)));
                            busy.endInput();
                        })
                .isInstanceOf(InferenceException.class);
        assertThatThrownBy(() -> quiet.getTaskMailbox().take(0).run())
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("failed");
    }

    @Test
    void shouldEndTheProcessWhereOnlyANewOneCanRunEngines() throws Exception {
        FakeBackendFactory backend =
                FakeBackendFactory.create(
                        32,
                        32,
                        4,
                        run -> {
                            throw new ProcessUnusableException("told to spoil the process");
                        },
                        null);
        DetectHarness busy = open(backend, Duration.ZERO, 1);
        DetectHarness quiet = open(backend, Duration.ZERO, 1);
        assertThatThrownBy(
                        () -> {
                            busy.process(frame(0, jpeg(1)));
                            busy.endInput();
                        })
                .matches(ExceptionUtils::isJvmFatalError)
                .hasMessageContaining("has to be started anew")
                .hasRootCauseMessage("told to spoil the process");
        assertThatThrownBy(() -> quiet.getTaskMailbox().take(0).run())
                .matches(ExceptionUtils::isJvmFatalError);
    }

    @Test
    void shouldEndTheProcessWhereNoEngineOpensInItAnyMore() {
        BackendFactory spoilt =
                new BackendFactory() {
                    @Override
                    public String backend() {
                        return "spoilt";
                    }

                    @Override
                    public List<InferenceBackend> open(int lanes) {
                        throw new ProcessUnusableException("told to spoil the process");
                    }

                    @Override
                    public long estimatedLaneBytes() {
                        return 0;
                    }
                };
        assertThatThrownBy(() -> open(spoilt, Duration.ZERO, 1, OverloadSettings.PROCESS_ALL))
                .matches(ExceptionUtils::isJvmFatalError);
    }

    @Test
    void shouldStopReadingWhenTheRoomIsFull() throws Exception {
        Semaphore permits = new Semaphore(0);
        DetectHarness harness =
                open(FakeBackendFactory.create(32, 32, 1, run -> false, permits), Duration.ZERO, 1);
        // Two slots, four in the room: the seventh frame waits at the door.
        for (int i = 0; i < 6; i++) {
            harness.process(frame(i, jpeg(1)));
        }
        CompletableFuture<Void> release =
                CompletableFuture.runAsync(
                        () -> permits.release(100),
                        CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS));
        harness.process(frame(6, jpeg(1)));
        assertThat(harness.events()).as("it waited for a result").isNotEmpty();
        release.join();
        harness.endInput();
        assertThat(harness.events()).hasSize(7);
    }

    /** With all slots taken and none given back, so that whoever waited would wait for ever. */
    @Test
    void shouldGoOnReadingUnderLatestAndSayWhatItDropped() throws Exception {
        Semaphore permits = new Semaphore(0);
        DetectHarness harness =
                open(
                        FakeBackendFactory.create(32, 32, 1, run -> false, permits),
                        Duration.ZERO,
                        1,
                        new OverloadSettings(OverloadPolicy.LATEST, null, Map.of()));
        int frames = 300;
        for (int i = 0; i < frames; i++) {
            harness.process(frame(i, jpeg(1)));
        }
        harness.processWatermark(new Watermark(5));
        assertThat(harness.events()).isEmpty();

        permits.release(frames);
        harness.prepareSnapshotPreBarrier(7);
        // Two slots, and of each camera the newest.
        assertThat(harness.events().stream().map(event -> event.source().offset()))
                .containsExactlyInAnyOrder(0L, 1L, 297L, 298L, 299L);
        assertThat(harness.getOutput().toArray()[5]).isEqualTo(new Watermark(5));
        assertThat(harness.statuses())
                .extracting(CameraStatus::cameraId)
                .containsExactlyInAnyOrder("cam-0", "cam-1", "cam-2");
        assertThat(harness.statuses())
                .allSatisfy(
                        status -> {
                            assertThat(status.checkpoint()).isEqualTo(7);
                            assertThat(status.framesIn()).isEqualTo(100);
                            long events = status.cameraId().equals("cam-2") ? 1 : 2;
                            assertThat(status.events()).isEqualTo(events);
                            assertThat(status.dropped().get("superseded")).isEqualTo(100 - events);
                            assertThat(status.droppedOffsets().get(0).ranges())
                                    .hasSize((int) (100 - events));
                            assertThat(status.lagMillis()).isPositive();
                            assertThat(status.silentSince()).isNull();
                        });
        assertThat(offsetsIn(harness.statuses()))
                .containsExactlyElementsOf(LongStream.range(2, 297).boxed().toList());

        harness.process(frame(frames, jpeg(1)));
        harness.endInput();
        harness.prepareSnapshotPreBarrier(8);
        List<CameraStatus> last = harness.statuses().subList(3, harness.statuses().size());
        assertThat(last).hasSize(3).allMatch(status -> status.checkpoint() == null);
        assertThat(last.stream().mapToLong(CameraStatus::framesIn).sum()).isEqualTo(1);
    }

    private static List<Long> offsetsIn(List<CameraStatus> statuses) {
        return statuses.stream()
                .flatMap(status -> status.droppedOffsets().stream())
                .flatMap(group -> group.ranges().stream())
                .flatMap(range -> LongStream.rangeClosed(range.first(), range.last()).boxed())
                .sorted()
                .toList();
    }

    @Test
    void shouldReportManyDropsBeforeTheyFillARecord() throws Exception {
        Semaphore permits = new Semaphore(0);
        DetectHarness harness =
                open(
                        FakeBackendFactory.create(32, 32, 1, run -> false, permits),
                        Duration.ZERO,
                        1,
                        new OverloadSettings(OverloadPolicy.LATEST, null, Map.of()));
        int frames = 30_000;
        byte[] picture = jpeg(1);
        for (int i = 0; i < frames; i++) {
            harness.process(frame(i, picture));
        }
        assertThat(harness.statuses()).isNotEmpty();
        permits.release(frames);
        harness.prepareSnapshotPreBarrier(1);

        assertThat(harness.statuses())
                .allSatisfy(
                        status ->
                                assertThat(status.framesIn())
                                        .isEqualTo(
                                                status.events()
                                                        + status.deadLetters()
                                                        + status.dropped().values().stream()
                                                                .mapToLong(n -> n)
                                                                .sum()));
        assertThat(harness.statuses().stream().mapToLong(CameraStatus::framesIn).sum())
                .isEqualTo(frames);
        assertThat(offsetsIn(harness.statuses())).hasSize(frames - harness.events().size());
    }

    @Test
    void shouldDropUnderMaxAgeWhatIsOldAndNothingElse() throws Exception {
        DetectHarness harness =
                open(
                        FakeBackendFactory.create(),
                        Duration.ZERO,
                        1,
                        new OverloadSettings(
                                OverloadPolicy.MAX_AGE, Duration.ofHours(1), Map.of()));
        long now = System.currentTimeMillis();
        for (int i = 0; i < 40; i++) {
            FrameRecord old = frame(i, jpeg(1));
            harness.process(
                    i % 4 == 0
                            ? old
                            : new FrameRecord(
                                    old.topic(),
                                    old.partition(),
                                    old.offset(),
                                    now,
                                    old.key(),
                                    old.value(),
                                    old.headers()));
            // The room never fills.
            if (i % 4 == 3) {
                harness.prepareSnapshotPreBarrier(i);
            }
        }
        assertThat(offsetsIn(harness.statuses()))
                .containsExactlyElementsOf(
                        LongStream.range(0, 40).filter(i -> i % 4 == 0).boxed().toList());
        assertThat(harness.events()).hasSize(30);
        assertThat(harness.statuses())
                .flatExtracting(CameraStatus::droppedOffsets)
                .allMatch(group -> group.reason().equals("too-old"));
    }

    @Test
    void shouldFailEverySubtaskWithALaneAndRecover() throws Exception {
        FakeBackendFactory backend = FakeBackendFactory.create(32, 32, 2, run -> run == 3, null);
        DetectHarness a = open(backend, Duration.ZERO, 1);
        DetectHarness b = open(backend, Duration.ZERO, 1);
        assertThat(backend.opened()).as("subtasks of a job share their lanes").hasSize(1);

        assertThatThrownBy(
                        () -> {
                            for (int i = 0; i < 100; i++) {
                                a.process(frame(i, jpeg(1)));
                            }
                        })
                .hasStackTraceContaining("told to fail");
        assertThatThrownBy(() -> b.process(frame(0, jpeg(1))))
                .isInstanceOf(InferenceException.class);
        a.close();
        DetectHarness restarted = open(backend, Duration.ZERO, 1);
        assertThat(backend.opened()).hasSize(2);
        restarted.process(frame(0, jpeg(1)));
        restarted.endInput();
        assertThat(restarted.events()).hasSize(1);

        b.close();
        assertThat(backend.opened().get(0).closed()).isTrue();
        restarted.close();
        assertThat(backend.opened()).allMatch(FakeBackend::closed);
    }

    @Test
    void shouldEndCleanlyWhenCancelledWhileItWaitsForASlot() throws Exception {
        Semaphore permits = new Semaphore(0);
        FakeBackendFactory backend = FakeBackendFactory.create(32, 32, 1, run -> false, permits);
        DetectHarness waiting = open(backend, Duration.ZERO, 1);
        for (int i = 0; i < 6; i++) {
            waiting.process(frame(i, jpeg(1)));
        }
        DetectHarness other = open(backend, Duration.ZERO, 1);
        other.process(frame(0, jpeg(1)));

        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> waiting.process(frame(6, jpeg(1))))
                .isInstanceOf(InterruptedException.class);
        waiting.close();
        permits.release(100);
        other.endInput();
        assertThat(other.events()).as("the other subtask got the slot").hasSize(1);
        other.close();
        assertThat(backend.opened()).hasSize(1).allMatch(FakeBackend::closed);
    }

    @Test
    void shouldKeepOrderUnderRandomBarriersAndBadFrames() throws Exception {
        long seed = System.nanoTime();
        System.out.println("DetectOperatorTest seed " + seed);
        Random random = new Random(seed);
        DetectHarness harness =
                open(
                        FakeBackendFactory.create(32, 32, 3, run -> false, null),
                        Duration.ofMillis(1),
                        2);
        byte[] good = jpeg(3);
        int bad = 0;
        int total = 2_000;
        for (int i = 0; i < total; i++) {
            boolean damaged = random.nextInt(10) == 0;
            bad += damaged ? 1 : 0;
            harness.process(frame(i, damaged ? new byte[] {1, 2, 3} : good));
            if (random.nextInt(50) == 0) {
                harness.prepareSnapshotPreBarrier(i);
                assertThat(harness.events().size() + harness.deadLetters().size()).isEqualTo(i + 1);
            }
        }
        harness.endInput();
        List<Long> offsets =
                harness.events().stream().map(event -> event.source().offset()).toList();
        assertThat(offsets).hasSize(total - bad).isSorted();
        assertThat(harness.deadLetters()).hasSize(bad);
    }

    @AfterEach
    void close() throws Exception {
        for (DetectHarness harness : harnesses) {
            harness.close();
        }
    }
}

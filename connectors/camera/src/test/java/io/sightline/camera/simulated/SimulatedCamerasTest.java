// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.camera.EncodedFrame;
import io.sightline.camera.ReplayClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class SimulatedCamerasTest {

    private static final SceneSettings SCENE =
            new SceneSettings(1, 640, 384, Place.STREET, Light.DAY, false);

    @TempDir Path folder;

    private final List<EncodedFrame> frames = new ArrayList<>();
    private final List<FrameTruth> truths = new ArrayList<>();
    private final FakeClock clock = new FakeClock();

    /** Frames whose only byte, and whose truth's only id, is their number. */
    private static SceneLoop loop(int length) {
        return new SceneLoop(
                SCENE,
                IntStream.range(0, length)
                        .mapToObj(
                                i ->
                                        new SimulatedFrame(
                                                new byte[] {(byte) i},
                                                List.of(
                                                        new TrueObject(
                                                                i,
                                                                ObjectClass.BUS,
                                                                1,
                                                                2.006,
                                                                3,
                                                                4,
                                                                0.25,
                                                                0))))
                        .toList());
    }

    private static Map<String, SceneLoop> loops(int... lengths) {
        Map<String, SceneLoop> loops = new LinkedHashMap<>();
        for (int i = 0; i < lengths.length; i++) {
            loops.put("cam-" + (i + 1), loop(lengths[i]));
        }
        return loops;
    }

    private Map<String, Long> run(Map<String, SceneLoop> loops, double fps, Duration duration)
            throws Exception {
        try (SimulatedCameras cameras =
                new SimulatedCameras(loops, fps, duration, frames::add, truths::add, clock)) {
            return cameras.run();
        }
    }

    @Test
    void shouldPlayLoopsAgainAndAgainAtTheirPace() throws Exception {
        Map<String, Long> sent = run(loops(3), 10, Duration.ofMillis(750));
        assertThat(sent).isEqualTo(Map.of("cam-1", 8L));
        assertThat(frames).hasSize(8);
        for (int i = 0; i < 8; i++) {
            EncodedFrame frame = frames.get(i);
            assertThat(frame.epoch()).isEqualTo(i / 3);
            assertThat(frame.seq()).isEqualTo(i % 3);
            assertThat(frame.jpeg()).containsExactly((byte) (i % 3));
            assertThat(frame.pts()).isEqualTo(9000L * (i % 3));
            assertThat(frame.timebase()).isEqualTo("1/90000");
            assertThat(frame.captureTimeMillis()).isEqualTo(FakeClock.START_MILLIS + 100L * i);
        }
    }

    @Test
    void shouldGiveEachFramesTruthBeforeTheFrame() throws Exception {
        List<String> order = new ArrayList<>();
        try (SimulatedCameras cameras =
                new SimulatedCameras(
                        loops(2, 3),
                        5,
                        Duration.ofSeconds(1),
                        frame -> {
                            order.add("frame");
                            frames.add(frame);
                        },
                        truth -> {
                            order.add("truth");
                            truths.add(truth);
                        },
                        clock)) {
            assertThat(cameras.run()).isEqualTo(Map.of("cam-1", 5L, "cam-2", 5L));
            assertThat(cameras.sent()).isEqualTo(Map.of("cam-1", 5L, "cam-2", 5L));
        }
        for (int i = 0; i < frames.size(); i++) {
            assertThat(order.subList(2 * i, 2 * i + 2)).containsExactly("truth", "frame");
            EncodedFrame frame = frames.get(i);
            FrameTruth truth = truths.get(i);
            assertThat(truth.cameraId()).isEqualTo(frame.cameraId());
            assertThat(truth.epoch()).isEqualTo(frame.epoch());
            assertThat(truth.seq()).isEqualTo(frame.seq());
            assertThat(truth.captureTimeMillis()).isEqualTo(frame.captureTimeMillis());
            assertThat(truth.objects().get(0).id()).isEqualTo((int) frame.jpeg()[0]);
            assertThat(truth.width()).isEqualTo(640);
            assertThat(truth.height()).isEqualTo(384);
        }
    }

    @Test
    void shouldSpreadCamerasOverTheTimeBetweenFrames() throws Exception {
        run(loops(2, 2, 2, 2), 1, Duration.ofSeconds(2));
        assertThat(frames)
                .extracting(frame -> frame.captureTimeMillis() - FakeClock.START_MILLIS)
                .containsExactly(0L, 250L, 500L, 750L, 1000L, 1250L, 1500L, 1750L);
    }

    @Test
    void shouldCatchUpWithoutLeavingFramesOut() throws Exception {
        try (SimulatedCameras cameras =
                new SimulatedCameras(
                        loops(10),
                        10,
                        Duration.ofSeconds(1),
                        frame -> {
                            frames.add(frame);
                            if (frame.seq() == 1) {
                                clock.sleepUntil(clock.nanoTime() + 450_000_000);
                            }
                        },
                        truths::add,
                        clock)) {
            cameras.run();
        }
        assertThat(frames)
                .extracting(frame -> frame.captureTimeMillis() - FakeClock.START_MILLIS)
                .containsExactly(0L, 100L, 550L, 550L, 550L, 550L, 600L, 700L, 800L, 900L);
    }

    @Test
    void shouldEndWhenClosedWhileItWaits() throws Exception {
        CountDownLatch waiting = new CountDownLatch(1);
        ReplayClock forever =
                new ReplayClock() {
                    @Override
                    public long currentTimeMillis() {
                        return 0;
                    }

                    @Override
                    public long nanoTime() {
                        return 0;
                    }

                    @Override
                    public void sleepUntil(long nanoTime) throws InterruptedException {
                        if (nanoTime > 0) {
                            waiting.countDown();
                            new CountDownLatch(1).await();
                        }
                    }
                };
        SimulatedCameras cameras =
                new SimulatedCameras(loops(2), 5, null, frames::add, truths::add, forever);
        FutureTask<Map<String, Long>> playing = new FutureTask<>(cameras::run);
        Thread thread = new Thread(playing);
        thread.start();
        waiting.await();
        cameras.close();
        assertThat(playing.get()).isEqualTo(Map.of("cam-1", 1L));
    }

    @Test
    void shouldReportWhatTheSinksReport() {
        IOException failure = new IOException("no room");
        SimulatedCameras cameras =
                new SimulatedCameras(
                        loops(2),
                        5,
                        null,
                        frame -> {
                            throw failure;
                        },
                        truths::add,
                        clock);
        assertThatThrownBy(cameras::run).isSameAs(failure);
        assertThat(cameras.sent()).isEqualTo(Map.of("cam-1", 0L));
    }

    @Test
    void shouldRenderNoLongerLoopThanIsPlayedOrHeld() {
        assertThat(SceneLoop.frames(20, null, 5, 1000)).isEqualTo(100);
        assertThat(SceneLoop.frames(20, Duration.ofMinutes(1), 5, 1000)).isEqualTo(100);
        assertThat(SceneLoop.frames(20, Duration.ofMillis(2100), 5, 1000)).isEqualTo(11);
        assertThat(SceneLoop.frames(20, null, 5, 40)).isEqualTo(40);
        assertThat(SceneLoop.frames(20, Duration.ofMillis(1), 0.1, 0)).isEqualTo(1);
    }

    @Test
    void shouldRefuseWhatCannotBePlayed() {
        assertThatThrownBy(() -> run(Map.of(), 5, null))
                .hasMessage("simulated cameras: none, expected at least one");
        assertThatThrownBy(() -> run(loops(1), 0, null))
                .hasMessage("simulated cameras: 0.0 frames/s, expected a number above 0");
        assertThatThrownBy(() -> new SceneLoop(SCENE, List.of()))
                .hasMessage("scene loop: no frames, expected at least one");
    }

    @Test
    void shouldWriteTruthAsJsonLines() throws Exception {
        Path file = folder.resolve("truth.jsonl");
        try (TruthFile truth = new TruthFile(file);
                SimulatedCameras cameras =
                        new SimulatedCameras(
                                loops(2), 5, Duration.ofMillis(500), frames::add, truth, clock)) {
            cameras.run();
        }
        List<String> lines = Files.readAllLines(file);
        assertThat(lines).hasSize(3);
        JsonNode frame = new ObjectMapper().readTree(lines.get(1));
        assertThat(frame)
                .isEqualTo(
                        new ObjectMapper()
                                .readTree(
                                        """
                                        {"camera": "cam-1", "epoch": 0, "seq": 1,
                                         "captureTimeMillis": 1700000000200,
                                         "width": 640, "height": 384,
                                         "objects": [{"id": 1, "class": "bus",
                                           "box": [1.0, 2.01, 3.0, 4.0],
                                           "occluded": 0.25, "outside": 0.0}]}
                                        """));
    }

    @Test
    void shouldRenderLoopsOfTheirScenesMoments() throws Exception {
        List<SceneSettings> scenes =
                List.of(
                        new SceneSettings(3, 160, 96, Place.STREET, Light.DAY, false),
                        new SceneSettings(4, 160, 96, Place.HALL, Light.DAY, false));
        List<Integer> steps = Collections.synchronizedList(new ArrayList<>());
        List<SceneLoop> loops = SceneLoop.render(scenes, 4, 3, 80, steps::add);
        assertThat(loops).extracting(SceneLoop::settings).isEqualTo(scenes);
        assertThat(steps).containsExactlyInAnyOrder(1, 2, 3, 4, 5, 6);
        for (SceneLoop loop : loops) {
            assertThat(loop.frames()).hasSize(3);
            try (Scene scene = new Scene(loop.settings())) {
                scene.render(0.5);
                assertThat(loop.frames().get(2).jpeg()).isEqualTo(scene.jpeg(80));
                assertThat(loop.frames().get(2).truth()).isEqualTo(scene.truth());
            }
        }
        assertThat(SceneLoop.share(List.of("a", "b", "c"), loops))
                .containsExactly(
                        entry("a", loops.get(0)),
                        entry("b", loops.get(1)),
                        entry("c", loops.get(0)));
    }

    /** Sleeps by setting itself. */
    private static final class FakeClock implements ReplayClock {

        static final long START_MILLIS = 1_700_000_000_000L;

        private long nanos = 5_000_000_000L;

        @Override
        public long currentTimeMillis() {
            return START_MILLIS + (nanos - 5_000_000_000L) / 1_000_000;
        }

        @Override
        public long nanoTime() {
            return nanos;
        }

        @Override
        public void sleepUntil(long nanoTime) {
            nanos = Math.max(nanos, nanoTime);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class CameraReplayTest {

    @TempDir Path folder;

    private final List<EncodedFrame> frames = Collections.synchronizedList(new ArrayList<>());
    private final FakeClock clock = new FakeClock();

    @Test
    void shouldPlayEveryPictureOnceAtTheRateOfTheVideo() throws Exception {
        String video = video("v.mp4", 0, 50);
        Map<String, Long> sent = run(plan(List.of(video), 1, Pace.asFilmed(), false, null));
        assertThat(sent).isEqualTo(Map.of("cam-1", 50L));
        assertThat(numbers("cam-1")).isEqualTo(IntStream.range(0, 50).boxed().toList());
        assertThat(frames)
                .extracting(EncodedFrame::seq)
                .isEqualTo(LongStream.range(0, 50).boxed().toList());
        assertThat(frames).extracting(EncodedFrame::epoch).containsOnly(0L);
        assertThat(frames).extracting(EncodedFrame::pts).isSorted().doesNotHaveDuplicates();
        assertThat(frames)
                .extracting(EncodedFrame::captureTimeMillis)
                .isEqualTo(
                        LongStream.range(0, 50)
                                .mapToObj(i -> FakeClock.START_MILLIS + 40 * i)
                                .toList());
    }

    @Test
    void shouldKeepAGivenRateAndAllFrames() throws Exception {
        String video = video("v.mp4", 0, 20);
        run(plan(List.of(video), 1, Pace.fps(5), false, null));
        assertThat(frames)
                .extracting(EncodedFrame::captureTimeMillis)
                .isEqualTo(
                        LongStream.range(0, 20)
                                .mapToObj(i -> FakeClock.START_MILLIS + 200 * i)
                                .toList());
    }

    @Test
    void shouldNotWaitWithoutLimit() throws Exception {
        String video = video("v.mp4", 0, 20);
        run(plan(List.of(video), 1, Pace.unlimited(), false, null));
        assertThat(frames).hasSize(20);
        assertThat(clock.nanoTime()).isEqualTo(FakeClock.START_NANOS);
    }

    @Test
    void shouldCatchUpWithoutLeavingFramesOut() throws Exception {
        String video = video("v.mp4", 0, 10);
        FrameSink slowAtFirst =
                frame -> {
                    frames.add(frame);
                    if (frame.seq() == 0) {
                        clock.sleepUntil(clock.nanoTime() + 200_000_000);
                    }
                };
        try (CameraReplay replay =
                new CameraReplay(
                        plan(List.of(video), 1, Pace.asFilmed(), false, null),
                        slowAtFirst,
                        clock)) {
            replay.run();
        }
        assertThat(frames)
                .extracting(frame -> frame.captureTimeMillis() - FakeClock.START_MILLIS)
                .containsExactly(0L, 200L, 200L, 200L, 200L, 200L, 240L, 280L, 320L, 360L);
    }

    @Test
    void shouldRaiseTheEpochEachTimeTheVideoBeginsAnew() throws Exception {
        String video = video("v.mp4", 0, 10);
        // Frames at 0, 40, … 960 ms come before the end of the first second.
        run(plan(List.of(video), 1, Pace.asFilmed(), true, Duration.ofSeconds(1)));
        assertThat(frames).hasSize(25);
        for (int i = 0; i < frames.size(); i++) {
            EncodedFrame frame = frames.get(i);
            assertThat(frame.epoch()).isEqualTo(i / 10);
            assertThat(frame.seq()).isEqualTo(i % 10);
            assertThat(frame.pts()).isEqualTo(frames.get(i % 10).pts());
            assertThat(TestVideo.number(frame.jpeg())).isEqualTo(i % 10);
            assertThat(frame.captureTimeMillis()).isEqualTo(FakeClock.START_MILLIS + 40L * i);
        }
    }

    @Test
    void shouldShareVideosAmongCamerasAndEncodeEachPictureOnce() throws Exception {
        String first = video("a.mp4", 0, 12);
        String second = video("b.mp4", 100, 7);
        Map<String, Long> sent =
                run(plan(List.of(first, second), 3, Pace.unlimited(), false, null));
        assertThat(sent).isEqualTo(Map.of("cam-1", 12L, "cam-2", 7L, "cam-3", 12L));
        assertThat(numbers("cam-1")).isEqualTo(IntStream.range(0, 12).boxed().toList());
        assertThat(numbers("cam-2")).isEqualTo(IntStream.range(100, 107).boxed().toList());
        List<EncodedFrame> one = of("cam-1");
        List<EncodedFrame> three = of("cam-3");
        for (int i = 0; i < 12; i++) {
            assertThat(three.get(i).jpeg()).isSameAs(one.get(i).jpeg());
            assertThat(three.get(i).captureTimeMillis()).isEqualTo(one.get(i).captureTimeMillis());
        }
    }

    @Test
    void shouldGiveNothingWhereOneVideoIsMissing() throws Exception {
        String video = video("v.mp4", 0, 5);
        String missing = folder.resolve("missing.mp4").toString();
        assertThatThrownBy(
                        () -> run(plan(List.of(video, missing), 2, Pace.unlimited(), false, null)))
                .isInstanceOf(IOException.class)
                .hasMessage("video " + missing + ": no such file");
        assertThat(frames).isEmpty();
    }

    @Test
    void shouldReportWhatTheSinkReportsAndStop() throws Exception {
        String video = video("v.mp4", 0, 20);
        IOException failure = new IOException("no room");
        FrameSink failing =
                frame -> {
                    if (frame.cameraId().equals("cam-1") && frame.seq() == 3) {
                        throw failure;
                    }
                };
        try (CameraReplay replay =
                new CameraReplay(
                        plan(List.of(video, video), 2, Pace.unlimited(), true, null),
                        failing,
                        clock)) {
            assertThatThrownBy(replay::run).isSameAs(failure);
            assertThat(replay.sent()).containsEntry("cam-1", 3L);
        }
    }

    @Test
    void shouldReportAFrameThatFailedAfterItWasTaken() throws Exception {
        String video = video("v.mp4", 0, 3);
        FrameSink failingLate =
                new FrameSink() {
                    @Override
                    public void accept(EncodedFrame frame) {}

                    @Override
                    public void flush() throws IOException {
                        throw new IOException("broker gone");
                    }
                };
        try (CameraReplay replay =
                new CameraReplay(
                        plan(List.of(video), 1, Pace.unlimited(), false, null),
                        failingLate,
                        clock)) {
            assertThatThrownBy(replay::run).hasMessage("broker gone");
        }
    }

    @Test
    void shouldEndWhenClosedWhileItWaits() throws Exception {
        String video = video("v.mp4", 0, 5);
        CountDownLatch waiting = new CountDownLatch(1);
        ReplayClock stoppedClock =
                new FakeClock() {
                    @Override
                    public void sleepUntil(long nanoTime) throws InterruptedException {
                        if (nanoTime > nanoTime()) {
                            waiting.countDown();
                            new CountDownLatch(1).await();
                        }
                    }
                };
        CameraReplay replay =
                new CameraReplay(
                        plan(List.of(video), 1, Pace.asFilmed(), true, null),
                        frames::add,
                        stoppedClock);
        FutureTask<Map<String, Long>> running = start(replay);
        waiting.await();
        replay.close();
        assertThat(running.get(30, TimeUnit.SECONDS)).isEqualTo(Map.of("cam-1", 1L));
        assertThat(frames).hasSize(1);
    }

    @Test
    void shouldEndWhenClosedWhileItPlaysWithoutPause() throws Exception {
        String video = video("v.mp4", 0, 5);
        CountDownLatch playing = new CountDownLatch(100);
        CameraReplay replay =
                new CameraReplay(
                        plan(List.of(video), 2, Pace.unlimited(), true, null),
                        frame -> {
                            frames.add(frame);
                            playing.countDown();
                        },
                        clock);
        FutureTask<Map<String, Long>> running = start(replay);
        playing.await();
        replay.close();
        Map<String, Long> sent = running.get(30, TimeUnit.SECONDS);
        assertThat(sent.values().stream().mapToLong(Long::longValue).sum())
                .isEqualTo(frames.size());
    }

    @Test
    void shouldStopWhenInterrupted() throws Exception {
        String video = video("v.mp4", 0, 5);
        CountDownLatch playing = new CountDownLatch(10);
        CameraReplay replay =
                new CameraReplay(
                        plan(List.of(video), 1, Pace.unlimited(), true, null),
                        frame -> playing.countDown(),
                        clock);
        CountDownLatch interrupted = new CountDownLatch(1);
        Thread caller =
                new Thread(
                        () -> {
                            try {
                                replay.run();
                            } catch (InterruptedException e) {
                                interrupted.countDown();
                            } catch (IOException e) {
                                throw new AssertionError(e);
                            }
                        });
        caller.start();
        playing.await();
        caller.interrupt();
        caller.join();
        assertThat(interrupted.getCount()).isZero();
    }

    @Test
    void shouldGiveALiveStreamAsItComesAndReportThatItEnded() throws Exception {
        try (TestStream server = TestStream.serve(TestVideo.stream(folder, 0, 10))) {
            String address = server.address("me:secret@", "?key=secret");
            assertThatThrownBy(() -> run(plan(List.of(address), 2, Pace.asFilmed(), false, null)))
                    .isInstanceOf(IOException.class)
                    .hasMessage(
                            "camera cam-1, cam-2: video "
                                    + server.address("", "")
                                    + ": the stream has ended; replay --loop connects again");
        }
        assertThat(numbers("cam-2")).isEqualTo(IntStream.range(0, 10).boxed().toList());
        assertThat(clock.nanoTime()).isEqualTo(FakeClock.START_NANOS);
    }

    @Test
    void shouldKeepToAGivenRateWithALiveStream() throws Exception {
        try (TestStream server = TestStream.serve(TestVideo.stream(folder, 0, 10))) {
            String address = server.address("", "");
            assertThatThrownBy(() -> run(plan(List.of(address), 1, Pace.fps(10), false, null)))
                    .hasMessageContaining("the stream has ended");
        }
        assertThat(millis()).isEqualTo(LongStream.range(0, 10).mapToObj(i -> 100 * i).toList());
    }

    @Test
    void shouldConnectAgainToALiveStreamUntilItIsThere() throws Exception {
        byte[] stream = TestVideo.stream(folder, 0, 10);
        byte[] none = {};
        List<Long> attempts = Collections.synchronizedList(new ArrayList<>());
        // The decoder asks twice before it gives an address up.
        List<byte[]> connections = List.of(stream, none, none, none, none, stream);
        try (TestStream server =
                TestStream.serve(
                        connections,
                        () ->
                                attempts.add(
                                        (clock.nanoTime() - FakeClock.START_NANOS)
                                                / 1_000_000_000))) {
            String address = server.address("", "");
            run(plan(List.of(address), 1, Pace.asFilmed(), true, Duration.ofSeconds(80)));
        }
        assertThat(frames).hasSize(20);
        for (int i = 0; i < frames.size(); i++) {
            EncodedFrame frame = frames.get(i);
            assertThat(frame.epoch()).isEqualTo(i / 10);
            assertThat(frame.seq()).isEqualTo(i % 10);
            assertThat(millis().get(i)).isEqualTo(7000L * (i / 10));
        }
        assertThat(attempts.stream().distinct())
                .containsExactly(0L, 1L, 3L, 7L, 8L, 10L, 14L, 22L, 38L, 68L, 80L);
    }

    @Test
    void shouldPlayOtherVideosOnWhileAStreamIsLost() throws Exception {
        String video = video("v.mp4", 0, 5);
        CountDownLatch lost = new CountDownLatch(3);
        try (TestStream server =
                TestStream.serve(List.of(TestVideo.stream(folder, 0, 10)), lost::countDown)) {
            CountDownLatch playedOn = new CountDownLatch(20);
            CameraReplay replay =
                    new CameraReplay(
                            plan(
                                    List.of(server.address("", ""), video),
                                    2,
                                    Pace.unlimited(),
                                    true,
                                    null),
                            frame -> {
                                if (lost.getCount() == 0 && frame.cameraId().equals("cam-2")) {
                                    playedOn.countDown();
                                }
                            },
                            clock);
            FutureTask<Map<String, Long>> running = start(replay);
            playedOn.await();
            replay.close();
            assertThat(running.get(30, TimeUnit.SECONDS)).containsEntry("cam-1", 10L);
        }
    }

    @Test
    void shouldEncodePicturesIntoMemory() throws Exception {
        String video = video("v.mp4", 0, 10);
        List<byte[]> some = CameraReplay.encodeAll(video, 95, 4);
        assertThat(some).extracting(TestVideo::number).containsExactly(0, 1, 2, 3);
        assertThat(CameraReplay.encodeAll(video, 95, Integer.MAX_VALUE)).hasSize(10);
    }

    private String video(String name, int first, int count) throws Exception {
        return TestVideo.write(folder.resolve(name), first, count, 25).toString();
    }

    private static ReplayPlan plan(
            List<String> videos, int cameras, Pace pace, boolean loop, Duration duration) {
        return new ReplayPlan(
                videos, ReplayPlan.numberedCameras(cameras), 95, pace, loop, duration);
    }

    private Map<String, Long> run(ReplayPlan plan) throws Exception {
        try (CameraReplay replay = new CameraReplay(plan, frames::add, clock)) {
            return replay.run();
        }
    }

    private static FutureTask<Map<String, Long>> start(CameraReplay replay) {
        FutureTask<Map<String, Long>> running = new FutureTask<>(replay::run);
        new Thread(running).start();
        return running;
    }

    private List<Long> millis() {
        return frames.stream()
                .map(frame -> frame.captureTimeMillis() - FakeClock.START_MILLIS)
                .toList();
    }

    private List<EncodedFrame> of(String camera) {
        return frames.stream().filter(frame -> frame.cameraId().equals(camera)).toList();
    }

    private List<Integer> numbers(String camera) {
        return of(camera).stream().map(frame -> TestVideo.number(frame.jpeg())).toList();
    }

    /** Time passes only where someone sleeps. */
    private static class FakeClock implements ReplayClock {

        static final long START_MILLIS = 1_700_000_000_000L;
        static final long START_NANOS = 5_000_000_000L;

        private final AtomicLong nanos = new AtomicLong(START_NANOS);

        @Override
        public long currentTimeMillis() {
            return START_MILLIS + (nanos.get() - START_NANOS) / 1_000_000;
        }

        @Override
        public long nanoTime() {
            return nanos.get();
        }

        @Override
        public void sleepUntil(long nanoTime) throws InterruptedException {
            nanos.accumulateAndGet(nanoTime, Math::max);
        }
    }
}

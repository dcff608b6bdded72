// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DropReason;
import io.sightline.events.FrameRecord;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class AdmissionRoomTest {

    private static final int CAMERAS = 6;
    private static final long MAX_AGE = 100;

    private final List<String> dropped = new ArrayList<>();

    /** What a camera does, or the operator: frames of a size and age, or frames that leave. */
    private record Step(int camera, int bytes, int ageMillis, int polls, int millis) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        // Camera 0 floods.
        return Combinators.combine(
                        Arbitraries.frequencyOf(
                                Tuple.of(5, Arbitraries.just(0)),
                                Tuple.of(5, Arbitraries.integers().between(1, CAMERAS - 1))),
                        Arbitraries.integers().between(1, 40),
                        Arbitraries.integers().between(0, 150),
                        Arbitraries.integers().between(0, 2),
                        Arbitraries.integers().between(0, 30))
                .as(Step::new)
                .list()
                .ofMaxSize(200);
    }

    @Provide
    Arbitrary<List<OverloadPolicy>> policies() {
        return Arbitraries.of(OverloadPolicy.class).list().ofSize(CAMERAS);
    }

    /**
     * Whatever comes: each frame is waiting, polled in its camera's order, or dropped with a reason
     * that its camera's policy knows; the room keeps its bounds; and nobody who drops ever waits.
     */
    @Property(tries = 500)
    void shouldAccountForEachFrameWithinItsBounds(
            @ForAll("steps") List<Step> steps,
            @ForAll("policies") List<OverloadPolicy> policies,
            @ForAll @IntRange(min = 1, max = 8) int maxFrames,
            @ForAll @IntRange(min = 1, max = 200) int maxBytes)
            throws Exception {
        Map<PendingFrame, DropReason> drops = new HashMap<>();
        AdmissionRoom room =
                new AdmissionRoom(
                        maxFrames,
                        maxBytes,
                        MAX_AGE,
                        (frame, reason) -> assertThat(drops.put(frame, reason)).isNull());
        List<Camera> cameras = policies.stream().map(AdmissionRoomTest::camera).toList();
        long own = policies.stream().filter(OverloadPolicy::drops).count();
        List<PendingFrame> offered = new ArrayList<>();
        List<PendingFrame> polled = new ArrayList<>();
        long now = 1_000;
        for (Step step : steps) {
            now += step.millis();
            Camera camera = cameras.get(step.camera());
            PendingFrame frame =
                    frame(camera, offered.size(), step.bytes(), now - step.ageMillis());
            offered.add(frame);
            while (!room.offer(frame, now)) {
                assertThat(camera.line.policy).isEqualTo(OverloadPolicy.PROCESS_ALL);
                PendingFrame left = room.poll(now);
                assertThat(left).as("a full room has a frame to give").isNotNull();
                polled.add(left);
            }
            assertThat(room.size()).isLessThanOrEqualTo((int) (maxFrames + own));
            assertThat(room.size() <= 1 || room.bytes() <= maxBytes).isTrue();
            for (int i = 0; i < step.polls(); i++) {
                PendingFrame left = room.poll(now);
                if (left != null) {
                    polled.add(left);
                }
            }
        }
        int waiting = room.size();
        assertThat(polled.size() + drops.size() + waiting).isEqualTo(offered.size());
        for (PendingFrame left = room.poll(now); left != null; left = room.poll(now)) {
            polled.add(left);
        }
        assertThat(room.size()).isZero();
        assertThat(room.bytes()).isZero();
        assertThat(polled).doesNotHaveDuplicates().noneMatch(drops::containsKey);
        assertThat(polled.size() + drops.size()).isEqualTo(offered.size());
        for (Camera camera : cameras) {
            assertThat(polled.stream().filter(f -> f.camera == camera).map(f -> f.record.offset()))
                    .isSorted();
        }
        drops.forEach(
                (frame, reason) -> {
                    switch (frame.camera.line.policy) {
                        case PROCESS_ALL -> throw new AssertionError("dropped " + reason);
                        case LATEST -> assertThat(reason).isNotEqualTo(DropReason.TOO_OLD);
                        case MAX_AGE -> assertThat(reason).isNotEqualTo(DropReason.SUPERSEDED);
                    }
                });
    }

    /**
     * Of the cameras whose frames wait it is the turn of the one whose last turn was the longest
     * ago, so that each other camera is served once before it at most.
     */
    @Property(tries = 300)
    void shouldServeEachCameraInItsTurn(
            @ForAll("steps") List<Step> steps, @ForAll("policies") List<OverloadPolicy> policies)
            throws Exception {
        AdmissionRoom room = new AdmissionRoom(200, 1_000_000, MAX_AGE, (frame, reason) -> {});
        List<Camera> cameras = policies.stream().map(AdmissionRoomTest::camera).toList();
        Map<Camera, Integer> lastTurns = new HashMap<>();
        long now = 1_000;
        int turn = 0;
        int number = 0;
        for (Step step : steps) {
            now += step.millis();
            Camera camera = cameras.get(step.camera());
            PendingFrame frame = frame(camera, number++, step.bytes(), now - step.ageMillis());
            assertThat(room.offer(frame, now)).isTrue();
            for (int i = 0; i < step.polls(); i++) {
                PendingFrame left = room.poll(now);
                if (left == null) {
                    break;
                }
                int lastTurn = lastTurns.getOrDefault(left.camera, 0);
                for (Camera other : cameras) {
                    if (other != left.camera && !other.line.frames.isEmpty()) {
                        assertThat(lastTurn).isLessThanOrEqualTo(lastTurns.getOrDefault(other, 0));
                    }
                }
                lastTurns.put(left.camera, ++turn);
            }
        }
    }

    @Test
    void shouldKeepTheNewestFrameOfEachCameraUnderLatest() throws Exception {
        AdmissionRoom room = room(2, 1_000);
        Camera flood = camera(OverloadPolicy.LATEST);
        List<Camera> others = List.of(camera(OverloadPolicy.LATEST), camera(OverloadPolicy.LATEST));
        for (int i = 0; i < 5; i++) {
            assertThat(room.offer(frame(flood, i, 10, 0), 0)).isTrue();
        }
        // The room has two places, and one for each camera all the same.
        room.offer(frame(others.get(0), 10, 10, 0), 0);
        room.offer(frame(others.get(1), 20, 10, 0), 0);
        room.offer(frame(flood, 5, 10, 0), 0);

        assertThat(dropped)
                .containsExactly(
                        "0 superseded",
                        "1 superseded",
                        "2 superseded",
                        "3 superseded",
                        "4 superseded");
        assertThat(pollAll(room, 0)).containsExactly(5L, 10L, 20L);
    }

    @Test
    void shouldTurnAwayUnderLatestOnlyWhereBytesRunOut() throws Exception {
        AdmissionRoom room = room(8, 100);
        Camera a = camera(OverloadPolicy.LATEST);
        room.offer(frame(a, 0, 60, 0), 0);
        room.offer(frame(camera(OverloadPolicy.LATEST), 1, 60, 0), 0);
        // Its own older frame makes the place.
        room.offer(frame(a, 2, 90, 0), 0);

        assertThat(dropped).containsExactly("1 room-full", "0 superseded");
        assertThat(pollAll(room, 0)).containsExactly(2L);
    }

    @Test
    void shouldDropUnderMaxAgeWhatIsTooOldWhereverItIs() throws Exception {
        AdmissionRoom room = room(8, 1_000);
        Camera camera = camera(OverloadPolicy.MAX_AGE);
        room.offer(frame(camera, 0, 10, 0), 150);
        room.offer(frame(camera, 1, 10, 60), 150);
        room.offer(frame(camera, 2, 10, 140), 150);
        assertThat(dropped).containsExactly("0 too-old");

        assertThat(pollAll(room, 161)).containsExactly(2L);
        assertThat(dropped).containsExactly("0 too-old", "1 too-old");
    }

    @Test
    void shouldLetTheCameraThatFloodsPayWhereTheRoomIsFull() throws Exception {
        AdmissionRoom room = room(4, 1_000);
        Camera flood = camera(OverloadPolicy.MAX_AGE);
        Camera quiet = camera(OverloadPolicy.MAX_AGE);
        for (int i = 0; i < 6; i++) {
            room.offer(frame(flood, i, 10, 0), 0);
        }
        room.offer(frame(quiet, 10, 10, 0), 0);
        room.offer(frame(quiet, 11, 10, 0), 0);

        assertThat(dropped)
                .containsExactly("0 room-full", "1 room-full", "2 room-full", "3 room-full");
        assertThat(pollAll(room, 0)).containsExactly(4L, 10L, 5L, 11L);
    }

    @Test
    void shouldNeitherDropNorOverfillUnderProcessAll() throws Exception {
        AdmissionRoom room = room(2, 1_000);
        Camera all = camera(OverloadPolicy.PROCESS_ALL);
        Camera latest = camera(OverloadPolicy.LATEST);
        assertThat(room.offer(frame(all, 0, 10, 0), 0)).isTrue();
        assertThat(room.offer(frame(all, 1, 10, 0), 0)).isTrue();
        PendingFrame atTheDoor = frame(all, 2, 10, 0);
        assertThat(room.offer(atTheDoor, 0)).isFalse();
        // A camera that drops finds its place all the same.
        assertThat(room.offer(frame(latest, 10, 10, 0), 0)).isTrue();

        assertThat(room.poll(0).record.offset()).isZero();
        assertThat(room.offer(atTheDoor, 0)).as("two wait already").isFalse();
        assertThat(room.poll(0).record.offset()).isEqualTo(10);
        assertThat(room.offer(atTheDoor, 0)).isTrue();
        assertThat(pollAll(room, 0)).containsExactly(1L, 2L);
        assertThat(dropped).isEmpty();
    }

    @Test
    void shouldTakeASingleFrameOfAnySize() throws Exception {
        AdmissionRoom room = room(1, 10);
        assertThat(room.offer(frame(camera(OverloadPolicy.PROCESS_ALL), 0, 11, 0), 0)).isTrue();
    }

    /**
     * Cameras beyond the number that is told apart: of them all the oldest frame goes, whichever
     * camera's it is.
     */
    @Test
    void shouldKeepASharedLineShortWithoutPreferringTheNewest() throws Exception {
        AdmissionRoom room = room(3, 1_000);
        CameraLine shared = new CameraLine(OverloadPolicy.LATEST, /* shared= */ true);
        Camera rest = new Camera(null, shared, new CameraTime(0), null);
        for (int i = 0; i < 4; i++) {
            room.offer(frame(rest, i, 10, 0), 0);
        }
        assertThat(dropped).containsExactly("0 room-full");
        assertThat(pollAll(room, 0)).containsExactly(1L, 2L, 3L);
    }

    private AdmissionRoom room(int maxFrames, int maxBytes) {
        return new AdmissionRoom(
                maxFrames,
                maxBytes,
                MAX_AGE,
                (frame, reason) -> dropped.add(frame.record.offset() + " " + reason.label()));
    }

    private static Camera camera(OverloadPolicy policy) {
        return new Camera(
                "cam", new CameraLine(policy, /* shared= */ false), new CameraTime(0), null);
    }

    private static PendingFrame frame(Camera camera, long offset, int bytes, long captured) {
        PendingFrame frame =
                new PendingFrame(
                        () -> {},
                        new FrameRecord(
                                "f",
                                0,
                                offset,
                                captured,
                                new byte[] {1},
                                new byte[bytes],
                                new FrameRecord.Header[0]),
                        0);
        frame.camera = camera;
        return frame;
    }

    private static List<Long> pollAll(AdmissionRoom room, long now) throws Exception {
        Map<PendingFrame, Long> offsets = new LinkedHashMap<>();
        for (PendingFrame f = room.poll(now); f != null; f = room.poll(now)) {
            offsets.put(f, f.record.offset());
        }
        return List.copyOf(offsets.values());
    }
}

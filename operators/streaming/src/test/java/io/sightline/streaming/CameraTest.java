// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.CameraFrame;
import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatus.ClockJumps;
import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import io.sightline.events.DropReason;
import io.sightline.events.FrameRecord;
import java.util.List;
import java.util.Map;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

class CameraTest {

    private static final long NOON = 1_795_435_200_000L;
    private static final long SILENT_AFTER = 10_000;

    private final Camera camera = camera("cam-1");

    private static Camera camera(String id) {
        return new Camera(
                id,
                new CameraLine(OverloadPolicy.LATEST, /* shared= */ id == null),
                new CameraTime(5_000),
                new FrameAccount(new UnregisteredMetricsGroup()));
    }

    private static CameraFrame frame(long captured, long epoch) {
        return new CameraFrame("cam-1", new byte[1], captured, null, epoch, null, 0);
    }

    private static FrameRecord record(int partition, long offset) {
        return new FrameRecord("f", partition, offset, 0, null, null, new FrameRecord.Header[0]);
    }

    private static long nanos(long millis) {
        return (millis - NOON) * 1_000_000;
    }

    private void frameIn(CameraFrame frame, long now) {
        camera.frameIn(frame, now, nanos(now));
    }

    private CameraStatus status(long now) {
        return camera.takeStatus(7L, 3, now, nanos(now), SILENT_AFTER);
    }

    @Test
    void shouldSayWhatBecameOfItsFramesAndBeginAnew() {
        for (int i = 0; i < 8; i++) {
            frameIn(frame(NOON + i, 0), NOON + 40 + i);
        }
        camera.eventOut();
        camera.deadLetterOut();
        for (long offset : new long[] {3, 4, 7}) {
            camera.dropped(record(0, offset), DropReason.SUPERSEDED);
        }
        camera.dropped(record(0, 5), DropReason.ROOM_FULL);
        camera.dropped(record(1, 8), DropReason.SUPERSEDED);

        CameraStatus status = status(NOON + 100);
        assertThat(status.framesIn()).isEqualTo(7);
        assertThat(status.events()).isEqualTo(1);
        assertThat(status.deadLetters()).isEqualTo(1);
        assertThat(status.dropped())
                .isEqualTo(Map.of("superseded", 4L, "too-old", 0L, "room-full", 1L));
        assertThat(status.droppedOffsets())
                .containsExactly(
                        new DroppedOffsets(
                                "f",
                                0,
                                "superseded",
                                List.of(new OffsetRange(3, 4), new OffsetRange(7, 7))),
                        new DroppedOffsets("f", 0, "room-full", List.of(new OffsetRange(5, 5))),
                        new DroppedOffsets("f", 1, "superseded", List.of(new OffsetRange(8, 8))));
        assertThat(status.checkpoint()).isEqualTo(7);
        assertThat(status.subtask()).isEqualTo(3);
        assertThat(status.time()).isEqualTo("2026-11-23T12:00:00.100Z");
        assertThat(status.lagMillis()).isEqualTo(40);

        CameraStatus next = status(NOON + 200);
        assertThat(next.framesIn()).isZero();
        assertThat(next.droppedOffsets()).isEmpty();
        assertThat(next.lastCaptureTime()).isEqualTo("2026-11-23T12:00:00.007Z");
    }

    @Test
    void shouldReportDropsAloneAndTheRestLater() {
        camera.eventOut();
        camera.dropped(record(0, 3), DropReason.TOO_OLD);

        CameraStatus drops = camera.takeDrops(3, NOON, nanos(NOON), SILENT_AFTER);
        assertThat(drops.framesIn()).isEqualTo(1);
        assertThat(drops.events()).isZero();
        assertThat(drops.checkpoint()).isNull();
        assertThat(status(NOON).framesIn()).isEqualTo(1);
    }

    @Test
    void shouldTellSilenceAndTheStateOfTheClock() {
        assertThat(status(NOON).lastCaptureTime()).as("before any frame").isNull();
        assertThat(status(NOON).silentSince()).isNull();
        frameIn(frame(NOON - 60_000, 4), NOON);
        frameIn(frame(NOON, 4), NOON);
        frameIn(frame(NOON - 60_000, 4), NOON);
        frameIn(frame(NOON, 5), NOON);

        CameraStatus status = status(NOON + SILENT_AFTER);
        assertThat(status.silentSince()).isNull();
        assertThat(status.clockJumps()).isEqualTo(new ClockJumps(1, 1));
        assertThat(status.epochChanges()).isEqualTo(1);
        assertThat(status.epoch()).isEqualTo(5);

        CameraStatus silent = status(NOON + SILENT_AFTER + 1);
        assertThat(silent.silentSince()).isEqualTo("2026-11-23T12:00:00.000Z");
        assertThat(silent.clockJumps()).isEqualTo(new ClockJumps(0, 0));
    }

    @Test
    void shouldHaveNoClockWhereSeveralCamerasShareIt() {
        Camera rest = camera(null);
        assertThat(rest.worthAStatus()).isFalse();
        rest.frameIn(frame(NOON, 4), NOON, nanos(NOON));
        rest.eventOut();
        assertThat(rest.worthAStatus()).isTrue();
        CameraStatus status = rest.takeStatus(1L, 0, NOON, nanos(NOON), SILENT_AFTER);
        assertThat(status.cameraId()).isNull();
        assertThat(status.lastCaptureTime()).isNull();
        assertThat(status.events()).isEqualTo(1);
    }
}

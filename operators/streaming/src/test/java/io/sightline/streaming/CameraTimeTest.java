// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.FrameRecord;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.junit.jupiter.api.Test;

class CameraTimeTest {

    private static final long TOLERANCE = 5_000;

    private final CameraTime time = new CameraTime(TOLERANCE);

    private void assertCounts(long forward, long backward, long epochs) {
        assertThat(List.of(time.forwardJumps(), time.backwardJumps(), time.epochChanges()))
                .containsExactly(forward, backward, epochs);
    }

    @Test
    void shouldNotMistakeSilenceOrABacklogForAJump() {
        time.frame(1_000, 0, 2_000);
        // An hour of silence.
        time.frame(3_601_000, 0, 3_602_000);
        // Held up, then ten seconds of frames at once.
        for (int i = 1; i <= 250; i++) {
            time.frame(3_601_000 + 40 * i, 0, 3_700_000);
        }
        // Somewhat out of order, and somewhat ahead.
        time.frame(3_611_000 - TOLERANCE, 0, 3_700_000);
        time.frame(3_611_000, 0, 3_700_000);
        assertCounts(0, 0, 0);
    }

    @Test
    void shouldTellJumpsOfTheClockByDirectionAndCountAnew() {
        time.frame(100_000, 0, 100_000);
        time.frame(100_040 + TOLERANCE, 0, 100_040);
        assertCounts(0, 0, 0);
        time.frame(100_041 + 2 * TOLERANCE, 0, 100_040);
        assertCounts(1, 0, 0);
        time.frame(100_080, 0, 100_080);
        assertCounts(1, 1, 0);
        time.resetCounts();
        assertCounts(0, 0, 0);
        time.frame(100_120, 0, 100_120);
        assertCounts(0, 0, 0);
        assertThat(time.captureMillis()).isEqualTo(100_120);
    }

    @Test
    void shouldTakeAStepThatTheCameraAnnouncesForAChangeOfEpochAlone() {
        time.frame(100_000, 1, 100_000);
        time.frame(0, 2, 100_040);
        time.frame(40, 2, 100_080);
        time.frame(900_000, 1, 100_120);
        assertCounts(0, 0, 2);
        assertThat(time.epoch()).isEqualTo(1);
    }

    @Test
    void shouldNotLetOneWrongClockMakeOthersLate() {
        CaptureTimeWatermarks watermarks =
                new CaptureTimeWatermarks(
                        Duration.ofMillis(TOLERANCE),
                        InstantSource.fixed(Instant.ofEpochMilli(100_000)));
        List<Long> emitted = new ArrayList<>();
        WatermarkOutput output =
                new WatermarkOutput() {
                    @Override
                    public void emitWatermark(Watermark watermark) {
                        emitted.add(watermark.getTimestamp());
                    }

                    @Override
                    public void markIdle() {}

                    @Override
                    public void markActive() {}
                };
        watermarks.onPeriodicEmit(output);
        watermarks.onEvent(frame(-1), -1, output);
        watermarks.onPeriodicEmit(output);
        assertThat(emitted).as("no time yet").isEmpty();

        watermarks.onEvent(frame(99_000), 99_000, output);
        watermarks.onEvent(frame(500_000), 500_000, output);
        watermarks.onEvent(frame(98_000), 98_000, output);
        watermarks.onPeriodicEmit(output);
        assertThat(emitted).containsExactly(99_000 - TOLERANCE - 1);
    }

    private static FrameRecord frame(long captured) {
        return new FrameRecord("f", 0, 0, captured, null, null, new FrameRecord.Header[0]);
    }
}

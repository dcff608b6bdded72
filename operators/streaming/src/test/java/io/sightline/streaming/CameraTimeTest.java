// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CameraTimeTest {

    private static final long TOLERANCE = 5_000;

    private final CameraTime time = new CameraTime(TOLERANCE);

    private void frame(long captured, long epoch, long now) {
        time.frame(captured, epoch, now, now * 1_000_000);
    }

    private void assertCounts(long forward, long backward, long epochs) {
        assertThat(List.of(time.forwardJumps(), time.backwardJumps(), time.epochChanges()))
                .containsExactly(forward, backward, epochs);
    }

    @Test
    void shouldNotCallACameraSilentThatNeverCame() {
        assertThat(time.silentMillis(1_080_000_000)).isZero();
    }

    @Test
    void shouldNotMistakeSilenceOrABacklogForAJump() {
        frame(1_000, 0, 2_000);
        // An hour of silence.
        frame(3_601_000, 0, 3_602_000);
        // Held up, then ten seconds of frames at once.
        for (int i = 1; i <= 250; i++) {
            frame(3_601_000 + 40 * i, 0, 3_700_000);
        }
        // Somewhat out of order, and somewhat ahead.
        frame(3_611_000 - TOLERANCE, 0, 3_700_000);
        frame(3_611_000, 0, 3_700_000);
        assertCounts(0, 0, 0);
    }

    @Test
    void shouldTellJumpsOfTheClockByDirectionAndCountAnew() {
        frame(100_000, 0, 100_000);
        frame(100_040 + TOLERANCE, 0, 100_040);
        assertCounts(0, 0, 0);
        frame(100_041 + 2 * TOLERANCE, 0, 100_040);
        assertCounts(1, 0, 0);
        frame(100_080, 0, 100_080);
        assertCounts(1, 1, 0);
        time.resetCounts();
        assertCounts(0, 0, 0);
        frame(100_120, 0, 100_120);
        assertCounts(0, 0, 0);
        assertThat(time.captureMillis()).isEqualTo(100_120);
    }

    @Test
    void shouldTakeAStepThatTheCameraAnnouncesForAChangeOfEpochAlone() {
        frame(100_000, 1, 100_000);
        frame(0, 2, 100_040);
        frame(40, 2, 100_080);
        frame(900_000, 1, 100_120);
        assertCounts(0, 0, 2);
        assertThat(time.epoch()).isEqualTo(1);
    }

    @Test
    void shouldNotTakeAStepOfThisMachinesClockForOneOfTheCamera() {
        time.frame(100_000, 0, 100_000, 0);
        time.frame(100_040, 0, 900_000, 40_000_000);
        time.frame(100_080, 0, 1_000, 80_000_000);
        assertCounts(0, 0, 0);
        assertThat(time.millisSinceArrival(1_080_000_000)).isEqualTo(1_000);
        assertThat(time.silentMillis(1_080_000_000)).isEqualTo(1_000);
    }
}

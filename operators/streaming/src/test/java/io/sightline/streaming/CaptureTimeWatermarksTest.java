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
import org.apache.flink.util.clock.RelativeClock;
import org.junit.jupiter.api.Test;

class CaptureTimeWatermarksTest {

    private static final long TOLERANCE = 5_000;
    private static final long SILENT_AFTER = 10_000;
    private static final String IDLE = "idle";

    private final List<Object> said = new ArrayList<>();
    private long passedMillis;
    private final CaptureTimeWatermarks watermarks =
            new CaptureTimeWatermarks(
                    Duration.ofMillis(TOLERANCE),
                    Duration.ofMillis(SILENT_AFTER),
                    InstantSource.fixed(Instant.ofEpochMilli(100_000)),
                    new RelativeClock() {
                        @Override
                        public long relativeTimeMillis() {
                            return passedMillis;
                        }

                        @Override
                        public long relativeTimeNanos() {
                            return passedMillis * 1_000_000;
                        }
                    });
    private final WatermarkOutput output =
            new WatermarkOutput() {
                @Override
                public void emitWatermark(Watermark watermark) {
                    said.add(watermark.getTimestamp());
                }

                @Override
                public void markIdle() {
                    said.add(IDLE);
                }

                @Override
                public void markActive() {
                    throw new AssertionError("a watermark says that already");
                }
            };

    private void capturedAt(long... times) {
        for (long time : times) {
            watermarks.onEvent(
                    new FrameRecord("f", 0, 0, time, null, null, new FrameRecord.Header[0]),
                    time,
                    output);
        }
        watermarks.onPeriodicEmit(output);
    }

    @Test
    void shouldFollowTheLatestCaptureTimeThatIsBelieved() {
        capturedAt();
        capturedAt(-1);
        assertThat(said).as("no time yet").isEmpty();

        capturedAt(99_000, 500_000, 98_000);
        assertThat(said).containsExactly(99_000 - TOLERANCE - 1);
    }

    @Test
    void shouldHoldNobodyBackWhileNothingComes() {
        capturedAt(99_000);
        passedMillis = SILENT_AFTER;
        capturedAt();
        passedMillis++;
        capturedAt();
        capturedAt(99_500);
        assertThat(said)
                .containsExactly(
                        99_000 - TOLERANCE - 1,
                        99_000 - TOLERANCE - 1,
                        IDLE,
                        99_500 - TOLERANCE - 1);
    }

    @Test
    void shouldHoldNobodyBackWhileNothingThatComesIsBelieved() {
        capturedAt(500_000, -1);
        passedMillis = SILENT_AFTER + 1;
        capturedAt(500_000 + passedMillis, -1);
        assertThat(said).containsExactly(IDLE);
    }
}

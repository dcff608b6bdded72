// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.FrameRecord;
import java.time.Duration;
import java.time.InstantSource;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;

/**
 * Event time of a partition: the latest capture time less the tolerance that clocks have. A capture
 * time that lies further ahead of this machine's clock than that is not believed, or one camera
 * with a wrong clock would make all others late.
 */
public final class CaptureTimeWatermarks implements WatermarkGenerator<FrameRecord> {

    private final long toleranceMillis;
    private final InstantSource clock;
    private long latestMillis = Long.MIN_VALUE;

    CaptureTimeWatermarks(Duration tolerance, InstantSource clock) {
        this.toleranceMillis = tolerance.toMillis();
        this.clock = clock;
    }

    /**
     * @param tolerance by which clocks may differ
     * @param silentAfter a partition from which nothing came for so long no longer holds event time
     *     back
     */
    public static WatermarkStrategy<FrameRecord> strategy(
            Duration tolerance, Duration silentAfter) {
        return WatermarkStrategy.<FrameRecord>forGenerator(
                        context -> new CaptureTimeWatermarks(tolerance, InstantSource.system()))
                .withTimestampAssigner((frame, kafkas) -> frame.timestampMillis())
                .withIdleness(silentAfter);
    }

    @Override
    public void onEvent(FrameRecord frame, long captureMillis, WatermarkOutput output) {
        if (captureMillis > latestMillis && captureMillis - clock.millis() <= toleranceMillis) {
            latestMillis = captureMillis;
        }
    }

    @Override
    public void onPeriodicEmit(WatermarkOutput output) {
        if (latestMillis >= 0) {
            output.emitWatermark(new Watermark(latestMillis - toleranceMillis - 1));
        }
    }
}

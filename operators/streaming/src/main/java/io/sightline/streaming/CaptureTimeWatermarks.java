// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.FrameRecord;
import java.time.Duration;
import java.time.InstantSource;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.api.common.eventtime.WatermarkGenerator;
import org.apache.flink.api.common.eventtime.WatermarkOutput;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.util.clock.RelativeClock;

/**
 * Event time of a partition: the latest capture time less the tolerance that clocks have. A capture
 * time that lies further ahead of this machine's clock than that is not believed, or one camera
 * with a wrong clock would make all others late. A partition from which nothing came that is
 * believed holds event time back no longer.
 */
public final class CaptureTimeWatermarks implements WatermarkGenerator<FrameRecord> {

    private final long toleranceMillis;
    private final long silentAfterMillis;
    private final InstantSource clock;
    private final RelativeClock activity;
    private long latestMillis = Long.MIN_VALUE;
    private long believedAtMillis;

    /**
     * @param activity stands still while the partition may not be read
     */
    CaptureTimeWatermarks(
            Duration tolerance, Duration silentAfter, InstantSource clock, RelativeClock activity) {
        this.toleranceMillis = tolerance.toMillis();
        this.silentAfterMillis = silentAfter.toMillis();
        this.clock = clock;
        this.activity = activity;
        this.believedAtMillis = activity.relativeTimeMillis();
    }

    /**
     * @param tolerance by which clocks may differ
     * @param silentAfter a partition from which nothing believed came for so long no longer holds
     *     event time back
     */
    public static WatermarkStrategy<FrameRecord> strategy(
            Duration tolerance, Duration silentAfter) {
        return WatermarkStrategy.<FrameRecord>forGenerator(
                        context ->
                                new CaptureTimeWatermarks(
                                        tolerance,
                                        silentAfter,
                                        InstantSource.system(),
                                        context.getInputActivityClock()))
                .withTimestampAssigner((frame, kafkas) -> frame.timestampMillis());
    }

    @Override
    public void onEvent(FrameRecord frame, long captureMillis, WatermarkOutput output) {
        // A frame without a time of capture has a negative one.
        if (captureMillis >= 0 && captureMillis - clock.millis() <= toleranceMillis) {
            latestMillis = Math.max(latestMillis, captureMillis);
            believedAtMillis = activity.relativeTimeMillis();
        }
    }

    @Override
    public void onPeriodicEmit(WatermarkOutput output) {
        if (activity.relativeTimeMillis() - believedAtMillis > silentAfterMillis) {
            output.markIdle();
        } else if (latestMillis >= 0) {
            output.emitWatermark(new Watermark(latestMillis - toleranceMillis - 1));
        }
    }
}

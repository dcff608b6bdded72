// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.CameraFrame;
import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatus.ClockJumps;
import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.DropReason;
import io.sightline.events.FrameRecord;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A camera as one subtask sees it: its line, its account, its clock, and what it did since its last
 * status. None of it is state: after a restart the frames are read again that no checkpoint holds,
 * and decided on anew.
 */
final class Camera {

    /** More are reported at once and not kept: a status must fit into a record. */
    private static final int MAX_RANGES = 4_096;

    /** Null for those that share one line. */
    private final String id;

    final CameraLine line;
    private final CameraTime time;
    private final FrameAccount account;
    private final DroppedRuns droppedRuns = new DroppedRuns();
    private long events;
    private long deadLetters;

    Camera(String id, CameraLine line, CameraTime time, FrameAccount account) {
        this.id = id;
        this.line = line;
        this.time = time;
        this.account = account;
    }

    /**
     * A frame has arrived.
     *
     * @param frame null where the record broke the contract
     */
    void frameIn(CameraFrame frame, long nowMillis, long nowNanos) {
        account.framesIn.inc();
        // The clocks of several cameras are no clock.
        if (frame != null && id != null) {
            time.frame(frame.captureTimeMillis(), frame.epoch(), nowMillis, nowNanos);
        }
    }

    void eventOut() {
        events++;
        account.eventsOut.inc();
    }

    void deadLetterOut() {
        deadLetters++;
        account.deadLetters.inc();
    }

    void dropped(FrameRecord record, DropReason reason) {
        droppedRuns.add(record, reason);
        account.dropped(reason);
    }

    /**
     * Whether its next status has anything to say: that of cameras that share one often has not.
     */
    boolean worthAStatus() {
        return id != null || events > 0 || deadLetters > 0 || droppedRuns.ranges() > 0;
    }

    /** Whether its drops have to be reported before the next checkpoint. */
    boolean manyDrops() {
        return droppedRuns.ranges() >= MAX_RANGES;
    }

    /**
     * What was dropped since the last status, and that alone, so that what comes next is balanced
     * as well.
     */
    CameraStatus takeDrops(int subtask, long nowMillis, long nowNanos, long silentAfterMillis) {
        return status(null, subtask, nowMillis, nowNanos, silentAfterMillis, 0, 0);
    }

    /**
     * Everything since the last status.
     *
     * @param checkpoint null at the end of the input
     */
    CameraStatus takeStatus(
            Long checkpoint, int subtask, long nowMillis, long nowNanos, long silentAfterMillis) {
        CameraStatus status =
                status(
                        checkpoint,
                        subtask,
                        nowMillis,
                        nowNanos,
                        silentAfterMillis,
                        events,
                        deadLetters);
        events = 0;
        deadLetters = 0;
        return status;
    }

    private CameraStatus status(
            Long checkpoint,
            int subtask,
            long nowMillis,
            long nowNanos,
            long silentAfterMillis,
            long withEvent,
            long withLetter) {
        List<DroppedOffsets> offsets = droppedRuns.take();
        Map<String, Long> byReason = new LinkedHashMap<>();
        for (DropReason reason : DropReason.values()) {
            byReason.put(reason.label(), 0L);
        }
        long dropped = 0;
        for (DroppedOffsets group : offsets) {
            long frames = 0;
            for (OffsetRange range : group.ranges()) {
                frames += range.last() - range.first() + 1;
            }
            byReason.merge(group.reason(), frames, Long::sum);
            dropped += frames;
        }
        boolean silent = time.seen() && time.millisSinceArrival(nowNanos) > silentAfterMillis;
        CameraStatus status =
                new CameraStatus(
                        CameraStatus.SCHEMA,
                        id,
                        DetectionEventCodec.formatTime(nowMillis),
                        checkpoint,
                        subtask,
                        withEvent + withLetter + dropped,
                        withEvent,
                        withLetter,
                        byReason,
                        offsets,
                        time.seen() ? time.arrivalMillis() - time.captureMillis() : null,
                        time.seen() ? DetectionEventCodec.formatTime(time.captureMillis()) : null,
                        time.seen() ? time.epoch() : null,
                        silent ? DetectionEventCodec.formatTime(time.arrivalMillis()) : null,
                        new ClockJumps(time.forwardJumps(), time.backwardJumps()),
                        time.epochChanges());
        time.resetCounts();
        return status;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the job counted of a camera's frames since its status before, and how it finds the camera.
 *
 * @param checkpoint null where none holds what is counted
 * @param framesIn frames that were analysed, became dead letters, or were dropped
 * @param events of them, those analysed
 * @param dropped of them, those given up under overload, by reason; reasons of which there were any
 * @param lagMillis from the capture of the last frame to its arrival in the job; null before the
 *     first
 * @param silentSinceMillis when the last frame arrived, where that is too long ago; else null
 * @param droppedFrames which they were
 */
record JobStatus(
        String camera,
        Long checkpoint,
        long framesIn,
        long events,
        Map<String, Long> dropped,
        Long lagMillis,
        Long silentSinceMillis,
        DroppedFrames droppedFrames) {

    /** Frames dropped, as the job lists them: runs of offsets. Never changes. */
    static final class DroppedFrames {

        private static final Comparator<FrameKey> ORDER =
                Comparator.comparingInt(FrameKey::partition).thenComparingLong(FrameKey::offset);

        private final TreeMap<FrameKey, Run> runs = new TreeMap<>(ORDER);

        private record Run(FrameKey last, String reason) {}

        private DroppedFrames() {}

        static DroppedFrames of(List<DroppedOffsets> offsets) {
            DroppedFrames frames = new DroppedFrames();
            for (DroppedOffsets some : offsets) {
                for (OffsetRange range : some.ranges()) {
                    FrameKey last = new FrameKey(some.partition(), range.last());
                    frames.runs.put(
                            new FrameKey(some.partition(), range.first()),
                            new Run(last, TopicRecords.dropReason(some.reason())));
                }
            }
            return frames;
        }

        /** Why a frame was dropped; null where it was not. */
        String reason(FrameKey frame) {
            Map.Entry<FrameKey, Run> run = runs.floorEntry(frame);
            return run == null || ORDER.compare(frame, run.getValue().last()) > 0
                    ? null
                    : run.getValue().reason();
        }
    }
}

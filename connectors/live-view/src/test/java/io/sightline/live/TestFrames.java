// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.events.CameraFrame;
import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.DetectionEventCodec;
import io.sightline.live.JobStatus.DroppedFrames;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Frames and answers as tests need them. */
final class TestFrames {

    private static final DetectionEventCodec EVENTS = new DetectionEventCodec();

    private TestFrames() {}

    static CameraFrame frame(String camera, int bytes) {
        return new CameraFrame(camera, new byte[bytes], 1_000_000, 7L, 0, null, 0);
    }

    static Answer.Event event(FrameKey key, String camera, String... labels) {
        return event(key, camera, 30, labels);
    }

    static Answer.Event event(FrameKey key, String camera, long latencyMillis, String... labels) {
        List<DetectedObject> objects =
                Arrays.stream(labels)
                        .map(
                                label ->
                                        new DetectedObject(
                                                0, label, 0.9, new BoundingBox(1, 2, 3, 4)))
                        .toList();
        return new Answer.Event(
                key, camera, 1_000_000, latencyMillis, objects, json(key, camera, objects));
    }

    static String json(FrameKey key, String camera, List<DetectedObject> objects) {
        return new String(EVENTS.encode(detection(key, camera, objects)), StandardCharsets.UTF_8);
    }

    static DetectionEvent detection(FrameKey key, String camera, List<DetectedObject> objects) {
        return new DetectionEvent(
                DetectionEvent.SCHEMA,
                "00112233445566778899aabbccddeeff",
                camera,
                0,
                7L,
                DetectionEventCodec.formatTime(1_000_000),
                new DetectionEvent.Source("camera-frames", key.partition(), key.offset()),
                new DetectionEvent.Image(640, 480),
                new DetectionEvent.Model("model", "ab", "int8", "onnxruntime"),
                objects,
                new DetectionEvent.Timing(1, 2, 3, 4, 5, 1, 30),
                null);
    }

    /** All that were not analysed were superseded. */
    static JobStatus status(String camera, long checkpoint, long framesIn, long events) {
        Map<String, Long> dropped =
                framesIn == events ? Map.of() : Map.of("superseded", framesIn - events);
        return status(camera, checkpoint, framesIn, events, dropped, 31L, null);
    }

    static JobStatus status(
            String camera,
            Long checkpoint,
            long framesIn,
            long events,
            Map<String, Long> dropped,
            Long lagMillis,
            Long silentSinceMillis) {
        return new JobStatus(
                camera,
                checkpoint,
                framesIn,
                events,
                dropped,
                lagMillis,
                silentSinceMillis,
                DroppedFrames.of(List.of()));
    }

    static JobStatus superseded(String camera, FrameKey... keys) {
        List<DroppedOffsets> offsets =
                Arrays.stream(keys)
                        .map(
                                key ->
                                        new DroppedOffsets(
                                                "camera-frames",
                                                key.partition(),
                                                "superseded",
                                                List.of(
                                                        new OffsetRange(
                                                                key.offset(), key.offset()))))
                        .toList();
        return new JobStatus(
                camera,
                1L,
                keys.length,
                0,
                Map.of("superseded", (long) keys.length),
                31L,
                null,
                DroppedFrames.of(offsets));
    }

    static Answer.DeadLetter deadLetter(FrameKey key, String camera) {
        return new Answer.DeadLetter(key, camera, 1_000_000L, "decode", "corrupt", "it is broken");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import io.sightline.events.CameraFrameCodec;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * What a replay plays. Camera i plays video i modulo the number of videos.
 *
 * @param videos files or addresses, at least one
 * @param cameraIds the cameras, at least as many as there are videos; no two alike
 * @param jpegQuality 1 to 100
 * @param pace how fast; of live streams, as filmed is as they come
 * @param loop whether each video begins anew when it ends; a live stream that ends or fails is then
 *     connected to again until it is there, and without it ends the replay with an error
 * @param duration how long after its first picture each video ends even if it has not come to its
 *     end; null for never
 */
public record ReplayPlan(
        List<String> videos,
        List<String> cameraIds,
        int jpegQuality,
        Pace pace,
        boolean loop,
        Duration duration) {

    /**
     * @throws IllegalArgumentException with one line, where the parts do not fit together
     */
    public ReplayPlan {
        videos = List.copyOf(videos);
        cameraIds = List.copyOf(cameraIds);
        if (videos.isEmpty()) {
            throw new IllegalArgumentException("no video: name at least one");
        }
        Set<String> seen = new HashSet<>();
        for (String id : cameraIds) {
            requireCameraId(id);
            if (!seen.add(id)) {
                throw new IllegalArgumentException(
                        "camera id '" + id + "' twice: ids must differ, or frames would mix");
            }
        }
        if (cameraIds.size() < videos.size()) {
            throw new IllegalArgumentException(
                    videos.size()
                            + " videos but "
                            + cameraIds.size()
                            + " cameras: a video without a camera would not be seen");
        }
        JpegEncoder.requireQuality(jpegQuality);
        if (duration != null && (duration.isZero() || duration.isNegative())) {
            throw new IllegalArgumentException("duration " + duration + ": expected more than 0");
        }
    }

    /** {@code cam-1} to {@code cam-N}. */
    public static List<String> numberedCameras(int count) {
        return IntStream.rangeClosed(1, count).mapToObj(i -> "cam-" + i).toList();
    }

    private static void requireCameraId(String id) {
        if (id.isEmpty()) {
            throw new IllegalArgumentException("camera id is empty: expected a name");
        }
        ByteBuffer utf8;
        try {
            utf8 = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(id));
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(
                    "camera id '" + id + "' cannot be written in UTF-8", e);
        }
        if (utf8.remaining() > CameraFrameCodec.MAX_CAMERA_ID_BYTES) {
            throw new IllegalArgumentException(
                    "camera id of "
                            + utf8.remaining()
                            + " bytes: expected at most "
                            + CameraFrameCodec.MAX_CAMERA_ID_BYTES);
        }
    }
}

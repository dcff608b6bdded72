// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.inference.BackendFactory;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Interpolation;
import java.io.Serializable;
import java.time.Duration;

/**
 * What {@link DetectOperator} is told when the job is submitted.
 *
 * @param backend opens the lanes' engines
 * @param lanes engines a task manager runs side by side; 0 for one a core
 * @param buffersPerLane batch buffers a lane has; with 2 the next batch fills while one runs
 * @param maxBatchDelay how long a frame may wait for a fuller batch while a lane is free
 * @param confidence score threshold 0..1; null for the model's own
 * @param iou overlap threshold of suppression 0..1; null for the model's own
 * @param interpolation how the letterbox resizes
 * @param maxFrameBytes larger frames are dead letters
 * @param maxFramePixels pictures with more pixels are dead letters, found before they are decoded
 * @param roomFrames encoded frames that wait in a subtask
 * @param roomBytes bytes of encoded frames that wait in a subtask
 * @param maxCameras cameras told apart, with metrics of their own; the rest share {@code other}
 * @param overload which frames are given up when too many come
 * @param silentAfter a camera from which nothing came for so long is called silent
 * @param clockTolerance a camera's clock that steps further has jumped
 */
public record DetectSettings(
        BackendFactory backend,
        int lanes,
        int buffersPerLane,
        Duration maxBatchDelay,
        Float confidence,
        Float iou,
        Interpolation interpolation,
        int maxFrameBytes,
        int maxFramePixels,
        int roomFrames,
        long roomBytes,
        int maxCameras,
        OverloadSettings overload,
        Duration silentAfter,
        Duration clockTolerance)
        implements Serializable {

    FrameLimits frameLimits() {
        return new FrameLimits(maxFrameBytes, maxFramePixels);
    }
}

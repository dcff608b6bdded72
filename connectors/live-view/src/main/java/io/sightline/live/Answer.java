// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.List;

/** What the job said about a frame. */
sealed interface Answer {

    /** The frame; null of a dead letter that does not say. */
    FrameKey key();

    /** The camera; null of a dead letter whose record had no usable key. */
    String camera();

    /**
     * A detection event.
     *
     * @param json as it is on the topic, known to be an event
     */
    record Event(
            FrameKey key,
            String camera,
            long captureTimeMillis,
            long captureToEmitMillis,
            List<DetectedObject> objects,
            String json)
            implements Answer {}

    /**
     * @param captureTimeMillis null where the record had none
     */
    record DeadLetter(
            FrameKey key,
            String camera,
            Long captureTimeMillis,
            String stage,
            String reason,
            String message)
            implements Answer {}
}

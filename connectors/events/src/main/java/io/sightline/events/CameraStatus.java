// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;
import java.util.Map;

/**
 * What became of one camera's frames since its last status, and how the camera is. The component
 * names are the field names of schema {@value #SCHEMA}, which {@code
 * schema/sightline.camera-status-1.json} describes. In every status {@code framesIn = events +
 * deadLetters +} what was dropped: the counts of a camera's statuses add up.
 *
 * @param schema always {@value #SCHEMA}
 * @param cameraId the camera; null for records without a readable camera id and for cameras beyond
 *     the number that is told apart, which share one status
 * @param time when the status was made, ISO 8601 in UTC with milliseconds
 * @param checkpoint the checkpoint that holds what is counted here; null at the end of the input,
 *     and where drops alone are reported between checkpoints because there are many
 * @param subtask which parallel instance counted
 * @param framesIn frames that were answered or dropped
 * @param events of them, those with a detection event
 * @param deadLetters of them, those that could not be analysed
 * @param dropped of them, those given up under overload, by {@link DropReason#label()}
 * @param droppedOffsets where the dropped ones stood
 * @param lagMillis from the capture of the last frame to its arrival in the job; null before the
 *     first
 * @param lastCaptureTime capture time of the last frame, ISO 8601; null before the first
 * @param epoch clock epoch of the last frame; null before the first
 * @param silentSince when the last frame arrived, ISO 8601, where that is too long ago; else null
 * @param clockJumps steps of the capture time that the camera's clock must have made
 * @param epochChanges how often a frame came with another epoch than the one before
 */
@JsonPropertyOrder({
    "schema",
    "camera_id",
    "time",
    "checkpoint",
    "subtask",
    "frames_in",
    "events",
    "dead_letters",
    "dropped",
    "dropped_offsets",
    "lag_ms",
    "last_capture_time",
    "epoch",
    "silent_since",
    "clock_jumps",
    "epoch_changes"
})
public record CameraStatus(
        String schema,
        @JsonProperty("camera_id") String cameraId,
        String time,
        Long checkpoint,
        int subtask,
        @JsonProperty("frames_in") long framesIn,
        long events,
        @JsonProperty("dead_letters") long deadLetters,
        Map<String, Long> dropped,
        @JsonProperty("dropped_offsets") List<DroppedOffsets> droppedOffsets,
        @JsonProperty("lag_ms") Long lagMillis,
        @JsonProperty("last_capture_time") String lastCaptureTime,
        Long epoch,
        @JsonProperty("silent_since") String silentSince,
        @JsonProperty("clock_jumps") ClockJumps clockJumps,
        @JsonProperty("epoch_changes") long epochChanges) {

    public static final String SCHEMA = "sightline.camera-status/1";

    /** Frames dropped for one reason in one partition of the frames topic. */
    public record DroppedOffsets(
            String topic, int partition, String reason, List<OffsetRange> ranges) {}

    /** Offsets from the first to the last, both included; {@code [first, last]} in JSON. */
    @JsonFormat(shape = JsonFormat.Shape.ARRAY)
    @JsonPropertyOrder({"first", "last"})
    public record OffsetRange(long first, long last) {}

    /** Steps of a camera's clock, by direction. */
    public record ClockJumps(long forward, long backward) {}
}

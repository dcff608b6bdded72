// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import java.util.List;

/**
 * What Sightline writes for one frame, also when nothing was found in it. The component names are
 * the field names of schema {@value #SCHEMA}, which {@code schema/sightline.detection-1.json}
 * describes.
 *
 * @param schema always {@value #SCHEMA}
 * @param eventId 32 hexadecimal digits, the same on every replay; see {@link EventId}
 * @param cameraId the camera
 * @param epoch the camera's clock epoch, 0 where the frame carried none
 * @param seq the camera's frame number, null where the frame carried none
 * @param captureTime ISO 8601 in UTC with milliseconds
 * @param source the frame's place in the frames topic
 * @param image size of the source picture in pixels
 * @param model what looked at it
 * @param objects what was found, by falling confidence
 * @param timing where the time went
 * @param traceparent copied to the record header of that name, not part of the JSON; null where the
 *     frame carried none
 */
@JsonPropertyOrder({
    "schema",
    "event_id",
    "camera_id",
    "epoch",
    "seq",
    "capture_time",
    "source",
    "image",
    "model",
    "objects",
    "timing"
})
public record DetectionEvent(
        String schema,
        @JsonProperty("event_id") String eventId,
        @JsonProperty("camera_id") String cameraId,
        long epoch,
        Long seq,
        @JsonProperty("capture_time") String captureTime,
        Source source,
        Image image,
        Model model,
        List<DetectedObject> objects,
        Timing timing,
        @JsonIgnore String traceparent) {

    public static final String SCHEMA = "sightline.detection/1";

    /** The frame's place in the frames topic. */
    public record Source(String topic, int partition, long offset) {}

    /** Size of the source picture in pixels. */
    public record Image(int width, int height) {}

    /**
     * The network and what runs it: {@code sha256} is of the ONNX file, {@code precision} as its
     * ModelSpec says.
     */
    public record Model(String name, String sha256, String precision, String backend) {}

    /** One object; {@code confidence} is 0..1. */
    public record DetectedObject(
            @JsonProperty("class_id") int classId,
            String label,
            double confidence,
            BoundingBox bbox) {}

    /** In source-image pixels, origin top left, inside the image. */
    public record BoundingBox(double x, double y, double width, double height) {}

    /**
     * Milliseconds, but for the batch size.
     *
     * @param queueMs waiting: for decode, for a slot, for a free lane
     * @param decodeMs decoding the picture
     * @param letterboxMs resizing and padding it into the batch slot
     * @param inferMs the engine's run of the whole batch
     * @param postprocessMs parsing this frame's rows and suppressing overlaps
     * @param batchSize frames in that run
     * @param captureToEmitMs from capture to hand-over to the sink
     */
    public record Timing(
            @JsonProperty("queue_ms") double queueMs,
            @JsonProperty("decode_ms") double decodeMs,
            @JsonProperty("letterbox_ms") double letterboxMs,
            @JsonProperty("infer_ms") double inferMs,
            @JsonProperty("postprocess_ms") double postprocessMs,
            @JsonProperty("batch_size") int batchSize,
            @JsonProperty("capture_to_emit_ms") long captureToEmitMs) {}
}

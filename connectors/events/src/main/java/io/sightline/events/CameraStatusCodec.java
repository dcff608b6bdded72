// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.events.CameraStatus.DroppedOffsets;

/**
 * Camera statuses as JSON in UTF-8, as {@code schema/sightline.camera-status-1.json} describes it.
 * Safe for use by several threads.
 */
public final class CameraStatusCodec {

    /** Media type of an encoded status. */
    public static final String CONTENT_TYPE = "application/json";

    private final ObjectWriter writer;
    private final ObjectReader reader;

    public CameraStatusCodec() {
        JsonMapper mapper = Json.mapper();
        writer = mapper.writerFor(CameraStatus.class);
        reader = mapper.readerFor(CameraStatus.class);
    }

    public byte[] encode(CameraStatus status) {
        try {
            return writer.writeValueAsBytes(status);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "status of camera "
                            + status.cameraId()
                            + " cannot be written: "
                            + e.getOriginalMessage(),
                    e);
        }
    }

    /**
     * Fields that are not known are ignored: within one schema version fields are only added.
     *
     * @throws IllegalArgumentException where the bytes are no status of {@link
     *     CameraStatus#SCHEMA}; the message says where and what was expected
     */
    public CameraStatus decode(byte[] json) {
        CameraStatus status =
                Json.read(reader, json, CameraStatus.class, CameraStatus.SCHEMA + " record");
        if (status == null || !CameraStatus.SCHEMA.equals(status.schema())) {
            throw new IllegalArgumentException(
                    "no "
                            + CameraStatus.SCHEMA
                            + " record: its schema is "
                            + (status == null ? "null" : status.schema()));
        }
        requireField(status.time(), "time");
        requireField(status.dropped(), "dropped");
        status.dropped().forEach((reason, frames) -> requireField(frames, reason + " of dropped"));
        requireField(status.droppedOffsets(), "dropped_offsets");
        requireField(status.clockJumps(), "clock_jumps");
        for (DroppedOffsets offsets : status.droppedOffsets()) {
            requireField(offsets, "an element of dropped_offsets");
            requireField(offsets.topic(), "topic of dropped_offsets");
            requireField(offsets.reason(), "reason of dropped_offsets");
            requireField(offsets.ranges(), "ranges of dropped_offsets");
            offsets.ranges().forEach(range -> requireField(range, "a range of dropped_offsets"));
        }
        return status;
    }

    private static void requireField(Object value, String name) {
        if (value == null) {
            throw new IllegalArgumentException(
                    "no " + CameraStatus.SCHEMA + " record: " + name + " is missing");
        }
    }
}

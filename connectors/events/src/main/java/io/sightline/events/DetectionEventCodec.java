// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.DetectionEvent.Timing;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;

/**
 * Detection events as JSON in UTF-8, as {@code schema/sightline.detection-1.json} describes it.
 * Safe for use by several threads.
 */
public final class DetectionEventCodec {

    /** Media type of an encoded event. */
    public static final String CONTENT_TYPE = "application/json";

    private static final DateTimeFormatter MILLISECONDS_UTC =
            new DateTimeFormatterBuilder().appendInstant(3).toFormatter().withZone(ZoneOffset.UTC);

    private final ObjectWriter writer;
    private final ObjectReader reader;

    public DetectionEventCodec() {
        JsonMapper mapper = Json.mapper();
        writer = mapper.writerFor(DetectionEvent.class);
        reader = mapper.readerFor(DetectionEvent.class);
    }

    /**
     * @throws IllegalArgumentException where a number is infinite or not a number, which JSON
     *     cannot say
     */
    public byte[] encode(DetectionEvent event) {
        requireFinite(event);
        try {
            return writer.writeValueAsBytes(event);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "event " + event.eventId() + " cannot be written: " + e.getOriginalMessage(),
                    e);
        }
    }

    /**
     * Fields that are not known are ignored: within one schema version fields are only added. The
     * event's {@code traceparent} is null, as it travels in a record header.
     *
     * @throws IllegalArgumentException where the bytes are no event of {@link
     *     DetectionEvent#SCHEMA}; the message says where and what was expected
     */
    public DetectionEvent decode(byte[] json) {
        DetectionEvent event =
                Json.read(reader, json, DetectionEvent.class, DetectionEvent.SCHEMA + " event");
        requireComplete(event);
        return event;
    }

    /** ISO 8601 in UTC, always with three digits of milliseconds: the form of capture times. */
    public static String formatTime(long millisSince1970) {
        return MILLISECONDS_UTC.format(Instant.ofEpochMilli(millisSince1970));
    }

    /**
     * Milliseconds since 1970 of the event's capture time.
     *
     * @throws java.time.format.DateTimeParseException where it is not in ISO 8601
     */
    public static long captureTimeMillis(DetectionEvent event) {
        return Instant.parse(event.captureTime()).toEpochMilli();
    }

    private static void requireFinite(DetectionEvent event) {
        for (DetectedObject object : event.objects()) {
            BoundingBox box = object.bbox();
            // A sum of finite numbers this small overflows no double, and one bad term spoils it.
            double sum = object.confidence() + box.x() + box.y() + box.width() + box.height();
            if (!Double.isFinite(sum)) {
                throw new IllegalArgumentException(
                        "event " + event.eventId() + " has a number that is not finite: " + object);
            }
        }
        Timing timing = event.timing();
        double sum =
                timing.queueMs()
                        + timing.decodeMs()
                        + timing.letterboxMs()
                        + timing.inferMs()
                        + timing.postprocessMs();
        if (!Double.isFinite(sum)) {
            throw new IllegalArgumentException(
                    "event " + event.eventId() + " has a number that is not finite: " + timing);
        }
    }

    private static void requireComplete(DetectionEvent event) {
        if (event == null || !DetectionEvent.SCHEMA.equals(event.schema())) {
            throw new IllegalArgumentException(
                    "no "
                            + DetectionEvent.SCHEMA
                            + " event: its schema is "
                            + (event == null ? "null" : event.schema()));
        }
        requireField(event.eventId(), "event_id");
        requireField(event.cameraId(), "camera_id");
        requireField(event.captureTime(), "capture_time");
        requireField(event.source(), "source");
        requireField(event.source().topic(), "topic of source");
        requireField(event.image(), "image");
        requireField(event.model(), "model");
        requireField(event.model().sha256(), "sha256 of model");
        requireField(event.objects(), "objects");
        requireField(event.timing(), "timing");
        for (DetectedObject object : event.objects()) {
            requireField(object, "an element of objects");
            requireField(object.label(), "label of an object");
            requireField(object.bbox(), "bbox of an object");
        }
    }

    private static void requireField(Object value, String name) {
        if (value == null) {
            throw new IllegalArgumentException(
                    "no " + DetectionEvent.SCHEMA + " event: " + name + " is missing");
        }
    }
}

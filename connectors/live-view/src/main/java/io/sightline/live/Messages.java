// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.sightline.live.FrameWindow.CameraState;
import io.sightline.live.FrameWindow.Totals;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/** What the server says to a page, as JSON. */
final class Messages {

    private static final JsonFactory JSON = new JsonFactory();

    private Messages() {}

    private interface Fields {
        void write(JsonGenerator json) throws IOException;
    }

    /**
     * All there is to say at a moment, but for what concerns one viewer only.
     *
     * @param skipped records passed over: the server was behind, or could not take them
     */
    record Moment(
            long millis,
            List<CameraState> cameras,
            Totals totals,
            long skipped,
            int viewers,
            KafkaState kafka) {}

    /** What precedes a picture: the frame's identity, and its answer where there is one. */
    static byte[] frameHeader(WindowFrame frame, Answer answer) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(512);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            json.writeStringField("camera", frame.frame.cameraId());
            json.writeNumberField("partition", frame.key.partition());
            json.writeNumberField("offset", frame.key.offset());
            json.writeStringField("key", frame.key.toString());
            json.writeNumberField("epoch", frame.frame.epoch());
            number(json, "seq", frame.frame.seq());
            json.writeNumberField("capture_time_ms", frame.frame.captureTimeMillis());
            json.writeStringField("content_type", frame.contentType);
            json.writeFieldName("event");
            if (answer instanceof Answer.Event event) {
                json.writeRawValue(event.json());
            } else {
                json.writeNull();
            }
            json.writeFieldName("dead_letter");
            if (answer instanceof Answer.DeadLetter letter) {
                json.writeStartObject();
                reason(json, letter);
                json.writeEndObject();
            } else {
                json.writeNull();
            }
            json.writeStringField("dropped", answer == null ? frame.dropReason() : null);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** The first message to a viewer. */
    static String hello(
            Moment moment, int windowFrames, Topics topics, ToLongFunction<String> notSent) {
        return object(
                json -> {
                    json.writeStringField("type", "hello");
                    json.writeNumberField("window_frames", windowFrames);
                    json.writeObjectFieldStart("topics");
                    json.writeStringField("frames", topics.frames());
                    json.writeStringField("events", topics.events());
                    json.writeStringField("dead_letters", topics.deadLetters());
                    json.writeStringField("camera_status", topics.cameraStatus());
                    json.writeEndObject();
                    moment(json, moment, notSent);
                });
    }

    /**
     * @param notSent frames of a camera that this viewer was too slow for
     * @param messagesNotSent messages of other kinds alike
     */
    static String status(Moment moment, ToLongFunction<String> notSent, long messagesNotSent) {
        return object(
                json -> {
                    json.writeStringField("type", "status");
                    json.writeNumberField("messages_not_sent", messagesNotSent);
                    moment(json, moment, notSent);
                });
    }

    /** An answer that cannot travel with its frame. */
    static String answer(Answer answer) {
        return object(
                json -> {
                    if (answer instanceof Answer.Event event) {
                        json.writeStringField("type", "event");
                        json.writeStringField("camera", event.camera());
                        json.writeStringField("key", event.key().toString());
                        json.writeNumberField("capture_time_ms", event.captureTimeMillis());
                        json.writeFieldName("event");
                        json.writeRawValue(event.json());
                    } else if (answer instanceof Answer.DeadLetter letter) {
                        json.writeStringField("type", "dead_letter");
                        json.writeStringField("camera", letter.camera());
                        number(json, "capture_time_ms", letter.captureTimeMillis());
                        reason(json, letter);
                        FrameKey key = letter.key();
                        number(json, "partition", key == null ? null : (long) key.partition());
                        number(json, "offset", key == null ? null : key.offset());
                        json.writeStringField("key", key == null ? null : key.toString());
                    }
                });
    }

    /** Counts without names, for those who only ask whether it runs. */
    static String health(Moment moment) {
        return object(
                json -> {
                    json.writeStringField("kafka", moment.kafka().contact().label());
                    totals(json, moment);
                });
    }

    /** Joined headers of frames. */
    static byte[] list(Collection<WindowFrame.Picture> pictures) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(4096);
        out.write('[');
        for (WindowFrame.Picture picture : pictures) {
            if (out.size() > 1) {
                out.write(',');
            }
            out.writeBytes(picture.header());
        }
        out.write(']');
        return out.toByteArray();
    }

    static String error(String message) {
        return object(json -> json.writeStringField("error", message));
    }

    private static void moment(JsonGenerator json, Moment moment, ToLongFunction<String> notSent)
            throws IOException {
        json.writeNumberField("server_time_ms", moment.millis());
        json.writeObjectFieldStart("kafka");
        json.writeStringField("state", moment.kafka().contact().label());
        json.writeArrayFieldStart("missing_topics");
        for (String topic : moment.kafka().missingTopics()) {
            json.writeString(topic);
        }
        json.writeEndArray();
        json.writeEndObject();
        json.writeArrayFieldStart("cameras");
        for (CameraState camera : moment.cameras()) {
            json.writeStartObject();
            camera(json, camera);
            json.writeNumberField("not_sent", notSent.applyAsLong(camera.camera()));
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeObjectFieldStart("totals");
        totals(json, moment);
        json.writeEndObject();
    }

    private static void camera(JsonGenerator json, CameraState camera) throws IOException {
        json.writeStringField("camera", camera.camera());
        json.writeNumberField(
                "frames_per_second", Math.round(camera.framesPerSecond() * 100) / 100.0);
        json.writeNumberField("frames", camera.frames());
        json.writeNumberField("events", camera.events());
        json.writeNumberField("dead_letters", camera.deadLetters());
        json.writeNumberField("dropped", camera.dropped());
        number(json, "last_capture_ms", camera.lastCaptureMillis());
        number(json, "last_frame_ms", camera.lastFrameMillis());
        number(json, "last_event_ms", camera.lastEventMillis());
        json.writeNumberField("last_seen_ms", camera.lastSeenMillis());
        json.writeStringField("condition", camera.condition().label());
        json.writeFieldName("latency_ms");
        if (camera.latency() == null) {
            json.writeNull();
        } else {
            json.writeStartObject();
            json.writeNumberField("p50", camera.latency().p50());
            json.writeNumberField("p95", camera.latency().p95());
            json.writeEndObject();
        }
        json.writeObjectFieldStart("counts");
        for (Map.Entry<String, int[]> count : camera.counts().entrySet()) {
            json.writeFieldName(count.getKey());
            json.writeArray(count.getValue(), 0, count.getValue().length);
        }
        json.writeEndObject();
        json.writeFieldName("bucket_events");
        json.writeArray(camera.eventBuckets(), 0, camera.eventBuckets().length);
        json.writeFieldName("job");
        if (camera.job() == null) {
            json.writeNull();
        } else {
            job(json, camera.job());
        }
    }

    private static void job(JsonGenerator json, JobAccount.State job) throws IOException {
        json.writeStartObject();
        json.writeNumberField("heard_ms", job.heardMillis());
        json.writeFieldName("last_minute");
        counts(json, job.lastMinute());
        json.writeFieldName("now");
        counts(json, job.now());
        number(json, "lag_ms", job.lagMillis());
        number(json, "silent_since_ms", job.silentSinceMillis());
        json.writeEndObject();
    }

    private static void counts(JsonGenerator json, JobAccount.Counts counts) throws IOException {
        json.writeStartObject();
        json.writeNumberField("frames_in", counts.framesIn());
        json.writeNumberField("events", counts.events());
        json.writeObjectFieldStart("dropped");
        for (Map.Entry<String, Long> dropped : counts.dropped().entrySet()) {
            json.writeNumberField(dropped.getKey(), dropped.getValue());
        }
        json.writeEndObject();
        json.writeEndObject();
    }

    private static void totals(JsonGenerator json, Moment moment) throws IOException {
        Totals totals = moment.totals();
        json.writeNumberField("cameras", totals.cameras());
        json.writeNumberField("frames", totals.frames());
        json.writeNumberField("events", totals.events());
        json.writeNumberField("dead_letters", totals.deadLetters());
        json.writeNumberField("dropped", totals.dropped());
        json.writeNumberField("skipped", moment.skipped());
        json.writeNumberField("forgotten_cameras", totals.forgottenCameras());
        json.writeNumberField("frames_held", totals.held());
        json.writeNumberField("bytes_held", totals.bytes());
        json.writeNumberField("clients", moment.viewers());
    }

    private static void reason(JsonGenerator json, Answer.DeadLetter letter) throws IOException {
        json.writeStringField("stage", letter.stage());
        json.writeStringField("reason", letter.reason());
        json.writeStringField("message", letter.message());
    }

    private static void number(JsonGenerator json, String name, Long value) throws IOException {
        if (value == null) {
            json.writeNullField(name);
        } else {
            json.writeNumberField(name, value);
        }
    }

    private static String object(Fields fields) {
        StringWriter out = new StringWriter(256);
        try (JsonGenerator json = JSON.createGenerator(out)) {
            json.writeStartObject();
            fields.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.DetectionEvent.Image;
import io.sightline.events.DetectionEvent.Model;
import io.sightline.events.DetectionEvent.Source;
import io.sightline.events.DetectionEvent.Timing;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DetectionEventCodecTest {

    private static final String SHA = "0123456789abcdef".repeat(4);

    /** The shape that consumers were promised. */
    private static final String GOLDEN =
            """
            {"schema": "sightline.detection/1", "event_id": "@ID@", "camera_id": "cam-1", "epoch": 0, "seq": 123,
             "capture_time": "2026-11-23T10:00:00.123Z",
             "source": {"topic": "camera-frames", "partition": 0, "offset": 991},
             "image": {"width": 1920, "height": 1080},
             "model": {"name": "yolov6n", "sha256": "@SHA@", "precision": "int8", "backend": "onnxruntime"},
             "objects": [{"class_id": 0, "label": "person", "confidence": 0.912,
                          "bbox": {"x": 101.5, "y": 40.0, "width": 55.2, "height": 130.8}}],
             "timing": {"queue_ms": 3.1, "decode_ms": 0.8, "letterbox_ms": 0.4, "infer_ms": 9.8, "postprocess_ms": 0.2,
                        "batch_size": 8, "capture_to_emit_ms": 31}}
            """
                    .replace("@ID@", EventId.of("camera-frames", 0, 991, SHA))
                    .replace("@SHA@", SHA);

    private static final List<Schema> SCHEMAS = schemas();

    private final DetectionEventCodec codec = new DetectionEventCodec();

    @Test
    void shouldWriteExactlyThePromisedShape() {
        // Between tokens only: no text in the example has a space.
        String compact = GOLDEN.replaceAll("\\s", "");

        assertThat(new String(codec.encode(event(123L, "00-trace")), UTF_8)).isEqualTo(compact);
    }

    @Test
    void shouldWriteAMissingSeqAsNullAndNoTraceparent() throws Exception {
        String json = new String(codec.encode(event(null, "00-trace")), UTF_8);

        assertThat(new ObjectMapper().readTree(json).get("seq").isNull()).isTrue();
        assertThat(json).doesNotContain("trace");
    }

    @Property(tries = 300)
    void shouldKeepEverySchemaPublishedSoFar(@ForAll("events") DetectionEvent event) {
        String json = new String(codec.encode(event), UTF_8);

        for (Schema schema : SCHEMAS) {
            assertThat(schema.validate(json, InputFormat.JSON)).as(json).isEmpty();
        }
    }

    @Property(tries = 300)
    void shouldReadBackWhatItWrote(@ForAll("events") DetectionEvent event) {
        assertThat(codec.decode(codec.encode(event))).isEqualTo(event);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "event_id",
                "camera_id",
                "epoch",
                "seq",
                "capture_time",
                "source",
                "image",
                "model",
                "objects",
                "timing",
                "partition",
                "sha256",
                "confidence",
                "bbox",
                "height",
                "batch_size"
            })
    void shouldHaveASchemaThatMissesNothing(String field) {
        String without = GOLDEN.replace('"' + field + '"', "\"other\"");

        assertThat(SCHEMAS.get(0).validate(without, InputFormat.JSON)).isNotEmpty();
    }

    @Test
    void shouldIgnoreFieldsItDoesNotKnow() {
        String newer = GOLDEN.replace("\"epoch\"", "\"track\": {\"id\": [1]}, \"epoch\"");

        assertThat(codec.decode(newer.getBytes(UTF_8))).isEqualTo(event(123L, null));
        assertThat(SCHEMAS.get(0).validate(newer, InputFormat.JSON)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "null",
                "[]",
                "{}",
                "\u0000\u0001",
                "{\"schema\": \"sightline.detection/2\"}",
                "{\"schema\": \"sightline.detection/1\", \"epoch\": 0}"
            })
    void shouldSayInOneLineWhatIsWrongWithOtherInput(String json) {
        assertThatThrownBy(() -> codec.decode(json.getBytes(UTF_8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("no sightline.detection/1 event")
                .message()
                .doesNotContain("\n");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                // UTF-32 and UTF-16 as JSON parsers guess them, a schema registry's framing, noise.
                "00000100",
                "0000007b",
                "007b0022",
                "7b000000",
                "feff007b",
                "0000000001026162",
                "22ff22"
            })
    void shouldRefuseBytesOfOtherEncodings(String hex) {
        assertThatThrownBy(() -> codec.decode(HexFormat.of().parseHex(hex)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("no sightline.detection/1 event");
    }

    @Test
    void shouldRefuseAnEventInUtf16AndNoValueAtAll() {
        assertThatThrownBy(() -> codec.decode(GOLDEN.getBytes(UTF_16LE)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> codec.decode(("\ufeff" + GOLDEN).getBytes(UTF_8)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> codec.decode(null))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no sightline.detection/1 event: the value is null");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "partition",
                "event_id",
                "topic",
                "sha256",
                "label",
                "bbox",
                "timing",
                "batch_size"
            })
    void shouldNameTheFieldThatIsMissing(String field) {
        String without = GOLDEN.replace('"' + field + '"', "\"other\"");

        assertThatThrownBy(() -> codec.decode(without.getBytes(UTF_8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(field);
    }

    @ParameterizedTest
    @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
    void shouldRefuseNumbersThatJsonCannotWrite(double bad) {
        DetectionEvent good = event(1L, null);
        DetectedObject object = new DetectedObject(0, "person", 0.5, new BoundingBox(0, bad, 1, 1));

        assertThatThrownBy(() -> codec.encode(with(good, List.of(object), good.timing())))
                .hasMessageContaining("not finite");
        assertThatThrownBy(
                        () ->
                                codec.encode(
                                        with(
                                                good,
                                                good.objects(),
                                                new Timing(0, 0, bad, 0, 0, 1, 0))))
                .hasMessageContaining("not finite");
    }

    @Test
    void shouldAlwaysWriteThreeDigitsOfMilliseconds() {
        assertThat(DetectionEventCodec.formatTime(0)).isEqualTo("1970-01-01T00:00:00.000Z");
        assertThat(DetectionEventCodec.formatTime(1_795_428_000_120L))
                .isEqualTo("2026-11-23T10:00:00.120Z");
    }

    private static DetectionEvent event(Long seq, String traceparent) {
        return new DetectionEvent(
                DetectionEvent.SCHEMA,
                EventId.of("camera-frames", 0, 991, SHA),
                "cam-1",
                0,
                seq,
                "2026-11-23T10:00:00.123Z",
                new Source("camera-frames", 0, 991),
                new Image(1920, 1080),
                new Model("yolov6n", SHA, "int8", "onnxruntime"),
                List.of(
                        new DetectedObject(
                                0, "person", 0.912, new BoundingBox(101.5, 40.0, 55.2, 130.8))),
                new Timing(3.1, 0.8, 0.4, 9.8, 0.2, 8, 31),
                traceparent);
    }

    private static DetectionEvent with(
            DetectionEvent event, List<DetectedObject> objects, Timing timing) {
        return new DetectionEvent(
                event.schema(),
                event.eventId(),
                event.cameraId(),
                event.epoch(),
                event.seq(),
                event.captureTime(),
                event.source(),
                event.image(),
                event.model(),
                objects,
                timing,
                event.traceparent());
    }

    @Provide
    Arbitrary<DetectionEvent> events() {
        Arbitrary<String> text = Arbitraries.strings().ofMinLength(1).ofMaxLength(20);
        Arbitrary<Long> count = Arbitraries.longs().greaterOrEqual(0);
        Arbitrary<Integer> size = Arbitraries.integers().between(1, 20_000);
        Arbitrary<Double> millis = Arbitraries.doubles().between(0, 1e6);
        Arbitrary<Double> pixels = Arbitraries.doubles().between(0, 20_000);
        Arbitrary<BoundingBox> boxes =
                Combinators.combine(pixels, pixels, pixels, pixels).as(BoundingBox::new);
        Arbitrary<List<DetectedObject>> objects =
                Combinators.combine(
                                Arbitraries.integers().between(0, 10_000),
                                Arbitraries.strings().ofMaxLength(20),
                                Arbitraries.doubles().between(0, 1),
                                boxes)
                        .as(DetectedObject::new)
                        .list()
                        .ofMaxSize(5);
        Arbitrary<Timing> timings =
                Combinators.combine(
                                millis, millis, millis, millis, millis, size, Arbitraries.longs())
                        .as(Timing::new);
        Arbitrary<Source> sources =
                Combinators.combine(text, Arbitraries.integers().greaterOrEqual(0), count)
                        .as(Source::new);
        Arbitrary<Long> times = Arbitraries.longs().between(0, 253_402_300_799_999L);
        return Combinators.combine(
                        text, count, count.injectNull(0.2), times, sources, size, objects, timings)
                .as(
                        (camera, epoch, seq, time, source, side, found, timing) ->
                                new DetectionEvent(
                                        DetectionEvent.SCHEMA,
                                        EventId.of(
                                                source.topic(),
                                                source.partition(),
                                                source.offset(),
                                                SHA),
                                        camera,
                                        epoch,
                                        seq,
                                        DetectionEventCodec.formatTime(time),
                                        source,
                                        new Image(side, side),
                                        new Model("m", SHA, "fp32", "tensorrt"),
                                        found,
                                        timing,
                                        null));
    }

    private static List<Schema> schemas() {
        List<Schema> schemas = new ArrayList<>();
        try {
            Path folder =
                    Path.of(
                            Objects.requireNonNull(DetectionEventCodec.class.getResource("/schema"))
                                    .toURI());
            SchemaRegistry registry =
                    SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file :
                        files.filter(f -> f.getFileName().toString().contains(".detection-"))
                                .sorted()
                                .toList()) {
                    schemas.add(registry.getSchema(Files.readString(file), InputFormat.JSON));
                }
            }
        } catch (Exception e) {
            throw new AssertionError("the schemas cannot be read", e);
        }
        assertThat(schemas).isNotEmpty();
        return schemas;
    }
}

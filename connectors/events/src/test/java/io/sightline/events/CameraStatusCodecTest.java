// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.sightline.events.CameraStatus.ClockJumps;
import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import java.io.IOException;
import java.io.InputStream;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CameraStatusCodecTest {

    /** The shape that consumers were promised. */
    private static final String GOLDEN =
            """
            {"schema": "sightline.camera-status/1", "camera_id": "cam-1", "time": "2026-11-23T10:00:10.000Z",
             "checkpoint": 17, "subtask": 2, "frames_in": 7, "events": 3, "dead_letters": 1,
             "dropped": {"superseded": 3, "too-old": 0, "room-full": 0},
             "dropped_offsets": [{"topic": "camera-frames", "partition": 0, "reason": "superseded",
                                  "ranges": [[991, 992], [1000, 1000]]}],
             "lag_ms": 31, "last_capture_time": "2026-11-23T10:00:00.123Z", "epoch": 0, "silent_since": null,
             "clock_jumps": {"forward": 0, "backward": 1}, "epoch_changes": 0}
            """;

    private static final Schema SCHEMA = schema();

    private final CameraStatusCodec codec = new CameraStatusCodec();

    private static CameraStatus golden() {
        return new CameraStatus(
                CameraStatus.SCHEMA,
                "cam-1",
                "2026-11-23T10:00:10.000Z",
                17L,
                2,
                7,
                3,
                1,
                dropped(3, 0, 0),
                List.of(
                        new DroppedOffsets(
                                "camera-frames",
                                0,
                                "superseded",
                                List.of(new OffsetRange(991, 992), new OffsetRange(1000, 1000)))),
                31L,
                "2026-11-23T10:00:00.123Z",
                0L,
                null,
                new ClockJumps(0, 1),
                0);
    }

    private static Map<String, Long> dropped(long superseded, long tooOld, long roomFull) {
        Map<String, Long> dropped = new LinkedHashMap<>();
        dropped.put(DropReason.SUPERSEDED.label(), superseded);
        dropped.put(DropReason.TOO_OLD.label(), tooOld);
        dropped.put(DropReason.ROOM_FULL.label(), roomFull);
        return dropped;
    }

    @Test
    void shouldWriteExactlyThePromisedShape() {
        // Between tokens only: no text in the example has a space.
        assertThat(new String(codec.encode(golden()), UTF_8))
                .isEqualTo(GOLDEN.replaceAll("\\s", ""));
    }

    @Property(tries = 200)
    void shouldKeepItsSchemaAndReadBackWhatItWrote(@ForAll("statuses") CameraStatus status) {
        byte[] json = codec.encode(status);

        assertThat(SCHEMA.validate(new String(json, UTF_8), InputFormat.JSON)).isEmpty();
        assertThat(codec.decode(json)).isEqualTo(status);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "schema",
                "camera_id",
                "time",
                "checkpoint",
                "subtask",
                "frames_in",
                "events",
                "dead_letters",
                "dropped",
                "too-old",
                "dropped_offsets",
                "partition",
                "ranges",
                "lag_ms",
                "last_capture_time",
                "epoch",
                "silent_since",
                "clock_jumps",
                "backward",
                "epoch_changes"
            })
    void shouldHaveASchemaThatMissesNothing(String field) {
        String without = GOLDEN.replace('"' + field + '"', "\"other\"");

        assertThat(SCHEMA.validate(without, InputFormat.JSON)).isNotEmpty();
    }

    @Test
    void shouldIgnoreFieldsItDoesNotKnow() {
        String newer = GOLDEN.replace("\"epoch\"", "\"battery\": {\"left\": [1]}, \"epoch\"");

        assertThat(codec.decode(newer.getBytes(UTF_8))).isEqualTo(golden());
        assertThat(SCHEMA.validate(newer, InputFormat.JSON)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "{}",
                "{\"schema\": \"sightline.camera-status/2\"}",
                "{\"a\": 1}}"
            })
    void shouldRefuseWhatIsNoStatus(String json) {
        assertThatThrownBy(() -> codec.decode(json.getBytes(UTF_8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("no sightline.camera-status/1 record")
                .message()
                .doesNotContain("\n");
    }

    @Test
    void shouldRefuseWhatIsNotUtf8() {
        assertThatThrownBy(() -> codec.decode(new byte[] {0, 0, 1, 0}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("no sightline.camera-status/1 record");
        assertThatThrownBy(() -> codec.decode(GOLDEN.getBytes(UTF_16LE)))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldRefuseADropThatIsNoNumber() {
        String without = GOLDEN.replace("\"too-old\": 0", "\"too-old\": null");

        assertThatThrownBy(() -> codec.decode(without.getBytes(UTF_8)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("no sightline.camera-status/1 record: too-old of dropped is missing");
    }

    @Provide
    Arbitrary<CameraStatus> statuses() {
        Arbitrary<String> text = Arbitraries.strings().ofMinLength(1).ofMaxLength(20);
        Arbitrary<Long> count = Arbitraries.longs().greaterOrEqual(0);
        Arbitrary<String> times =
                Arbitraries.longs()
                        .between(0, 253_402_300_799_999L)
                        .map(DetectionEventCodec::formatTime);
        Arbitrary<OffsetRange> ranges = Combinators.combine(count, count).as(OffsetRange::new);
        Arbitrary<DroppedOffsets> offsets =
                Combinators.combine(
                                text,
                                Arbitraries.integers().greaterOrEqual(0),
                                Arbitraries.of(DropReason.values()).map(DropReason::label),
                                ranges.list().ofMinSize(1).ofMaxSize(4))
                        .as(DroppedOffsets::new);
        return Combinators.combine(
                        text.injectNull(0.1),
                        times,
                        count.injectNull(0.2),
                        count,
                        offsets.list().ofMaxSize(3),
                        Arbitraries.longs().injectNull(0.2),
                        times.injectNull(0.2),
                        count.injectNull(0.2))
                .as(
                        (camera, time, checkpoint, n, dropped, lag, maybeTime, epoch) ->
                                new CameraStatus(
                                        CameraStatus.SCHEMA,
                                        camera,
                                        time,
                                        checkpoint,
                                        7,
                                        n,
                                        n,
                                        n,
                                        dropped(n, 1, 0),
                                        dropped,
                                        lag,
                                        maybeTime,
                                        epoch,
                                        maybeTime,
                                        new ClockJumps(n, 1),
                                        n));
    }

    private static Schema schema() {
        try (InputStream in =
                CameraStatusCodec.class.getResourceAsStream(
                        "/schema/sightline.camera-status-1.json")) {
            return SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
                    .getSchema(new String(in.readAllBytes(), UTF_8), InputFormat.JSON);
        } catch (IOException e) {
            throw new AssertionError("the schema cannot be read", e);
        }
    }
}

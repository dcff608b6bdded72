// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatus.ClockJumps;
import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import io.sightline.events.DeadLetter;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.DetectionEvent.Image;
import io.sightline.events.DetectionEvent.Model;
import io.sightline.events.DetectionEvent.Source;
import io.sightline.events.DetectionEvent.Timing;
import io.sightline.events.FrameRecord;
import io.sightline.events.FrameRecord.Header;
import io.sightline.events.Rejection;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.java.typeutils.PojoTypeInfo;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

/** What travels between operators must not fall back to Kryo, which is slow and tied to the JVM. */
class FlinkTypesTest {

    @Test
    void shouldCarryFrameRecordsWithNullsInEveryPlace() throws Exception {
        Header[] headers = {new Header("seq", new byte[] {'7'}), new Header("odd", null)};
        FrameRecord full =
                new FrameRecord("t", 1, 2, 3, new byte[] {1}, new byte[] {2, 3}, headers);
        FrameRecord bare = new FrameRecord("t", 1, 2, -1, null, null, new Header[0]);

        assertThat(copyOverTheWire(full, FrameRecord.class))
                .usingRecursiveComparison()
                .isEqualTo(full);
        assertThat(copyOverTheWire(bare, FrameRecord.class))
                .usingRecursiveComparison()
                .isEqualTo(bare);
    }

    @Test
    void shouldCarryDeadLetters() throws Exception {
        FrameRecord frame = new FrameRecord("t", 1, 2, -1, null, null, new Header[0]);
        for (Rejection reason : Rejection.values()) {
            DeadLetter letter = new DeadLetter(frame, reason, "why");
            assertThat(copyOverTheWire(letter, DeadLetter.class))
                    .usingRecursiveComparison()
                    .isEqualTo(letter);
        }
    }

    @Test
    void shouldCarryDetectionEvents() throws Exception {
        DetectionEvent full = event(9L, "00-trace", List.of(object(1), object(2)));
        DetectionEvent bare = event(null, null, List.of());

        assertThat(copyOverTheWire(full, DetectionEvent.class)).isEqualTo(full);
        assertThat(copyOverTheWire(bare, DetectionEvent.class)).isEqualTo(bare);
    }

    @Test
    void shouldCarryCameraStatuses() throws Exception {
        CameraStatus full =
                status(
                        "cam",
                        9L,
                        List.of(
                                new DroppedOffsets(
                                        "t", 1, "superseded", List.of(new OffsetRange(3, 4)))));
        CameraStatus bare = status(null, null, List.of());

        assertThat(copyOverTheWire(full, CameraStatus.class)).isEqualTo(full);
        assertThat(copyOverTheWire(bare, CameraStatus.class)).isEqualTo(bare);
    }

    private static CameraStatus status(
            String camera, Long number, List<DroppedOffsets> droppedOffsets) {
        return new CameraStatus(
                CameraStatus.SCHEMA,
                camera,
                "2026-11-23T10:00:00.123Z",
                number,
                1,
                2,
                3,
                4,
                Map.of("superseded", 2L),
                droppedOffsets,
                number,
                null,
                number,
                null,
                new ClockJumps(1, 2),
                5);
    }

    private static <T> T copyOverTheWire(T value, Class<T> type) throws IOException {
        TypeInformation<T> info = TypeInformation.of(type);
        assertThat(info).isInstanceOf(PojoTypeInfo.class);
        SerializerConfigImpl config = new SerializerConfigImpl();
        config.setGenericTypes(false);
        TypeSerializer<T> serializer = info.createSerializer(config);
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer.serialize(value, out);
        return serializer.deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));
    }

    private static DetectionEvent event(
            Long seq, String traceparent, List<DetectedObject> objects) {
        return new DetectionEvent(
                DetectionEvent.SCHEMA,
                "id",
                "cam",
                1,
                seq,
                "2026-11-23T10:00:00.123Z",
                new Source("t", 1, 2),
                new Image(3, 4),
                new Model("m", "sha", "int8", "fake"),
                objects,
                new Timing(1, 2, 3, 4, 5, 6, 7),
                traceparent);
    }

    private static DetectedObject object(int id) {
        return new DetectedObject(id, "person", 0.5, new BoundingBox(1, 2, 3, 4));
    }
}

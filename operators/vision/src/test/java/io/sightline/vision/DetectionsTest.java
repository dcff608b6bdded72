// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class DetectionsTest {

    private static final List<String> LABELS = List.of("person", "car");

    @Test
    void shouldMapBoxesToTheSourceImage() {
        LetterboxGeometry geometry = LetterboxGeometry.of(1280, 720, 640, 640, 0);
        Detections detections = one(10, 140, 110.13f, 240, 0.9123457f, 1);

        assertThat(detections.toObjects(geometry, LABELS))
                .containsExactly(
                        new DetectedObject(1, "car", 0.91235, new BoundingBox(20, 0, 200.26, 200)));
    }

    @Test
    void shouldClampBoxesToTheImage() {
        LetterboxGeometry geometry = LetterboxGeometry.of(640, 480, 640, 640, 0);
        Detections detections = one(-20, 0, 700, 640, 1.00001f, 0);

        assertThat(detections.toObjects(geometry, LABELS))
                .containsExactly(
                        new DetectedObject(0, "person", 1, new BoundingBox(0, 0, 640, 480)));
    }

    @Test
    void shouldLeaveOutBoxesWithoutArea() {
        LetterboxGeometry geometry = LetterboxGeometry.of(640, 480, 640, 640, 0);

        assertThat(one(10, 0, 20, 79, 0.9f, 0).toObjects(geometry, LABELS)).isEmpty();
        assertThat(one(-9, 100, -1, 200, 0.9f, 0).toObjects(geometry, LABELS)).isEmpty();
        assertThat(one(30, 100, 20, 200, 0.9f, 0).toObjects(geometry, LABELS)).isEmpty();
    }

    @Property
    void shouldStayInsideTheImageWithoutNegativeZeros(
            @ForAll @IntRange(min = 1, max = 5000) int width,
            @ForAll @IntRange(min = 1, max = 5000) int height,
            @ForAll @FloatRange(min = -1000, max = 2000) float x1,
            @ForAll @FloatRange(min = -1000, max = 2000) float y1,
            @ForAll @FloatRange(min = -1000, max = 2000) float x2,
            @ForAll @FloatRange(min = -1000, max = 2000) float y2) {
        LetterboxGeometry geometry = LetterboxGeometry.of(width, height, 640, 640, 3);

        for (DetectedObject object : one(x1, y1, x2, y2, 0.5f, 0).toObjects(geometry, LABELS)) {
            BoundingBox box = object.bbox();
            assertThat(1 / box.x()).isPositive();
            assertThat(1 / box.y()).isPositive();
            assertThat(box.width()).isPositive();
            assertThat(box.height()).isPositive();
            assertThat(box.x() + box.width()).isLessThanOrEqualTo(width + 1e-9);
            assertThat(box.y() + box.height()).isLessThanOrEqualTo(height + 1e-9);
        }
    }

    private static Detections one(
            float x1, float y1, float x2, float y2, float confidence, int classId) {
        return new Detections(
                new float[] {x1},
                new float[] {y1},
                new float[] {x2},
                new float[] {y2},
                new float[] {confidence},
                new int[] {classId});
    }
}

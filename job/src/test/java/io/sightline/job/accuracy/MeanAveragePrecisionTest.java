// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.accuracy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The evaluator itself, on cases worked out by hand. */
class MeanAveragePrecisionTest {

    private static final Box TRUTH = new Box(0, 0, 100, 100);

    private static DetectedObject object(int classId, double confidence, double height) {
        return new DetectedObject(
                classId, "class-" + classId, confidence, new BoundingBox(0, 0, 100, height));
    }

    @Test
    void shouldBeOneWhereEverythingIsFoundExactly() {
        MeanAveragePrecision map = new MeanAveragePrecision(100);
        map.add(Map.of(3, List.of(TRUTH)), List.of(object(3, 0.5, 100)));
        assertThat(map.mean()).isEqualTo(1);
        assertThat(map.at50()).isEqualTo(1);
    }

    @Test
    void shouldCountThresholdsUpToTheOverlap() {
        MeanAveragePrecision map = new MeanAveragePrecision(100);
        // An overlap of 0.72 reaches 0.50, 0.55, 0.60, 0.65 and 0.70.
        map.add(Map.of(0, List.of(TRUTH)), List.of(object(0, 0.5, 72)));
        assertThat(map.mean()).isCloseTo(0.5, within(1e-12));
        assertThat(map.at50()).isEqualTo(1);
    }

    @Test
    void shouldAverageOverTheClassesThatOccurOnly() {
        MeanAveragePrecision map = new MeanAveragePrecision(100);
        map.add(
                Map.of(0, List.of(TRUTH), 1, List.of(TRUTH)),
                List.of(object(0, 0.5, 100), object(7, 0.9, 100)));
        assertThat(map.at50()).isEqualTo(0.5);
    }

    @Test
    void shouldReadPrecisionAt101Recalls() {
        MeanAveragePrecision map = new MeanAveragePrecision(100);
        Box other = new Box(500, 500, 600, 600);
        // Ranked: hit, double of it, and the other box never found: recall 0.5 at precision 1.
        map.add(Map.of(0, List.of(TRUTH, other)), List.of(object(0, 0.9, 100), object(0, 0.8, 99)));
        assertThat(map.at50()).isCloseTo(51 / 101.0, within(1e-12));
    }

    @Test
    void shouldRankOverAllImagesAndCountTheBestOfEachOnly() {
        MeanAveragePrecision map = new MeanAveragePrecision(1);
        map.add(Map.of(0, List.of(TRUTH)), List.of(object(0, 0.3, 100), object(0, 0.6, 10)));
        map.add(Map.of(0, List.of(TRUTH)), List.of(object(0, 0.5, 100)));
        // The miss at 0.6 ranks first; the hit at 0.3 is not among the best one of its image.
        assertThat(map.at50()).isCloseTo(0.5 * 51 / 101, within(1e-12));
    }
}

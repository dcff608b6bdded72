// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class NmsTest {

    private static final int CLASSES = 4;

    private record Box(float x1, float y1, float x2, float y2, float score, int classId) {

        float iou(Box other) {
            float width = Math.max(0, Math.min(x2, other.x2) - Math.max(x1, other.x1));
            float height = Math.max(0, Math.min(y2, other.y2) - Math.max(y1, other.y1));
            float area = (x2 - x1) * (y2 - y1);
            float otherArea = (other.x2 - other.x1) * (other.y2 - other.y1);
            return width * height / (area + otherArea - width * height);
        }
    }

    @Test
    void shouldKeepTheBestOfOverlappingBoxesOfOneClass() {
        List<Box> boxes =
                List.of(
                        new Box(1, 0, 11, 10, 0.8f, 0),
                        new Box(0, 0, 10, 10, 0.9f, 0),
                        new Box(0, 0, 10, 10, 0.7f, 1),
                        new Box(20, 0, 30, 10, 0.6f, 0));

        assertThat(select(boxes, settings(0.5f, 100, 100)))
                .containsExactly(boxes.get(1), boxes.get(2), boxes.get(3));
    }

    @Test
    void shouldSuppressOnlyAboveTheThreshold() {
        List<Box> boxes = List.of(new Box(0, 0, 4, 4, 0.9f, 0), new Box(0, 0, 4, 2, 0.8f, 0));

        assertThat(select(boxes, settings(0.5f, 100, 100))).hasSize(2);
        assertThat(select(boxes, settings(0.49f, 100, 100))).hasSize(1);
    }

    @Test
    void shouldLimitCandidatesBeforeAndDetectionsAfter() {
        List<Box> boxes =
                List.of(
                        new Box(0, 0, 4, 4, 0.9f, 0),
                        new Box(0, 0, 4, 4, 0.8f, 0),
                        new Box(9, 9, 12, 12, 0.7f, 0),
                        new Box(19, 19, 22, 22, 0.6f, 0));

        assertThat(select(boxes, settings(0.5f, 2, 100))).containsExactly(boxes.get(0));
        assertThat(select(boxes, settings(0.5f, 100, 2)))
                .containsExactly(boxes.get(0), boxes.get(2));
    }

    @Test
    void shouldOnlySortWhereTheModelSuppresses() {
        List<Box> boxes = List.of(new Box(0, 0, 4, 4, 0.8f, 0), new Box(0, 0, 4, 4, 0.9f, 0));

        assertThat(select(boxes, settings(0.5f, 100, 100), false))
                .containsExactly(boxes.get(1), boxes.get(0));
    }

    @Test
    void shouldRefuseMeaninglessSettings() {
        assertThatIllegalArgumentException().isThrownBy(() -> NmsSettings.infer(1.1f, 0.5f));
        assertThatIllegalArgumentException().isThrownBy(() -> NmsSettings.infer(0.5f, Float.NaN));
        assertThatIllegalArgumentException().isThrownBy(() -> settings(0.5f, 0, 1));
    }

    @Property(tries = 300)
    void shouldDoAsTheNaiveReferenceDoes(
            @ForAll long seed,
            @ForAll @IntRange(max = 200) int count,
            @ForAll @FloatRange(max = 1) float iou,
            @ForAll @IntRange(min = 1, max = 250) int maxCandidates,
            @ForAll @IntRange(min = 1, max = 60) int maxDetections) {
        List<Box> boxes = randomBoxes(seed, count);
        NmsSettings settings = settings(iou, maxCandidates, maxDetections);

        assertThat(select(boxes, settings)).isEqualTo(naive(boxes, settings));
    }

    @Property(tries = 300)
    void shouldKeepBoxesThatDoNotOverlapAndExplainTheOthers(
            @ForAll long seed,
            @ForAll @IntRange(max = 200) int count,
            @ForAll @FloatRange(max = 1) float iou) {
        List<Box> boxes = randomBoxes(seed, count);

        List<Box> kept = select(boxes, settings(iou, 1000, 1000));

        assertThat(kept).isSortedAccordingTo(Comparator.comparing(Box::score).reversed());
        for (Box box : boxes) {
            boolean overlapsBetter =
                    kept.stream()
                            .anyMatch(
                                    k ->
                                            !k.equals(box)
                                                    && k.classId == box.classId
                                                    && k.score >= box.score
                                                    && k.iou(box) > iou);
            assertThat(kept.contains(box)).isEqualTo(!overlapsBetter);
        }
        assertThat(select(kept, settings(iou, 1000, 1000))).isEqualTo(kept);
    }

    private static NmsSettings settings(float iou, int maxCandidates, int maxDetections) {
        return new NmsSettings(0, iou, maxCandidates, maxDetections, false);
    }

    private static List<Box> randomBoxes(long seed, int count) {
        Random random = new Random(seed);
        List<Box> boxes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            float x = random.nextInt(40);
            float y = random.nextInt(40);
            boxes.add(
                    new Box(
                            x,
                            y,
                            x + 1 + random.nextInt(30),
                            y + 1 + random.nextInt(30),
                            // A part that no other box has: the order is then without ties.
                            random.nextInt(1000) / 1001f + i * 1e-6f,
                            random.nextInt(CLASSES)));
        }
        return boxes;
    }

    private static List<Box> naive(List<Box> boxes, NmsSettings settings) {
        List<Box> sorted = new ArrayList<>(boxes);
        sorted.sort(Comparator.comparing(Box::score).reversed());
        List<Box> left =
                new ArrayList<>(
                        sorted.subList(0, Math.min(sorted.size(), settings.maxCandidates())));
        List<Box> kept = new ArrayList<>();
        while (!left.isEmpty()) {
            Box best = left.remove(0);
            kept.add(best);
            left.removeIf(b -> b.classId == best.classId && best.iou(b) > settings.iou());
        }
        return kept.subList(0, Math.min(kept.size(), settings.maxDetections()));
    }

    private static List<Box> select(List<Box> boxes, NmsSettings settings) {
        return select(boxes, settings, true);
    }

    private static List<Box> select(List<Box> boxes, NmsSettings settings, boolean suppress) {
        Candidates candidates = new Candidates();
        for (Box box : boxes) {
            candidates.add(box.x1, box.y1, box.x2, box.y2, box.score, box.classId);
        }
        Detections detections = new Nms(settings, suppress, CLASSES).select(candidates);
        List<Box> selected = new ArrayList<>();
        for (int i = 0; i < detections.size(); i++) {
            selected.add(
                    new Box(
                            detections.x1(i),
                            detections.y1(i),
                            detections.x2(i),
                            detections.y2(i),
                            detections.confidence(i),
                            detections.classId(i)));
        }
        return selected;
    }
}

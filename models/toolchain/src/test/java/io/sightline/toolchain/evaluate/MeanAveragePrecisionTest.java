// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class MeanAveragePrecisionTest {

    private static final int CLASSES = 3;
    private static final List<String> LABELS = List.of("a", "b", "c");
    private static final Path IMAGE = Path.of("image.jpg");
    private static final GroundTruth TRUTH = truth(0, 0, 0, 100, 100);

    private final MeanAveragePrecision map = new MeanAveragePrecision(100);

    private static GroundTruth truth(int classId, double x, double y, double width, double height) {
        return new GroundTruth(
                classId, new Box(x, y, x + width, y + height), width * height, false);
    }

    private static GroundTruth crowd(double x, double y, double width, double height) {
        GroundTruth single = truth(0, x, y, width, height);
        return new GroundTruth(0, single.box(), single.area(), true);
    }

    private static DetectedObject object(
            int classId, double confidence, double x, double y, double width, double height) {
        return new DetectedObject(
                classId, LABELS.get(classId), confidence, new BoundingBox(x, y, width, height));
    }

    private static DetectedObject object(int classId, double confidence, double height) {
        return object(classId, confidence, 0, 0, 100, height);
    }

    private Evaluation evaluation() {
        return map.evaluation(LABELS);
    }

    @Test
    void shouldBeOneWhereEverythingIsFoundExactly() {
        map.add(IMAGE, List.of(TRUTH), List.of(object(0, 0.5, 100)));
        assertThat(evaluation().map()).isEqualTo(1);
        assertThat(evaluation().map50()).isEqualTo(1);
        assertThat(evaluation().map75()).isEqualTo(1);
    }

    @Test
    void shouldBeZeroWhereNothingIsFound() {
        map.add(IMAGE, List.of(TRUTH), List.of());
        assertThat(evaluation().map()).isZero();
    }

    @Test
    void shouldBeNothingWhereNothingIsToBeFound() {
        map.add(IMAGE, List.of(), List.of(object(0, 0.5, 100)));
        assertThat(evaluation().map()).isNaN();
        assertThat(evaluation().classes()).isEmpty();
    }

    @Test
    void shouldCountThresholdsUpToTheOverlap() {
        // An overlap of 0.72 reaches 0.50, 0.55, 0.60, 0.65 and 0.70.
        map.add(IMAGE, List.of(TRUTH), List.of(object(0, 0.5, 72)));
        assertThat(evaluation().map()).isCloseTo(0.5, within(1e-12));
        assertThat(evaluation().map50()).isEqualTo(1);
        assertThat(evaluation().map75()).isZero();
    }

    @Test
    void shouldAverageOverTheClassesThatOccurOnly() {
        map.add(
                IMAGE,
                List.of(TRUTH, truth(1, 0, 0, 100, 100)),
                List.of(object(0, 0.5, 100), object(2, 0.9, 100)));
        assertThat(evaluation().map50()).isEqualTo(0.5);
        assertThat(evaluation().classes())
                .containsExactly(
                        new Evaluation.OfClass(0, "a", 1, 1, 1),
                        new Evaluation.OfClass(1, "b", 1, 0, 0));
    }

    @Test
    void shouldReadPrecisionAt101Recalls() {
        // Ranked: hit, double of it, and the other box never found: recall 0.5 at precision 1.
        map.add(
                IMAGE,
                List.of(TRUTH, truth(0, 500, 500, 100, 100)),
                List.of(object(0, 0.9, 100), object(0, 0.8, 99)));
        assertThat(evaluation().map50()).isCloseTo(51 / 101.0, within(1e-12));
    }

    @Test
    void shouldRankOverAllImagesAndCountTheBestOfEachOnly() {
        MeanAveragePrecision one = new MeanAveragePrecision(1);
        one.add(IMAGE, List.of(TRUTH), List.of(object(0, 0.3, 100), object(0, 0.6, 10)));
        one.add(IMAGE, List.of(TRUTH), List.of(object(0, 0.5, 100)));
        // The miss at 0.6 ranks first; the hit at 0.3 is not among the best one of its image.
        assertThat(one.evaluation(LABELS).map50()).isCloseTo(0.5 * 51 / 101, within(1e-12));
    }

    @Test
    void shouldNeitherRewardNorPunishDetectionsInACrowd() {
        map.add(
                IMAGE,
                List.of(truth(0, 500, 500, 100, 100), crowd(0, 0, 400, 400)),
                List.of(
                        // Wholly inside, though their IoU with the crowd is tiny.
                        object(0, 0.9, 10, 10, 20, 20),
                        object(0, 0.8, 50, 50, 20, 20),
                        object(0, 0.7, 500, 500, 100, 100)));
        assertThat(evaluation().map()).isEqualTo(1);
        assertThat(evaluation().objects()).isEqualTo(1);
    }

    @Test
    void shouldNotCountDetectionsOfAnyClassInARegionToIgnore() {
        GroundTruth region = GroundTruth.ignored(new Box(300, 0, 400, 100));
        map.add(
                IMAGE,
                List.of(TRUTH, truth(1, 0, 200, 100, 100), region),
                List.of(
                        // 5/6 of it lie in the region: wrong from 0.85 on, at 3 of 10 thresholds.
                        object(0, 0.9, 300, 0, 100, 120),
                        object(0, 0.8, 100),
                        object(1, 0.9, 300, 0, 100, 100),
                        object(1, 0.8, 0, 200, 100, 100),
                        object(2, 0.9, 300, 0, 100, 100)));
        Evaluation evaluation = evaluation();
        assertThat(evaluation.map50()).isEqualTo(1);
        assertThat(evaluation.classes())
                .extracting(Evaluation.OfClass::classId, Evaluation.OfClass::objects)
                .containsExactly(tuple(0, 1), tuple(1, 1));
        assertThat(evaluation.classes().get(0).map()).isCloseTo((7 + 3 * 0.5) / 10, within(1e-12));
        assertThat(evaluation.classes().get(1).map()).isEqualTo(1);
    }

    @Test
    void shouldRatherTakeAnObjectThanACrowd() {
        // The crowd covers the detection wholly, the object only by 0.6: it is a hit up to 0.60.
        map.add(IMAGE, List.of(crowd(0, 0, 400, 400), TRUTH), List.of(object(0, 0.9, 60)));
        assertThat(evaluation().map()).isCloseTo(0.3, within(1e-12));
    }

    @Test
    void shouldIgnoreWhatIsOfAnotherSize() {
        map.add(
                IMAGE,
                List.of(truth(0, 0, 0, 10, 10), truth(0, 500, 500, 200, 200)),
                List.of(
                        object(0, 0.9, 700, 0, 20, 20),
                        object(0, 0.8, 500, 500, 200, 200),
                        object(0, 0.7, 0, 0, 10, 10)));
        Evaluation evaluation = evaluation();
        // The wrong one is small: it costs among the small ones only.
        assertThat(evaluation.map(ObjectSize.SMALL)).isCloseTo(0.5, within(1e-12));
        assertThat(evaluation.map(ObjectSize.MEDIUM)).isNaN();
        assertThat(evaluation.map(ObjectSize.LARGE)).isEqualTo(1);
    }

    @Test
    void shouldTakeTheSizeFromTheOutlineWhereItIsKnown() {
        map.add(
                IMAGE,
                List.of(new GroundTruth(0, TRUTH.box(), 900, false)),
                List.of(object(0, 0.9, 100)));
        assertThat(evaluation().map(ObjectSize.SMALL)).isEqualTo(1);
        assertThat(evaluation().map(ObjectSize.LARGE)).isNaN();
    }

    /** Boxes on a coarse grid and few scores, so that ties and crowded scenes are frequent. */
    static List<PlainAveragePrecision.Picture> scenes(Random random, int pictures) {
        List<PlainAveragePrecision.Picture> scenes = new ArrayList<>();
        for (int i = 0; i < pictures; i++) {
            List<GroundTruth> truth = new ArrayList<>();
            List<DetectedObject> objects = new ArrayList<>();
            for (int n = random.nextInt(6); n > 0; n--) {
                GroundTruth object =
                        truth(
                                random.nextInt(CLASSES),
                                16 * random.nextInt(6),
                                16 * random.nextInt(6),
                                16 + 16 * random.nextInt(8),
                                16 + 16 * random.nextInt(8));
                truth.add(
                        random.nextInt(8) == 0
                                ? GroundTruth.ignored(object.box())
                                : new GroundTruth(
                                        object.classId(),
                                        object.box(),
                                        object.area() * (0.5 + random.nextInt(2) / 2.0),
                                        random.nextInt(5) == 0));
            }
            for (int n = random.nextInt(12); n > 0; n--) {
                double confidence = random.nextInt(20) / 20.0;
                if (!truth.isEmpty() && random.nextBoolean()) {
                    GroundTruth near = truth.get(random.nextInt(truth.size()));
                    objects.add(
                            object(
                                    Math.max(0, near.classId()),
                                    confidence,
                                    near.box().x1() + random.nextInt(4),
                                    near.box().y1() + random.nextInt(4),
                                    near.box().x2() - near.box().x1(),
                                    near.box().y2() - near.box().y1()));
                } else {
                    objects.add(
                            object(
                                    random.nextInt(CLASSES),
                                    confidence,
                                    16 * random.nextInt(6),
                                    16 * random.nextInt(6),
                                    16 + 16 * random.nextInt(8),
                                    16 + 16 * random.nextInt(8)));
                }
            }
            scenes.add(new PlainAveragePrecision.Picture(truth, objects));
        }
        return scenes;
    }

    static Evaluation evaluate(List<PlainAveragePrecision.Picture> scenes, int best) {
        MeanAveragePrecision map = new MeanAveragePrecision(best);
        for (int i = 0; i < scenes.size(); i++) {
            map.add(Path.of(i + ".jpg"), scenes.get(i).truth(), scenes.get(i).objects());
        }
        return map.evaluation(LABELS);
    }

    private static void assertSame(double actual, double expected) {
        if (Double.isNaN(expected)) {
            assertThat(actual).isNaN();
        } else {
            assertThat(actual).isCloseTo(expected, within(1e-9));
        }
    }

    @Property(tries = 300)
    void shouldAgreeWithAPlainImplementation(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 12) int best) {
        Random random = new Random(seed);
        List<PlainAveragePrecision.Picture> scenes = scenes(random, 1 + random.nextInt(6));
        Evaluation evaluation = evaluate(scenes, best);
        double none = Double.POSITIVE_INFINITY;
        assertSame(evaluation.map(), PlainAveragePrecision.map(scenes, CLASSES, best, 0, none));
        assertSame(
                evaluation.map(ObjectSize.SMALL),
                PlainAveragePrecision.map(scenes, CLASSES, best, 0, 32 * 32));
        assertSame(
                evaluation.map(ObjectSize.MEDIUM),
                PlainAveragePrecision.map(scenes, CLASSES, best, 32 * 32, 96 * 96));
        assertSame(
                evaluation.map(ObjectSize.LARGE),
                PlainAveragePrecision.map(scenes, CLASSES, best, 96 * 96, none));
        for (Evaluation.OfClass ofClass : evaluation.classes()) {
            assertSame(
                    ofClass.map50(),
                    PlainAveragePrecision.ap(scenes, ofClass.classId(), 0.5, best, 0, none));
        }
    }

    /** Copies of an image interleave where its scores are equal: then the order is not defined. */
    private static PlainAveragePrecision.Picture withoutTies(PlainAveragePrecision.Picture scene) {
        List<DetectedObject> objects = new ArrayList<>();
        for (DetectedObject object : scene.objects()) {
            objects.add(
                    new DetectedObject(
                            object.classId(),
                            object.label(),
                            object.confidence() + 1e-6 * objects.size(),
                            object.bbox()));
        }
        return new PlainAveragePrecision.Picture(scene.truth(), objects);
    }

    @Property(tries = 300)
    void shouldWeighAnImageAsIfItWereThereSoManyTimes(@ForAll long seed) {
        Random random = new Random(seed);
        List<PlainAveragePrecision.Picture> scenes =
                scenes(random, 1 + random.nextInt(6)).stream()
                        .map(MeanAveragePrecisionTest::withoutTies)
                        .toList();
        int[] weights = random.ints(scenes.size(), 0, 4).toArray();
        List<PlainAveragePrecision.Picture> resample = new ArrayList<>();
        for (int i = 0; i < weights.length; i++) {
            for (int copy = 0; copy < weights[i]; copy++) {
                resample.add(scenes.get(i));
            }
        }
        assertSame(
                evaluate(scenes, 100).map(weights),
                PlainAveragePrecision.map(resample, CLASSES, 100, 0, Double.POSITIVE_INFINITY));
    }
}

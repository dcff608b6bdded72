// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sightline.camera.simulated.FrameTruth;
import io.sightline.camera.simulated.ObjectClass;
import io.sightline.camera.simulated.TrueObject;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.evaluate.Box;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.GroundTruth;
import io.sightline.toolchain.evaluate.MeanAveragePrecision;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ScoringTest {

    private static final List<ObjectClass> CLASSES =
            List.of(ObjectClass.PERSON, ObjectClass.BICYCLE, ObjectClass.CAR);

    private static final float CONFIDENCE = 0.4f;

    /** Half the size of the pictures: an object of 24 pixels has 12 in the network. */
    private static final int WIDTH = 640;

    private static final int HEIGHT = 360;

    private final Scoring scoring = new Scoring(spec("person", "bicycle", "car"), CONFIDENCE);
    private long seq;

    private static ModelSpec spec(String... labels) {
        return new ModelSpec(
                "model",
                "0".repeat(64),
                WIDTH,
                HEIGHT,
                InputFormat.BYTES_NHWC_BGR,
                1,
                false,
                0,
                114,
                List.of(labels),
                OutputLayout.ANCHORS_OBJ,
                true,
                CONFIDENCE,
                0.45f,
                "int8",
                "",
                "");
    }

    private static TrueObject truth(ObjectClass type, double x, double y, double side) {
        return new TrueObject(1, type, x, y, x + side, y + side, 0, 0);
    }

    private static DetectedObject found(
            String label, double confidence, double x, double y, double side) {
        return new DetectedObject(0, label, confidence, new BoundingBox(x, y, side, side));
    }

    private static FrameTruth frame(long seq, List<TrueObject> objects) {
        return new FrameTruth("cam-1", 0, seq, 0, 2 * WIDTH, 2 * HEIGHT, objects);
    }

    private static DetectionEvent event(String camera, long seq, List<DetectedObject> objects) {
        return new DetectionEvent(
                DetectionEvent.SCHEMA,
                "id",
                camera,
                0,
                seq,
                "2026-11-23T10:00:00.000Z",
                new DetectionEvent.Source("frames", 0, seq),
                new DetectionEvent.Image(2 * WIDTH, 2 * HEIGHT),
                new DetectionEvent.Model("model", "0".repeat(64), "int8", "onnxruntime"),
                objects,
                new DetectionEvent.Timing(0, 0, 0, 0, 0, 1, 0),
                null);
    }

    private void frame(List<TrueObject> truth, DetectedObject... detections) {
        scoring.accept(frame(seq, truth));
        scoring.add(event("cam-1", seq++, List.of(detections)));
    }

    private Score score() {
        return scoring.score().orElseThrow();
    }

    private void assertScore(double map50, double precision, double recall, long objects) {
        assertThat(score().map50()).isCloseTo(map50, within(1e-9));
        assertThat(score().precision()).isCloseTo(precision, within(1e-9));
        assertThat(score().recall()).isCloseTo(recall, within(1e-9));
        assertThat(score().objects()).isEqualTo(objects);
    }

    @Test
    void shouldGiveFullMarksForEverythingFoundAndNothingElse() {
        frame(
                List.of(
                        truth(ObjectClass.PERSON, 100, 100, 50),
                        truth(ObjectClass.CAR, 300, 100, 80)),
                found("person", 0.9, 100, 100, 50),
                found("car", 0.5, 302, 101, 80));
        assertScore(1, 1, 1, 2);
        assertThat(score().classes())
                .containsExactly(
                        new Score.OfClass("person", 1, 1, 1, 1),
                        new Score.OfClass("car", 1, 1, 1, 1));
    }

    @Test
    void shouldMissWhatWasNotFound() {
        frame(
                List.of(
                        truth(ObjectClass.PERSON, 100, 100, 50),
                        truth(ObjectClass.PERSON, 300, 100, 50)),
                found("person", 0.9, 100, 100, 50));
        // Recalls 0 to 0.50 of 101 are reached.
        assertScore(51 / 101.0, 1, 0.5, 2);
    }

    @Test
    void shouldCountWhatIsNotThere() {
        frame(
                List.of(truth(ObjectClass.PERSON, 100, 100, 50)),
                found("person", 0.9, 600, 300, 50),
                found("person", 0.8, 100, 100, 50));
        assertScore(0.5, 0.5, 1, 1);
    }

    @Test
    void shouldCountTheSecondBoxOnAnObjectAsWrong() {
        frame(
                List.of(truth(ObjectClass.PERSON, 100, 100, 50)),
                found("person", 0.9, 100, 100, 50),
                found("person", 0.8, 105, 100, 50));
        // Found at full precision before the second came.
        assertScore(1, 0.5, 1, 1);
    }

    @Test
    void shouldNotTakeAnObjectOfAnotherClassOrOneThatOverlapsTooLittle() {
        frame(
                List.of(truth(ObjectClass.CAR, 100, 100, 50)),
                found("person", 0.9, 100, 100, 50),
                found("car", 0.8, 130, 100, 50));
        assertScore(0, 0, 0, 1);
        assertThat(score().classes()).hasSize(1);
    }

    @Test
    void shouldNeitherAskForNorMindWhatDoesNotCount() {
        frame(
                List.of(
                        truth(ObjectClass.PERSON, 100, 100, 23.9),
                        new TrueObject(2, ObjectClass.CAR, 300, 100, 400, 200, 0.61, 0),
                        new TrueObject(3, ObjectClass.CAR, 0, 100, 90, 200, 0, 0.51),
                        truth(ObjectClass.PERSON, 600, 300, 24)),
                found("person", 0.9, 600, 300, 24),
                found("person", 0.8, 101, 101, 20),
                found("person", 0.8, 310, 110, 60),
                found("car", 0.7, 310, 110, 60),
                found("car", 0.6, 0, 110, 80));
        assertScore(1, 1, 1, 1);
    }

    @Test
    void shouldMindWhatLiesMostlyBesideWhatDoesNotCount() {
        frame(
                List.of(
                        truth(ObjectClass.PERSON, 100, 100, 20),
                        truth(ObjectClass.PERSON, 600, 300, 50)),
                found("person", 0.9, 100, 100, 30),
                found("person", 0.8, 600, 300, 50));
        assertScore(0.5, 0.5, 1, 1);
    }

    @Test
    void shouldLeaveOutClassesThatTheModelOrTheTruthDoesNotKnow() {
        frame(
                List.of(
                        truth(ObjectClass.BUS, 100, 100, 200),
                        truth(ObjectClass.PERSON, 600, 300, 50)),
                found("person", 0.9, 600, 300, 50),
                found("bench", 0.9, 900, 500, 50),
                found("car", 0.9, 100, 100, 200));
        assertScore(1, 1, 1, 1);
    }

    @Test
    void shouldNotScoreAModelThatKnowsNoneOfTheClasses() {
        Scoring other = new Scoring(spec("class-0", "class-1"), CONFIDENCE);
        other.accept(frame(0, List.of(truth(ObjectClass.PERSON, 100, 100, 50))));
        other.add(event("cam-1", 0, List.of(found("class-0", 0.9, 100, 100, 50))));
        assertThat(other.possible()).isFalse();
        assertThat(other.score()).isEmpty();
        assertThat(scoring.possible()).isTrue();
    }

    @Test
    void shouldRankByAllScoresButShowOnlyThoseAboveTheConfidence() {
        frame(
                List.of(
                        truth(ObjectClass.PERSON, 100, 100, 50),
                        truth(ObjectClass.PERSON, 300, 100, 50)),
                found("person", 0.9, 100, 100, 50),
                found("person", 0.4, 900, 300, 50),
                found("person", 0.1, 300, 100, 50));
        // Precision 1 up to recall 0.5, then 2/3.
        assertScore((51 + 50 * 2 / 3.0) / 101, 1, 0.5, 2);
    }

    @Test
    void shouldMatchEventsToTheTruthOfTheirFrame() {
        scoring.accept(frame(7, List.of(truth(ObjectClass.PERSON, 100, 100, 50))));
        scoring.accept(frame(8, List.of(truth(ObjectClass.PERSON, 300, 100, 50))));
        scoring.add(event("cam-2", 7, List.of(found("person", 0.9, 600, 300, 50))));
        assertThat(scoring.score()).isEmpty();
        scoring.add(event("cam-1", 8, List.of(found("person", 0.9, 300, 100, 50))));
        scoring.add(event("cam-1", 7, List.of(found("person", 0.9, 100, 100, 50))));
        assertScore(1, 1, 1, 2);
        // The same once more, as at-least-once delivery may have it.
        scoring.add(event("cam-1", 7, List.of(found("person", 0.9, 600, 300, 50))));
        assertScore(1, 1, 1, 2);
    }

    @Test
    void shouldPrintATable() {
        frame(List.of(truth(ObjectClass.PERSON, 100, 100, 50)), found("car", 0.9, 100, 100, 50));
        assertThat(score().toString().lines())
                .containsExactly(
                        "against the truth       mAP 50  precision  recall  objects",
                        "  all                    0.000      0.000   0.000        1",
                        "  person                 0.000          -   0.000        1",
                        "precision and recall at confidence 0.40, all at overlap 0.5");
    }

    /** With scores that differ by more than the steps in which they are kept. */
    @Property(tries = 200)
    void shouldAgreeWithTheToolchain(@ForAll Random random) {
        List<String> labels = List.of("person", "bicycle", "car");
        Scoring scoring = new Scoring(spec(labels.toArray(String[]::new)), CONFIDENCE);
        MeanAveragePrecision reference = new MeanAveragePrecision(1_000);
        List<Double> scores = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            scores.add((i + 0.5) / 1_000);
        }
        Collections.shuffle(scores, random);
        int next = 0;
        for (int seq = 0; seq < 8; seq++) {
            List<TrueObject> truth = new ArrayList<>();
            List<GroundTruth> expected = new ArrayList<>();
            for (int i = random.nextInt(10); i > 0; i--) {
                int type = random.nextInt(3);
                ObjectClass objectClass = CLASSES.get(type);
                Box box = box(random);
                double occluded = random.nextInt(4) == 0 ? 0.9 : 0;
                truth.add(
                        new TrueObject(
                                i,
                                objectClass,
                                box.x1(),
                                box.y1(),
                                box.x2(),
                                box.y2(),
                                occluded,
                                0));
                if (occluded == 0) {
                    expected.add(new GroundTruth(type, box, box.area(), false));
                } else {
                    // Not to be found, whatever it is taken for.
                    for (int any = 0; any < labels.size(); any++) {
                        expected.add(new GroundTruth(any, box, box.area(), true));
                    }
                }
            }
            List<DetectedObject> detections = new ArrayList<>();
            for (int i = random.nextInt(15); i > 0; i--) {
                Box box =
                        truth.isEmpty() || random.nextInt(3) == 0
                                ? box(random)
                                : moved(truth.get(random.nextInt(truth.size())), random);
                int type = random.nextInt(3);
                detections.add(
                        new DetectedObject(
                                type,
                                labels.get(type),
                                scores.get(next++),
                                new BoundingBox(
                                        box.x1(),
                                        box.y1(),
                                        box.x2() - box.x1(),
                                        box.y2() - box.y1())));
            }
            detections.sort(Comparator.comparing(DetectedObject::confidence).reversed());
            scoring.accept(frame(seq, truth));
            scoring.add(event("cam-1", seq, detections));
            reference.add(Path.of("" + seq), expected, detections);
        }
        Evaluation evaluation = reference.evaluation(labels);
        Score score = scoring.score().orElseThrow();
        assertThat(score.objects()).isEqualTo(evaluation.objects());
        assertThat(score.classes().stream().map(Score.OfClass::label))
                .containsExactlyElementsOf(
                        evaluation.classes().stream().map(Evaluation.OfClass::label).toList());
        double[] expected =
                evaluation.classes().stream().mapToDouble(Evaluation.OfClass::map50).toArray();
        double[] actual =
                score.classes().stream().mapToDouble(Score.OfClass::averagePrecision).toArray();
        assertThat(actual).containsExactly(expected, within(1e-9));
        assertThat(score.map50())
                .isEqualTo(Arrays.stream(expected).average().orElse(Double.NaN), within(1e-9));
    }

    private static Box box(Random random) {
        double x = random.nextInt(1_000);
        double y = random.nextInt(500);
        return new Box(x, y, x + 30 + random.nextInt(150), y + 30 + random.nextInt(150));
    }

    private static Box moved(TrueObject object, Random random) {
        double x = random.nextInt(40) - 20;
        double y = random.nextInt(40) - 20;
        return new Box(object.x1() + x, object.y1() + y, object.x2() + x, object.y2() + y);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Counted by hand. */
class DetectionAgreementTest {

    private static final List<String> LABELS = List.of("person", "car");

    /** 100 pixels wide: one shifted by d has an overlap of (100 - d) / (100 + d). */
    private static DetectedObject object(int label, double score, double x) {
        return new DetectedObject(label, LABELS.get(label), score, new BoundingBox(x, 10, 100, 50));
    }

    @SafeVarargs
    private static Evaluation evaluation(List<DetectedObject>... images) {
        MeanAveragePrecision map = new MeanAveragePrecision(100);
        for (int i = 0; i < images.length; i++) {
            map.add(Path.of("image" + i), List.of(), images[i]);
        }
        return map.evaluation(LABELS);
    }

    private static DetectionAgreement agreement(
            List<DetectedObject> one, List<DetectedObject> other) {
        return DetectionAgreement.of(evaluation(one), evaluation(other));
    }

    @Test
    void shouldMatchWhatIsFoundTwice() {
        List<DetectedObject> found =
                List.of(object(0, 0.9, 0), object(0, 0.8, 300), object(1, 0.41, 0));
        DetectionAgreement agreement = agreement(found, found);
        assertThat(agreement).isEqualTo(new DetectionAgreement(6, 6));
        assertThat(agreement.share()).isEqualTo(1);
    }

    @Test
    void shouldAskForPlaceScoreAndLabel() {
        // Shifted by 5 of 100: 95/105 = 0.905. By 6: 94/106 = 0.887.
        assertThat(agreement(List.of(object(0, 0.9, 0)), List.of(object(0, 0.9, 5))))
                .isEqualTo(new DetectionAgreement(2, 2));
        assertThat(agreement(List.of(object(0, 0.9, 0)), List.of(object(0, 0.9, 6))))
                .isEqualTo(new DetectionAgreement(2, 0));
        assertThat(agreement(List.of(object(0, 0.90, 0)), List.of(object(0, 0.85, 0))))
                .isEqualTo(new DetectionAgreement(2, 2));
        assertThat(agreement(List.of(object(0, 0.90, 0)), List.of(object(0, 0.84, 0))))
                .isEqualTo(new DetectionAgreement(2, 0));
        assertThat(agreement(List.of(object(0, 0.9, 0)), List.of(object(1, 0.9, 0))))
                .isEqualTo(new DetectionAgreement(2, 0));
    }

    @Test
    void shouldCountTheConfidentOnesOfBothAndMatchThemWithWeakerOnes() {
        // 0.42 is matched by 0.38, which does not count itself; 0.39 and 0.30 do not count at all.
        DetectionAgreement agreement =
                agreement(
                        List.of(object(0, 0.42, 0), object(0, 0.39, 300)),
                        List.of(object(0, 0.38, 0), object(0, 0.30, 300), object(1, 0.7, 600)));
        assertThat(agreement).isEqualTo(new DetectionAgreement(2, 1));
        assertThat(agreement.share()).isEqualTo(0.5);
    }

    @Test
    void shouldMatchEachOnlyOnce() {
        // Two of the one lie on one of the other: the better of them takes it.
        assertThat(
                        agreement(
                                List.of(object(0, 0.90, 0), object(0, 0.88, 2)),
                                List.of(object(0, 0.89, 1))))
                .isEqualTo(new DetectionAgreement(3, 2));
    }

    @Test
    void shouldKeepImagesApart() {
        Evaluation one = evaluation(List.of(object(0, 0.9, 0)), List.of());
        Evaluation other = evaluation(List.of(), List.of(object(0, 0.9, 0)));
        assertThat(DetectionAgreement.of(one, other)).isEqualTo(new DetectionAgreement(2, 0));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> DetectionAgreement.of(one, evaluation(List.of())))
                .withMessageContaining("2 and 1 images");
    }

    @Test
    void shouldTellNothingWhereNothingIsFound() {
        assertThat(agreement(List.of(), List.of(object(0, 0.39, 0))).share()).isNaN();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.toolchain.evaluate.PairedBootstrap.Difference;
import io.sightline.toolchain.evaluate.PairedBootstrap.Verdict;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;

class PairedBootstrapTest {

    private static final int IMAGES = 100;

    private static Evaluation finding(IntPredicate found) {
        return finding(found, "%d%d.jpg");
    }

    /** One object an image, found exactly in those that are asked for. */
    private static Evaluation finding(IntPredicate found, String name) {
        MeanAveragePrecision map = new MeanAveragePrecision(100);
        for (int i = 0; i < IMAGES; i++) {
            GroundTruth truth = new GroundTruth(0, new Box(0, 0, 50, 50), 2500, false);
            DetectedObject object = new DetectedObject(0, "a", 0.5, new BoundingBox(0, 0, 50, 50));
            map.add(
                    Path.of(name.formatted(i / 10, i % 10)),
                    List.of(truth),
                    found.test(i) ? List.of(object) : List.of());
        }
        return map.evaluation(List.of("a"));
    }

    @Test
    void shouldFindNoDifferenceBetweenEquals() {
        Evaluation evaluation = finding(i -> i % 3 != 0);
        Difference difference = PairedBootstrap.difference(evaluation, evaluation);
        assertThat(difference).isEqualTo(new Difference(0, 0, 0, 0, IMAGES, IMAGES, 1000));
        assertThat(difference.verdict()).isEqualTo(Verdict.NOT_MOVED);
    }

    @Test
    void shouldKnowALossFromAGain() {
        Evaluation better = finding(i -> i % 10 != 0);
        Evaluation worse = finding(i -> i % 2 != 0);
        Difference loss = PairedBootstrap.difference(better, worse);
        assertThat(loss.delta()).isCloseTo(worse.map() - better.map(), within(1e-12));
        assertThat(loss.verdict()).isEqualTo(Verdict.LOSS);
        assertThat(PairedBootstrap.difference(worse, better).verdict()).isEqualTo(Verdict.GAIN);
    }

    @Test
    void shouldSpreadAsTheShareOfImagesDoes() {
        // Without false alarms AP is the share of objects found, up to the step of recall: the
        // difference is the mean of 0.3 · 100 ones and zeros, whose standard error is known.
        Evaluation all = finding(i -> true);
        Evaluation some = finding(i -> i >= 30);
        Difference difference = PairedBootstrap.difference(all, some, 4000, 7);
        double error = Math.sqrt(0.3 * 0.7 / IMAGES);
        assertThat(difference.delta()).isCloseTo(-0.3, within(0.01));
        assertThat(difference.standardError()).isCloseTo(error, within(0.1 * error));
        assertThat(difference.low()).isCloseTo(-0.3 - 1.96 * error, within(0.015));
        assertThat(difference.high()).isCloseTo(-0.3 + 1.96 * error, within(0.015));
    }

    @Test
    void shouldDrawTheFramesOfASceneTogether() {
        // Ten scenes of ten frames, of which the other misses three scenes: as 10 images would.
        String frames = "scene-%d-%d.jpg";
        Difference difference =
                PairedBootstrap.difference(
                        finding(i -> true, frames), finding(i -> i >= 30, frames), 4000, 7);
        assertThat(difference.scenes()).isEqualTo(10);
        assertThat(difference.images()).isEqualTo(IMAGES);
        double error = Math.sqrt(0.3 * 0.7 / 10);
        assertThat(difference.delta()).isCloseTo(-0.3, within(0.01));
        assertThat(difference.standardError()).isCloseTo(error, within(0.1 * error));
        // Nothing could be drawn of one scene.
        Difference ofOne =
                PairedBootstrap.difference(
                        finding(i -> true, "scene-1-%d%d.jpg"),
                        finding(i -> i >= 30, "scene-1-%d%d.jpg"));
        assertThat(ofOne.scenes()).isEqualTo(IMAGES);
        assertThat(ofOne.standardError()).isPositive();
    }

    @Test
    void shouldLeaveOpenWhatChanceMayDo() {
        // Each misses a few that the other finds.
        Difference difference =
                PairedBootstrap.difference(finding(i -> i >= 10), finding(i -> i < 87));
        assertThat(Math.abs(difference.delta())).isGreaterThan(PairedBootstrap.NOT_MOVED);
        assertThat(difference.low()).isNegative();
        assertThat(difference.high()).isPositive();
        assertThat(difference.verdict()).isEqualTo(Verdict.UNDECIDED);
    }

    @Test
    void shouldNotSayThatNothingMovedWhereALotMayHave() {
        // As many missed by either, never the same ones.
        Difference difference =
                PairedBootstrap.difference(finding(i -> i >= 10), finding(i -> i < 90));
        assertThat(Math.abs(difference.delta())).isLessThan(PairedBootstrap.NOT_MOVED);
        assertThat(difference.high()).isGreaterThan(0.02);
        assertThat(difference.verdict()).isEqualTo(Verdict.UNDECIDED);
    }

    @Test
    void shouldRepeatWithTheSeed() {
        Random random = new Random(1);
        Evaluation a =
                MeanAveragePrecisionTest.evaluate(MeanAveragePrecisionTest.scenes(random, 20), 100);
        Evaluation b =
                MeanAveragePrecisionTest.evaluate(MeanAveragePrecisionTest.scenes(random, 20), 100);
        assertThat(PairedBootstrap.difference(a, b, 200, 5))
                .isEqualTo(PairedBootstrap.difference(a, b, 200, 5))
                .isNotEqualTo(PairedBootstrap.difference(a, b, 200, 6));
    }

    @Test
    void shouldRefuseWhatIsNoPair() {
        MeanAveragePrecision other = new MeanAveragePrecision(100);
        other.add(Path.of("other.jpg"), List.of(), List.of());
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () ->
                                PairedBootstrap.difference(
                                        finding(i -> true), other.evaluation(List.of("a"))))
                .withMessageContaining("100 and 1 images");
    }
}

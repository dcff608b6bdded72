// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LetterboxGeometryTest {

    @ParameterizedTest(name = "border {0}, {1}x{2}")
    @CsvSource({
        "6, 1920, 1080, 628, 353, 6, 143, 6, 144",
        "6,  640,  480, 628, 471, 6,  84, 6,  85",
        "6,  500,  375, 628, 471, 6,  84, 6,  85",
        "6,  480,  640, 471, 628, 84,  6, 85,  6",
        "4, 1920, 1080, 632, 355, 4, 142, 4, 143",
        "4,  640,  480, 632, 474, 4,  83, 4,  83",
        "4,  500,  375, 632, 474, 4,  83, 4,  83",
        "4,  480,  640, 474, 632, 83,  4, 83,  4",
        "3, 1920, 1080, 634, 356, 3, 142, 3, 142",
        "3,  640,  480, 634, 475, 3,  82, 3,  83",
        "3,  500,  375, 634, 475, 3,  82, 3,  83",
        "3,  480,  640, 475, 634, 82,  3, 83,  3",
        "2, 1920, 1080, 636, 357, 2, 141, 2, 142",
        "2,  640,  480, 636, 477, 2,  81, 2,  82",
        "2,  500,  375, 636, 477, 2,  81, 2,  82",
        "2,  480,  640, 477, 636, 81,  2, 82,  2",
        "1, 1920, 1080, 638, 358, 1, 141, 1, 141",
        "1,  640,  480, 638, 478, 1,  81, 1,  81",
        "1,  500,  375, 638, 478, 1,  81, 1,  81",
        "1,  480,  640, 478, 638, 81,  1, 81,  1",
        "0, 1920, 1080, 640, 360, 0, 140, 0, 140",
        "0,  640,  480, 640, 480, 0,  80, 0,  80",
        "0,  500,  375, 640, 480, 0,  80, 0,  80",
        "0,  480,  640, 480, 640, 80,  0, 80,  0",
    })
    void shouldMatchThePublishedScheme(
            int border,
            int imageWidth,
            int imageHeight,
            int width,
            int height,
            int left,
            int top,
            int right,
            int bottom) {
        assertThat(LetterboxGeometry.of(imageWidth, imageHeight, 640, 640, border))
                .isEqualTo(
                        new LetterboxGeometry(
                                imageWidth, imageHeight, width, height, left, top, right, bottom));
    }

    @Test
    void shouldMapBackWithTheGainOfEachAxis() {
        LetterboxGeometry geometry = LetterboxGeometry.of(500, 375, 640, 640, 3);

        assertThat(geometry.toImageX(3 + 126.8)).isCloseTo(100, within(1e-9));
        assertThat(geometry.toImageY(82 + 475 / 2.0)).isCloseTo(187.5, within(1e-9));
    }

    @Test
    void shouldClampToTheImage() {
        LetterboxGeometry geometry = LetterboxGeometry.of(1920, 1080, 640, 640, 3);

        assertThat(geometry.toImageX(-50)).isZero();
        assertThat(geometry.toImageX(640)).isEqualTo(1920);
        assertThat(geometry.toImageY(100)).isZero();
        assertThat(geometry.toImageY(1e9)).isEqualTo(1080);
    }

    @Test
    void shouldRefuseABorderThatLeavesNoRoom() {
        assertThat(LetterboxGeometry.of(10, 10, 7, 9, 3).resizedWidth()).isEqualTo(1);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LetterboxGeometry.of(10, 10, 6, 9, 3))
                .withMessageContaining("border 3 leaves no room in an input of 6x9");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LetterboxGeometry.of(10, 10, 64, 64, -1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LetterboxGeometry.of(0, 10, 64, 64, 0))
                .withMessageContaining("image 0x10");
    }

    @Property
    void shouldFillTheInputExactlyAndKeepTheBorder(
            @ForAll @IntRange(min = 1, max = 20_000) int imageWidth,
            @ForAll @IntRange(min = 1, max = 20_000) int imageHeight,
            @ForAll @IntRange(min = 32, max = 1280) int inputWidth,
            @ForAll @IntRange(min = 32, max = 1280) int inputHeight,
            @ForAll @IntRange(min = 0, max = 15) int border) {
        LetterboxGeometry geometry =
                LetterboxGeometry.of(imageWidth, imageHeight, inputWidth, inputHeight, border);

        assertThat(geometry.left() + geometry.resizedWidth() + geometry.right())
                .isEqualTo(inputWidth);
        assertThat(geometry.top() + geometry.resizedHeight() + geometry.bottom())
                .isEqualTo(inputHeight);
        assertThat(geometry.left()).isGreaterThanOrEqualTo(border);
        assertThat(geometry.top()).isGreaterThanOrEqualTo(border);
        assertThat(geometry.right()).isBetween(geometry.left(), geometry.left() + 1);
        assertThat(geometry.bottom()).isBetween(geometry.top(), geometry.top() + 1);
        assertThat(geometry.resizedWidth()).isPositive();
        assertThat(geometry.resizedHeight()).isPositive();
    }

    @Property
    void shouldMapTheImageEdgesBackToTheImageEdges(
            @ForAll @IntRange(min = 1, max = 20_000) int imageWidth,
            @ForAll @IntRange(min = 1, max = 20_000) int imageHeight,
            @ForAll @IntRange(min = 0, max = 15) int border) {
        LetterboxGeometry geometry =
                LetterboxGeometry.of(imageWidth, imageHeight, 640, 384, border);

        assertThat(geometry.toImageX(geometry.left())).isZero();
        assertThat(geometry.toImageY(geometry.top())).isZero();
        assertThat(geometry.toImageX(geometry.left() + geometry.resizedWidth()))
                .isCloseTo(imageWidth, within(1e-6));
        assertThat(geometry.toImageY(geometry.top() + geometry.resizedHeight()))
                .isCloseTo(imageHeight, within(1e-6));
    }
}

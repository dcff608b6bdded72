// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Sha256;
import io.sightline.toolchain.ToolchainException;
import io.sightline.vision.Interpolation;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrationImagesTest {

    private static final ModelSpec SPEC =
            new ModelSpec(
                    "m",
                    "0".repeat(64),
                    96,
                    96,
                    InputFormat.BYTES_NHWC_BGR,
                    1,
                    false,
                    0,
                    114,
                    List.of("thing"),
                    OutputLayout.ANCHORS_OBJ,
                    true,
                    0.4f,
                    0.5f,
                    "fp32",
                    "",
                    "");

    @TempDir Path folder;
    private final Pictures pictures = new Pictures(SPEC, Interpolation.LINEAR);

    @AfterEach
    void close() {
        pictures.close();
    }

    private CalibrationImages check(List<Path> files) {
        return CalibrationImages.check(files, Map.of(), SPEC, pictures, Progress.SILENT);
    }

    /** Patches of chance brightness, and a little noise. */
    private Path picture(String name, long seed, int noise) throws IOException {
        Random patches = new Random(seed);
        int[][] levels = new int[10][10];
        for (int[] row : levels) {
            for (int i = 0; i < row.length; i++) {
                row[i] = patches.nextInt(30, 226);
            }
        }
        Random grain = new Random(name.hashCode());
        BufferedImage image = new BufferedImage(160, 90, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 90; y++) {
            for (int x = 0; x < 160; x++) {
                int level = levels[y / 9][x / 16] + grain.nextInt(2 * noise + 1) - noise;
                image.setRGB(x, y, level * 0x010101);
            }
        }
        return write(name, image);
    }

    private Path plain(String name, int level, int noise) throws IOException {
        Random grain = new Random(level);
        BufferedImage image = new BufferedImage(160, 90, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 90; y++) {
            for (int x = 0; x < 160; x++) {
                image.setRGB(x, y, (level + grain.nextInt(2 * noise + 1)) * 0x010101);
            }
        }
        return write(name, image);
    }

    private Path write(String name, BufferedImage image) throws IOException {
        Path file = folder.resolve(name);
        ImageIO.write(image, "png", file.toFile());
        return file;
    }

    private List<Path> different(int count) throws IOException {
        List<Path> files = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            files.add(picture("p%03d.png".formatted(i), i, 2));
        }
        return files;
    }

    @Test
    void shouldHaveNothingToSayOfDifferentPictures() throws IOException {
        List<Path> files = different(60);
        CalibrationImages checked = check(files);
        assertThat(checked.usable()).isEqualTo(files);
        assertThat(checked.problems()).isEmpty();
        assertThat(checked.sha256()).hasSize(60).containsEntry("p007.png", Sha256.of(files.get(7)));
    }

    @Test
    void shouldLeaveOutFlatPicturesWhateverTheirBars() throws IOException {
        List<Path> files = different(20);
        // Black between gray bars is as flat as gray; all gray is nothing but bar.
        files.add(plain("black.png", 0, 0));
        files.add(plain("gray.png", 114, 0));
        files.add(plain("covered.png", 12, 4));
        CalibrationImages checked = check(files);
        assertThat(checked.usable()).hasSize(20);
        assertThat(checked.problems())
                .singleElement()
                .asString()
                .startsWith(
                        "3 flat, left out (standard deviation below 4): black.png (0.0), gray.png (0.0), covered.png (");
    }

    @Test
    void shouldLeaveOutCopiesAndPicturesOfOtherSets() throws IOException {
        List<Path> files = different(21);
        Path copy = Files.copy(files.get(3), folder.resolve("copy.png"));
        Path other = Files.copy(files.get(5), folder.resolve("other.png"));
        files.add(copy);
        CalibrationImages checked =
                CalibrationImages.check(
                        files, Map.of(Sha256.of(other), other), SPEC, pictures, Progress.SILENT);
        assertThat(checked.usable()).hasSize(20).doesNotContain(copy, files.get(5));
        assertThat(checked.problems())
                .containsExactly(
                        "1 exact copies, left out: copy.png = p003.png",
                        "1 also in another set, left out: p005.png = other.png");
    }

    @Test
    void shouldNameNearDuplicatesAndUseThem() throws IOException {
        List<Path> files = different(20);
        for (int i = 0; i < 7; i++) {
            files.add(picture("again%d.png".formatted(i), 4, 6));
        }
        CalibrationImages checked = check(files);
        assertThat(checked.usable()).hasSize(27);
        assertThat(checked.problems())
                .singleElement()
                .asString()
                .startsWith(
                        "7 nearly the same as another, used all the same: again0.png ~ p004.png")
                .endsWith(" and 2 more");
    }

    @Test
    void shouldRefuseWhatCannotBeReadAndNameIt() throws IOException {
        List<Path> files = different(2);
        files.add(Files.writeString(folder.resolve("text.jpg"), "no picture"));
        files.add(folder.resolve("missing.jpg"));
        assertThatThrownBy(() -> check(files))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("2 of 4 pictures cannot be used")
                .hasMessageContaining("text.jpg")
                .hasMessageContaining("missing.jpg");
    }

    @Test
    void shouldRefuseNoneAndWarnOfFew() throws IOException {
        assertThatThrownBy(() -> check(List.of()))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("there are no pictures");
        assertThatThrownBy(() -> check(List.of(plain("black.png", 0, 0))))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("none of 1 pictures can be used: 1 flat");
        assertThat(check(different(19)).problems())
                .singleElement()
                .asString()
                .startsWith("19 usable pictures are few");
    }

    @Test
    void shouldLookAtNoMoreThanItNeeds() throws IOException {
        List<Path> files =
                new ArrayList<>(
                        Collections.nCopies(CalibrationImages.MANY, picture("a.png", 1, 0)));
        files.add(folder.resolve("never-looked-at.png"));
        CalibrationImages checked = check(files);
        assertThat(checked.usable()).hasSize(1);
        assertThat(checked.problems())
                .first()
                .asString()
                .contains("2049 pictures are more than calibration gains from");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.toolchain.Progress;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.testing.NoisePictures;
import io.sightline.vision.Interpolation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageSetsTest {

    private static final int SIDE = 32;
    private static final int PICTURES = 40;
    private static final int CALIBRATE = 22;
    private static final int SELECT = 8;

    @TempDir Path folder;

    private Path dataset;

    @BeforeEach
    void writePictures() throws Exception {
        dataset = dataset("data", PICTURES, 1);
    }

    private Path dataset(String name, int pictures, long seed) throws Exception {
        Path made = Files.createDirectory(folder.resolve(name));
        Path labels = Files.createDirectory(made.resolve("labels"));
        for (Path picture :
                NoisePictures.write(made.resolve("images"), name, pictures, SIDE, seed)) {
            String label = picture.getFileName().toString().replace(".png", ".txt");
            Files.writeString(labels.resolve(label), "0 0.5 0.5 0.5 0.5\n");
        }
        return made;
    }

    private static QuantizeSettings.ImageSet set(Path path, int count) {
        return new QuantizeSettings.ImageSet(path, Optional.empty(), OptionalInt.of(count));
    }

    private ImageSets draw(Path calibrate, Path select, QuantizeSettings.ImageSet report) {
        return ImageSets.draw(
                new QuantizeSettings.Images(
                        7, set(calibrate, CALIBRATE), set(select, SELECT), report),
                SmallNet.spec(SIDE, 1),
                Interpolation.LINEAR,
                Progress.SILENT);
    }

    private ImageSets draw(Path calibrate, Path select) {
        return draw(
                calibrate,
                select,
                new QuantizeSettings.ImageSet(dataset, Optional.empty(), OptionalInt.empty()));
    }

    private static Set<String> names(List<Path> files) {
        Set<String> names = new HashSet<>();
        files.forEach(file -> names.add(file.getFileName().toString()));
        return names;
    }

    private void assertDisjoint(ImageSets sets) {
        Set<String> all = new HashSet<>();
        Stream.of(sets.calibrate(), sets.select().files(), sets.report().files())
                .forEach(files -> all.addAll(names(files)));
        assertThat(all)
                .hasSize(sets.calibrate().size() + sets.select().size() + sets.report().size());
        assertThat(sets.described())
                .allSatisfy(set -> assertThat(set.problems()).isEmpty())
                .extracting(set -> set.pictures().size())
                .containsExactly(
                        sets.calibrate().size(), sets.select().size(), sets.report().size());
    }

    @Test
    void shouldDrawDisjointSetsFromOneDatasetHoweverItIsNamed() throws Exception {
        Path link = Files.createSymbolicLink(folder.resolve("link"), dataset);
        Path crooked = dataset.resolve("../data");
        List<ImageSets> drawn = new ArrayList<>();
        for (Path calibrate :
                List.of(
                        dataset,
                        dataset.resolve("images"),
                        link,
                        link.resolve("images"),
                        crooked)) {
            for (Path select : List.of(dataset, link, crooked)) {
                drawn.add(draw(calibrate, select));
            }
        }
        for (ImageSets sets : drawn) {
            assertDisjoint(sets);
            assertThat(sets.calibrate()).hasSize(CALIBRATE);
            assertThat(sets.select().size()).isEqualTo(SELECT);
            assertThat(sets.report().size()).isEqualTo(PICTURES - CALIBRATE - SELECT);
            assertThat(names(sets.calibrate())).isEqualTo(names(drawn.get(0).calibrate()));
            assertThat(names(sets.report().files()))
                    .isEqualTo(names(drawn.get(0).report().files()));
        }
    }

    @Test
    void shouldDrawFromSeveralDatasets() throws Exception {
        Path other = dataset("other", 30, 2);
        ImageSets apart = draw(other.resolve("images"), dataset);
        assertDisjoint(apart);
        assertThat(apart.calibrate()).hasSize(CALIBRATE).allMatch(file -> file.startsWith(other));
        assertThat(apart.report().size()).isEqualTo(PICTURES - SELECT);

        ImageSets bothOther = draw(other.resolve("images"), other);
        assertDisjoint(bothOther);
        assertThat(bothOther.calibrate()).hasSize(CALIBRATE);
        assertThat(bothOther.select().size()).isEqualTo(SELECT);
        assertThat(bothOther.report().size()).isEqualTo(PICTURES);
    }

    @Test
    void shouldRefuseWhatCannotBeDisjoint() throws Exception {
        assertThatThrownBy(() -> draw(dataset, dataset, set(dataset, 11)))
                .isInstanceOf(ToolchainException.class)
                .hasMessage(
                        "images: %s holds 40 pictures, but 30 for the other sets and 11 or more for the report are asked for: give smaller counts, or more pictures",
                        dataset);

        Path copy = dataset("copy", SELECT, 1);
        assertThatThrownBy(() -> draw(dataset, copy))
                .isInstanceOf(ToolchainException.class)
                .hasMessageStartingWith("images: all 8 pictures of the select set are copies");
    }

    @Test
    void shouldLeaveCopiesOfReportPicturesOutOfTheSelectSet() throws Exception {
        Path select = dataset("select", SELECT, 3);
        Files.copy(
                dataset.resolve("images/data0.png"),
                select.resolve("images/select5.png"),
                StandardCopyOption.REPLACE_EXISTING);
        Path other = dataset("other", 30, 2);
        ImageSets sets = draw(other, select);
        assertThat(sets.select().size()).isEqualTo(SELECT - 1);
        assertThat(names(sets.select().files())).doesNotContain("select5.png");
        assertThat(sets.report().size()).isEqualTo(PICTURES);
        assertThat(sets.described().get(1).problems())
                .containsExactly("select5.png is an exact copy of data0.png: left out");
        assertThat(sets.described().get(1).pictures()).hasSize(SELECT - 1);
    }
}

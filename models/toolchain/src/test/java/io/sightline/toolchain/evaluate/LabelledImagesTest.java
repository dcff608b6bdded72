// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.sightline.toolchain.ToolchainException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LabelledImagesTest {

    @TempDir Path dataset;
    private Path images;
    private Path labels;
    private Path json;

    @BeforeEach
    void makeFolders() throws IOException {
        images = Files.createDirectory(dataset.resolve("images"));
        labels = Files.createDirectory(dataset.resolve("labels"));
        json = dataset.resolve("instances.json");
    }

    private void pictures(String... names) throws IOException {
        for (String name : names) {
            Files.createFile(images.resolve(name));
        }
    }

    private void label(String name, String text) throws IOException {
        Files.writeString(labels.resolve(name), text);
    }

    private LabelledImages coco(String pictures, String annotations) throws IOException {
        Files.writeString(
                json,
                """
                {"info": {"year": 2017},
                 "categories": [{"id": 18, "name": "dog"}, {"id": 1, "name": "person", "supercategory": "x"}],
                 "images": [%s],
                 "annotations": [%s]}
                """
                        .formatted(pictures, annotations));
        return LabelledImages.read(dataset, json);
    }

    private static final String PICTURES =
            """
            {"id": 7, "file_name": "b.jpg", "width": 200, "height": 100},
            {"id": 5, "file_name": "val2017/a.jpg", "width": 640, "height": 480, "licence": 3}
            """;

    @Test
    void shouldReadYoloText() throws IOException {
        pictures("b.PNG", "a.jpg", "notes.md");
        label("a.txt", "2 0.5 0.5 0.25 0.5\n\n 0 0.25 0.5 0.5 1.0\n");
        LabelledImages read = LabelledImages.read(dataset);
        assertThat(read.files()).containsExactly(images.resolve("a.jpg"), images.resolve("b.PNG"));
        assertThat(read.images().get(0).truth(400, 200))
                .containsExactly(
                        new GroundTruth(2, new Box(150, 50, 250, 150), 10_000, false),
                        new GroundTruth(0, new Box(0, 0, 200, 200), 40_000, false));
        assertThat(read.images().get(1).truth(400, 200)).isEmpty();
        assertThat(read)
                .hasToString(
                        "2 images, 2 objects of 2 classes, 1 images taken as empty because they have no label file");
        assertThat(LabelledImages.read(images, labels).files()).isEqualTo(read.files());
    }

    @Test
    void shouldReadRegionsToIgnoreBesideYoloText() throws IOException {
        pictures("a.jpg", "b.jpg");
        label("a.txt", "2 0.5 0.5 0.25 0.5\n");
        label("b.txt", "");
        Path ignore = Files.createDirectory(dataset.resolve("ignore"));
        Files.writeString(ignore.resolve("a.txt"), "0.5 0.25 0.5 0.5\n0.5 0.5 0.1 0.1\n");
        LabelledImages read = LabelledImages.read(dataset);
        assertThat(read.images().get(0).truth(400, 200))
                .startsWith(
                        new GroundTruth(2, new Box(150, 50, 250, 150), 10_000, false),
                        new GroundTruth(
                                GroundTruth.ANY_CLASS, new Box(100, 0, 300, 100), 20_000, true))
                .hasSize(3);
        assertThat(read.images().get(1).labels()).isEmpty();
        assertThat(read).hasToString("2 images, 1 objects of 1 classes, 2 regions ignored");
        LabelledImages fitted = read.withClassesOf(List.of("x", "y", "z"));
        assertThat(fitted.images().get(0).labels()).isEqualTo(read.images().get(0).labels());
        assertThat(LabelledImages.read(images, labels)).hasToString(read.toString());
        Files.writeString(ignore.resolve("b.txt"), "1 0.5 0.25 0.5 0.5\n");
        assertThatThrownBy(() -> LabelledImages.read(dataset))
                .isInstanceOf(ToolchainException.class)
                .hasMessageStartingWith(ignore.resolve("b.txt") + ": line 1: found 5 fields")
                .hasMessageContaining("expected 'cx cy width height'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0 0.5 0.5 0.5",
                "0 0.5 0.5 0.5 0.5 0.9",
                "person 0.5 0.5 0.5 0.5",
                "-1 0.5 0.5 0.5 0.5",
                "0.5 0.5 0.5 0.5 0.5",
                "0 0.5 0.5 320 240",
                "0 0.5 0.5 NaN 0.5",
                "0 0.5 -0.5 0.1 0.5"
            })
    void shouldNameTheLineThatIsMalformed(String line) throws IOException {
        pictures("a.jpg");
        label("a.txt", "0 0.5 0.5 0.25 0.5\n" + line + "\n");
        assertThatThrownBy(() -> LabelledImages.read(dataset))
                .isInstanceOf(ToolchainException.class)
                .hasMessageStartingWith(labels.resolve("a.txt") + ": line 2: found ")
                .hasMessageContaining(line)
                .hasMessageContaining("expected 'class cx cy width height'");
    }

    @Test
    void shouldSayWhatAFolderLacks() throws IOException {
        assertThatThrownBy(() -> LabelledImages.read(dataset.resolve("none")))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("found no folders images and labels")
                .hasMessageContaining("--labels");
        assertThatThrownBy(() -> LabelledImages.read(dataset))
                .isInstanceOf(ToolchainException.class)
                .hasMessage(images + ": holds no pictures: expected JPEG, PNG or WebP files");
        pictures("a.jpg", "b.jpg");
        assertThatThrownBy(() -> LabelledImages.read(dataset))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("holds no NAME.txt for any of the 2 pictures");
        assertThatThrownBy(() -> LabelledImages.read(images, dataset.resolve("none.json")))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("none.json: no such file or folder");
        Files.write(labels.resolve("a.txt"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThatThrownBy(() -> LabelledImages.read(dataset))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("is no text file");
    }

    @Test
    void shouldReadCocosJson() throws IOException {
        pictures("a.jpg", "b.jpg");
        LabelledImages read =
                coco(
                        PICTURES,
                        """
                        {"id": 1, "image_id": 5, "category_id": 18, "bbox": [10, 20, 30, 40.5],
                         "area": 300, "iscrowd": 0, "segmentation": [[1, 2, 3, 4, 5, 6]]},
                        {"id": 2, "image_id": 5, "category_id": 1, "bbox": [0, 0, 100, 50],
                         "area": 900, "iscrowd": 1, "segmentation": {"counts": [1, 2], "size": [9, 9]}},
                        {"id": 3, "image_id": 5, "category_id": 1, "bbox": [0, 0, 10, 5]}
                        """);
        assertThat(read.files()).containsExactly(images.resolve("a.jpg"), images.resolve("b.jpg"));
        assertThat(read.images().get(0).truth(640, 480))
                .containsExactly(
                        new GroundTruth(1, new Box(10, 20, 40, 60.5), 300, false),
                        new GroundTruth(0, new Box(0, 0, 100, 50), 900, true),
                        new GroundTruth(0, new Box(0, 0, 10, 5), 50, false));
        assertThat(read).hasToString("2 images, 2 objects of 2 classes");
        assertThatThrownBy(() -> read.images().get(0).truth(480, 640))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("a.jpg: is 480x640, but its labels are for 640x480");
    }

    @Test
    void shouldLeaveOutWhatOnlyTheAnnotationsKnow() throws IOException {
        pictures("b.jpg", "stranger.jpg");
        LabelledImages read = coco(PICTURES, "");
        assertThat(read.files()).containsExactly(images.resolve("b.jpg"));
        assertThat(read)
                .hasToString(
                        "1 images, 0 objects of 0 classes, 1 images of the annotations left out because they are not in "
                                + images);
    }

    @Test
    void shouldSayWhatIsWrongWithAnnotations() throws IOException {
        assertThatThrownBy(() -> coco(PICTURES, ""))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("none of the 2 images")
                .hasMessageContaining("b.jpg");
        pictures("a.jpg");
        assertThatThrownBy(
                        () ->
                                coco(
                                        PICTURES,
                                        """
                                        {"id": 1, "image_id": 6, "category_id": 18, "bbox": [1, 2, 3, 4]}
                                        """))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("annotation 1 is of image 6 and category 18");
        assertThatThrownBy(
                        () ->
                                coco(
                                        PICTURES,
                                        """
                                        {"id": 1, "image_id": 5, "category_id": 18, "bbox": [1, 2, 3]}
                                        """))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("annotation 1 has the bbox [1.0, 2.0, 3.0]");
        assertThatThrownBy(() -> coco("{\"id\": 1, \"file_name\": \"a.jpg\"}", ""))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("image 1: expected id, file_name, width and height");
        for (String text : List.of("", "[]", "{\"images\": 3}", "no JSON", "null", "{}")) {
            Files.writeString(json, text);
            assertThatThrownBy(() -> LabelledImages.read(images, json))
                    .isInstanceOf(ToolchainException.class)
                    .hasMessageStartingWith(json + ": ")
                    .hasMessageContaining("images, annotations")
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void shouldTakeClassesByNameElseByOrder() throws IOException {
        pictures("a.jpg");
        String dog =
                "{\"id\": 1, \"image_id\": 5, \"category_id\": 18, \"bbox\": [10, 20, 30, 40]}";
        LabelledImages read = coco(PICTURES, dog);
        assertThat(onlyClass(read.withClassesOf(List.of("cat", "horse", "dog")))).isEqualTo(2);
        // As many as there are categories, by rising id.
        assertThat(onlyClass(read.withClassesOf(List.of("class-0", "class-1")))).isEqualTo(1);
        assertThatThrownBy(() -> read.withClassesOf(List.of("cat", "horse", "cow")))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("the model knows no class dog")
                .hasMessageContaining("its 3 labels");
    }

    @Test
    void shouldSayThatTheOrderOfClassesDecidesAndRefuseNamesThatContradictIt() throws IOException {
        pictures("a.jpg");
        LabelledImages read =
                coco(
                        PICTURES,
                        """
                        {"id": 1, "image_id": 5, "category_id": 18, "bbox": [10, 20, 30, 40]},
                        {"id": 2, "image_id": 5, "category_id": 1, "bbox": [10, 20, 30, 40]}
                        """);
        assertThat(read.namesClasses()).isTrue();
        assertThat(read.unknownClass(List.of("dog", "cat", "person"))).isEmpty();
        assertThat(read.unknownClass(List.of("human", "dog"))).contains("person");
        assertThat(onlyClass(read.withClassesOf(List.of("human", "dog")))).isEqualTo(1);
        assertThatThrownBy(() -> read.withClassesOf(List.of("dog", "human")))
                .isInstanceOf(ToolchainException.class)
                .hasMessageStartingWith(
                        "the model knows no class person, and has dog as number 0, where the labels have it as number 1");
        label("a.txt", "0 0.5 0.5 0.1 0.1");
        LabelledImages yolo = LabelledImages.read(dataset);
        assertThat(yolo.namesClasses()).isFalse();
        assertThat(yolo.unknownClass(List.of("x"))).isEmpty();
    }

    @Test
    void shouldRefuseAModelOfFewerClasses() throws IOException {
        pictures("a.jpg");
        label("a.txt", "2 0.5 0.5 0.25 0.5");
        LabelledImages read = LabelledImages.read(dataset);
        assertThat(onlyClass(read.withClassesOf(List.of("x", "y", "z")))).isEqualTo(2);
        assertThatThrownBy(() -> read.withClassesOf(List.of("x", "y")))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("hold class 2, but the model has 2 classes");
    }

    private static int onlyClass(LabelledImages images) {
        return images.images().get(0).labels().get(0).classId();
    }

    @Test
    void shouldSplitIntoDisjointSetsThatRepeatWithTheSeed() throws IOException {
        for (int i = 0; i < 30; i++) {
            pictures(i + ".jpg");
            label(i + ".txt", "0 0.5 0.5 0.1 0.1");
        }
        LabelledImages all = LabelledImages.read(dataset);
        List<LabelledImages> sets = all.split(3, 5, 10, 12);
        assertThat(sets).extracting(LabelledImages::size).containsExactly(5, 10, 12);
        Set<Path> seen = new HashSet<>();
        for (LabelledImages set : sets) {
            assertThat(set.files())
                    .isSortedAccordingTo((a, b) -> a.toString().compareTo(b.toString()));
            seen.addAll(set.files());
        }
        assertThat(seen).hasSize(27);
        assertThat(all.split(3, 5, 10, 12).get(1).files()).isEqualTo(sets.get(1).files());
        assertThat(all.split(4, 5, 10, 12).get(1).files()).isNotEqualTo(sets.get(1).files());
        assertThat(all.subset(3, 5).files()).isEqualTo(sets.get(0).files());
        assertThatThrownBy(() -> all.split(3, 20, 11))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("[20, 11] images: there are 30");
    }

    @Test
    void shouldKeepTheFramesOfASceneInOneSet() throws IOException {
        for (int scene = 0; scene < 8; scene++) {
            for (int frame = 0; frame < 5; frame++) {
                pictures("scene-%d-%d.jpg".formatted(scene, frame));
            }
        }
        label("scene-0-0.txt", "0 0.5 0.5 0.1 0.1");
        LabelledImages all = LabelledImages.read(dataset);
        assertThat(all.toString()).startsWith("40 images of 8 scenes, 1 objects");
        List<LabelledImages> sets = all.split(3, 7, 10, 23);
        // Three frames are left of the first set's second scene.
        assertThat(sets).extracting(LabelledImages::size).containsExactly(7, 10, 20);
        Map<String, Integer> setOf = new HashMap<>();
        for (int i = 0; i < sets.size(); i++) {
            for (Path file : sets.get(i).files()) {
                String scene = file.getFileName().toString().replaceAll("-\\d\\.jpg$", "");
                Integer other = setOf.put(scene, i);
                assertThat(other == null || other == i).as(file.toString()).isTrue();
            }
        }
        assertThat(setOf).hasSize(8);
        assertThatThrownBy(() -> all.split(3, 36, 1))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("of 8 scenes only");
    }

    @Test
    void shouldMeasureBoxes() {
        Box box = new Box(0, 0, 10, 10);
        assertThat(box.iou(new Box(5, 0, 15, 10))).isCloseTo(1 / 3.0, within(1e-12));
        assertThat(box.coveredBy(new Box(5, 0, 15, 10))).isEqualTo(0.5);
        assertThat(box.iou(new Box(10, 0, 20, 10))).isZero();
        assertThat(new Box(5, 5, 5, 5).iou(new Box(5, 5, 5, 5))).isZero();
    }
}

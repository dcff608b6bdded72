// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.toolchain.ToolchainException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** One file of COCO's JSON for all pictures; outlines and what else it holds are passed over. */
final class CocoFile {

    /** The parts of the file that are read; numbers may be missing. */
    private record Content(
            List<Picture> images, List<Annotation> annotations, List<Category> categories) {}

    /** Ids are numbers in COCO's own files and text in some others'. */
    private record Picture(Object id, String fileName, Integer width, Integer height) {}

    private record Annotation(
            Object id,
            Object imageId,
            Long categoryId,
            List<Double> bbox,
            Double area,
            int iscrowd) {}

    private record Category(Long id, String name) {}

    private static final ObjectReader READER =
            JsonMapper.builder()
                    .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                    .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .build()
                    .readerFor(Content.class);

    private CocoFile() {}

    static LabelledImages read(Path imageFolder, Path file) {
        Content content = parse(file);
        List<Category> categories =
                content.categories.stream().sorted(Comparator.comparing(Category::id)).toList();
        Map<Long, Integer> classes = new HashMap<>();
        for (Category category : categories) {
            classes.put(category.id, classes.size());
        }
        Map<Object, List<GroundTruth>> labels = new LinkedHashMap<>();
        for (Picture picture : content.images) {
            if (labels.put(picture.id, new ArrayList<>()) != null) {
                throw refused(file, "two images have the id " + picture.id, "one image an id");
            }
        }
        for (Annotation annotation : content.annotations) {
            List<GroundTruth> ofPicture = labels.get(annotation.imageId);
            Integer classId = classes.get(annotation.categoryId);
            if (ofPicture == null || classId == null) {
                throw refused(
                        file,
                        "annotation %s is of image %s and category %s"
                                .formatted(
                                        annotation.id, annotation.imageId, annotation.categoryId),
                        "ids that images and categories list");
            }
            ofPicture.add(label(file, annotation, classId));
        }
        List<LabelledImage> found = new ArrayList<>();
        for (Picture picture : content.images) {
            Path path = resolve(imageFolder, picture.fileName);
            if (Files.isRegularFile(path)) {
                found.add(
                        new LabelledImage(
                                path, picture.width, picture.height, labels.get(picture.id)));
            }
        }
        if (found.isEmpty()) {
            throw new ToolchainException(
                    "%s: none of the %d images that %s lists is in it: expected files such as %s: give their folder with --images"
                            .formatted(
                                    imageFolder,
                                    content.images.size(),
                                    file,
                                    content.images.get(0).fileName));
        }
        int absent = content.images.size() - found.size();
        return new LabelledImages(
                found,
                Optional.of(categories.stream().map(Category::name).toList()),
                absent == 0
                        ? ""
                        : ", %d images of the annotations left out because they are not in %s"
                                .formatted(absent, imageFolder));
    }

    private static Content parse(Path file) {
        Content content;
        try {
            content = READER.readValue(file.toFile());
        } catch (IOException e) {
            String reason = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw new ToolchainException(
                    file
                            + ": is no file of COCO's JSON: "
                            + reason
                            + ": expected an object with images, annotations and categories",
                    e);
        }
        if (content == null
                || content.images == null
                || content.annotations == null
                || content.categories == null) {
            throw refused(
                    file,
                    "it lacks images, annotations or categories",
                    "an object with all three, as COCO's instances_*.json");
        }
        for (Picture picture : content.images) {
            if (picture.id == null
                    || picture.fileName == null
                    || picture.width == null
                    || picture.height == null) {
                throw refused(
                        file, "image " + picture.id, "id, file_name, width and height for each");
            }
        }
        for (Category category : content.categories) {
            if (category.id == null || category.name == null) {
                throw refused(file, "category " + category.id, "id and name for each");
            }
        }
        if (content.images.isEmpty()) {
            throw refused(file, "its images are none", "at least one");
        }
        return content;
    }

    private static GroundTruth label(Path file, Annotation annotation, int classId) {
        List<Double> box = annotation.bbox;
        if (box == null
                || box.size() != 4
                || box.stream().anyMatch(number -> number == null || !Double.isFinite(number))
                || box.get(2) < 0
                || box.get(3) < 0) {
            throw refused(
                    file,
                    "annotation " + annotation.id + " has the bbox " + box,
                    "[x, y, width, height] in pixels");
        }
        return new GroundTruth(
                classId,
                new Box(box.get(0), box.get(1), box.get(0) + box.get(2), box.get(1) + box.get(3)),
                annotation.area == null ? box.get(2) * box.get(3) : annotation.area,
                annotation.iscrowd != 0);
    }

    /** As the file names it, or without the folders it names. */
    private static Path resolve(Path imageFolder, String fileName) {
        Path whole = imageFolder.resolve(fileName);
        return Files.exists(whole)
                ? whole
                : imageFolder.resolve(fileName.substring(fileName.lastIndexOf('/') + 1));
    }

    private static ToolchainException refused(Path file, String found, String expected) {
        return new ToolchainException(file + ": " + found + ": expected " + expected);
    }
}

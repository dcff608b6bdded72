// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.toolchain.ToolchainException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * Pictures and what is in them, by file name. Labels are YOLO text files, one a picture, or one
 * file of COCO's JSON:
 *
 * <ul>
 *   <li>YOLO: {@code labels/NAME.txt} for {@code images/NAME.jpg}, with a line {@code class cx cy
 *       width height} for each object, relative to the picture's size. A picture without a file has
 *       no objects. {@code ignore/NAME.txt} may hold regions, {@code cx cy width height}, in which
 *       detections of any class neither count as right nor as wrong.
 *   <li>COCO: {@code images}, {@code annotations} and {@code categories}. Categories become classes
 *       by their names where the model knows those, else by rising id. Pictures that only one of
 *       folder and file knows are left out.
 * </ul>
 */
public final class LabelledImages {

    private static final Set<String> ENDINGS = Set.of("jpg", "jpeg", "png", "webp");

    private final List<LabelledImage> images;

    /**
     * In the order of the labels' class indices; absent where the labels hold nothing but those.
     */
    private final Optional<List<String>> classNames;

    private final String remark;

    LabelledImages(List<LabelledImage> images, Optional<List<String>> classNames, String remark) {
        this.images =
                images.stream()
                        .sorted(
                                Comparator.comparing(
                                        (LabelledImage image) ->
                                                image.file().getFileName().toString()))
                        .toList();
        this.classNames = classNames;
        this.remark = remark;
    }

    /**
     * A dataset's folder, which holds {@code images/} and {@code labels/} in YOLO's format.
     *
     * @throws ToolchainException if it does not, or a label is malformed
     */
    public static LabelledImages read(Path dataset) {
        Path images = dataset.resolve("images");
        Path labels = dataset.resolve("labels");
        if (!Files.isDirectory(images) || !Files.isDirectory(labels)) {
            throw new ToolchainException(
                    dataset
                            + ": found no folders images and labels in it: give the folder that holds both, or say with --labels where the labels are");
        }
        return YoloLabels.read(images, labels);
    }

    /**
     * @param images folder of the pictures, or one that holds them in a folder {@code images}
     * @param labels folder of YOLO text files, or a file of COCO's JSON
     * @throws ToolchainException if there is none such, or a label is malformed
     */
    public static LabelledImages read(Path images, Path labels) {
        Path pictures = picturesOf(images);
        if (Files.isDirectory(labels)) {
            return YoloLabels.read(pictures, labels);
        }
        if (!Files.isRegularFile(labels)) {
            throw new ToolchainException(
                    labels
                            + ": no such file or folder: expected a folder of YOLO text files or a file of COCO's JSON");
        }
        return CocoFile.read(pictures, labels);
    }

    /** Where a dataset's pictures lie: in its folder {@code images} if it has one, else in it. */
    public static Path picturesOf(Path dataset) {
        Path inside = dataset.resolve("images");
        return Files.isDirectory(inside) ? inside : dataset;
    }

    /**
     * The JPEG, PNG and WebP files of a folder, by name.
     *
     * @throws ToolchainException if it is no folder or holds none
     */
    public static List<Path> picturesIn(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new ToolchainException(folder + ": no such folder: expected one of pictures");
        }
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> pictures =
                    files.filter(LabelledImages::isPicture)
                            .sorted(Comparator.comparing(file -> file.getFileName().toString()))
                            .toList();
            if (pictures.isEmpty()) {
                throw new ToolchainException(
                        folder + ": holds no pictures: expected JPEG, PNG or WebP files");
            }
            return pictures;
        } catch (IOException e) {
            throw new ToolchainException(folder + ": cannot be read: " + e, e);
        }
    }

    private static boolean isPicture(Path file) {
        String name = file.getFileName().toString();
        return ENDINGS.contains(name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT))
                && Files.isRegularFile(file);
    }

    public List<LabelledImage> images() {
        return images;
    }

    /** The pictures' files. */
    public List<Path> files() {
        return images.stream().map(LabelledImage::file).toList();
    }

    public int size() {
        return images.size();
    }

    /** Objects in all pictures, crowds not counted. */
    public int objects() {
        return (int) labels().filter(label -> !label.crowd()).count();
    }

    /** Classes that occur. */
    public int classes() {
        return classesPresent().size();
    }

    /**
     * That many pictures, drawn by chance.
     *
     * @throws ToolchainException if there are not so many
     */
    public LabelledImages subset(long seed, int count) {
        return split(seed, count).get(0);
    }

    /**
     * Disjoint sets of so many pictures each, drawn by chance; the same seed gives the same ones.
     * Pictures of one scene, as their names tell, never come into two sets: what is left of a scene
     * that fills a set is in none, so that the last one may get fewer.
     *
     * @throws ToolchainException if there are not so many in all, or too few scenes
     */
    public List<LabelledImages> split(long seed, int... counts) {
        int wanted = Arrays.stream(counts).sum();
        if (wanted > size() || Arrays.stream(counts).anyMatch(count -> count < 1)) {
            throw new ToolchainException(
                    "disjoint sets of %s images: there are %d: expected 1 or more each and no more in all"
                            .formatted(Arrays.toString(counts), size()));
        }
        List<List<LabelledImage>> shuffled = new ArrayList<>(groups().values());
        Collections.shuffle(shuffled, new Random(seed));
        Iterator<List<LabelledImage>> left = shuffled.iterator();
        List<LabelledImages> sets = new ArrayList<>();
        for (int count : counts) {
            List<LabelledImage> set = new ArrayList<>();
            while (set.size() < count && left.hasNext()) {
                List<LabelledImage> group = left.next();
                set.addAll(group.subList(0, Math.min(group.size(), count - set.size())));
            }
            if (set.isEmpty()) {
                throw new ToolchainException(
                        "disjoint sets of %s images: they are of %d scenes only, and those of one belong into one set: give pictures of more scenes, or smaller counts"
                                .formatted(Arrays.toString(counts), shuffled.size()));
            }
            sets.add(new LabelledImages(set, classNames, remark));
        }
        return sets;
    }

    /** Pictures of one scene together, in the order of their names. */
    private Map<Path, List<LabelledImage>> groups() {
        Map<Path, List<LabelledImage>> groups = new LinkedHashMap<>();
        for (LabelledImage image : images) {
            groups.computeIfAbsent(LabelledImage.groupOf(image.file()), group -> new ArrayList<>())
                    .add(image);
        }
        return groups;
    }

    /** Whether the labels name their classes. */
    public boolean namesClasses() {
        return classNames.isPresent();
    }

    /**
     * A class that occurs and whose name the model does not know, so that the order of classes
     * decides; empty where names do, or the labels hold none.
     */
    public Optional<String> unknownClass(List<String> modelLabels) {
        return classNames.flatMap(
                names ->
                        classesPresent().stream()
                                .map(names::get)
                                .filter(name -> !modelLabels.contains(name))
                                .findFirst());
    }

    /**
     * The same pictures with the class indices of a model. Where labels name their classes and the
     * model knows every name that occurs, the names decide; else the order, if there are as many
     * and no name contradicts it.
     *
     * @param modelLabels names in class order
     * @throws ToolchainException if the model does not have these classes
     */
    public LabelledImages withClassesOf(List<String> modelLabels) {
        Set<Integer> present = classesPresent();
        if (classNames.isEmpty()) {
            for (int classId : present) {
                if (classId >= modelLabels.size()) {
                    throw new ToolchainException(
                            "the labels hold class %d, but the model has %d classes: expected 0 to %d: take a model of these classes"
                                    .formatted(
                                            classId, modelLabels.size(), modelLabels.size() - 1));
                }
            }
            return this;
        }
        List<String> names = classNames.get();
        Optional<String> unknown = unknownClass(modelLabels);
        if (unknown.isEmpty()) {
            return mapped(names.stream().map(modelLabels::indexOf).toList(), modelLabels);
        }
        if (names.size() != modelLabels.size()) {
            throw new ToolchainException(
                    "the model knows no class %s: expected its %d labels to name every category of the %d that occurs, or as many categories as labels, in its order: take a model of these classes, or name them in \"labels\" of the JSON beside it"
                            .formatted(unknown.get(), modelLabels.size(), names.size()));
        }
        for (int classId : present) {
            int ofModel = modelLabels.indexOf(names.get(classId));
            if (ofModel >= 0 && ofModel != classId) {
                throw new ToolchainException(
                        "the model knows no class %s, and has %s as number %d, where the labels have it as number %d: expected labels that name every category, or none at another place: name them in \"labels\" of the JSON beside the model"
                                .formatted(unknown.get(), names.get(classId), ofModel, classId));
            }
        }
        return this;
    }

    /** The other pictures. */
    public LabelledImages without(Set<Path> files) {
        return new LabelledImages(
                images.stream().filter(image -> !files.contains(image.file())).toList(),
                classNames,
                remark);
    }

    private LabelledImages mapped(List<Integer> classIds, List<String> names) {
        return new LabelledImages(
                images.stream()
                        .map(
                                image ->
                                        new LabelledImage(
                                                image.file(),
                                                image.width(),
                                                image.height(),
                                                image.labels().stream()
                                                        .map(
                                                                label ->
                                                                        label.withClass(
                                                                                classIds.get(
                                                                                        label
                                                                                                .classId())))
                                                        .toList()))
                        .toList(),
                Optional.of(names),
                remark);
    }

    private Set<Integer> classesPresent() {
        Set<Integer> present = new TreeSet<>();
        labels().forEach(label -> present.add(label.classId()));
        present.remove(GroundTruth.ANY_CLASS);
        return present;
    }

    private Stream<GroundTruth> labels() {
        return images.stream().flatMap(image -> image.labels().stream());
    }

    /** How many pictures, scenes, objects, classes, regions to ignore, and what was left out. */
    @Override
    public String toString() {
        long ignored = labels().filter(label -> label.classId() == GroundTruth.ANY_CLASS).count();
        int scenes = groups().size();
        return "%d images%s, %d objects of %d classes%s%s"
                .formatted(
                        size(),
                        scenes == size() ? "" : " of %d scenes".formatted(scenes),
                        objects(),
                        classes(),
                        ignored == 0 ? "" : ", %d regions ignored".formatted(ignored),
                        remark);
    }
}

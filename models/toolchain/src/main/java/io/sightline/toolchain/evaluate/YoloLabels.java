// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.toolchain.ToolchainException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A text file for each picture: lines {@code class cx cy width height}, relative to its size. In a
 * folder {@code ignore} beside that of the labels, where there is one, lines {@code cx cy width
 * height} say where detections of any class neither count as right nor as wrong.
 */
final class YoloLabels {

    private static final String EXPECTED =
            ": expected 'class cx cy width height': the class a whole number from 0, the box relative to the picture's size";

    private static final String IGNORED_EXPECTED =
            ": expected 'cx cy width height', relative to the picture's size";

    /** How far beyond the picture's edge rounding takes a number. */
    private static final double SLACK = 1e-3;

    private YoloLabels() {}

    static LabelledImages read(Path imageFolder, Path labelFolder) {
        Path ignoreFolder = labelFolder.toAbsolutePath().resolveSibling("ignore");
        List<LabelledImage> images = new ArrayList<>();
        int without = 0;
        for (Path picture : LabelledImages.picturesIn(imageFolder)) {
            String name = picture.getFileName().toString();
            String text = name.substring(0, name.lastIndexOf('.')) + ".txt";
            Path file = labelFolder.resolve(text);
            List<GroundTruth> labels = new ArrayList<>();
            if (Files.exists(file)) {
                labels.addAll(read(file, true));
            } else {
                without++;
            }
            Path ignored = ignoreFolder.resolve(text);
            if (Files.exists(ignored)) {
                labels.addAll(read(ignored, false));
            }
            images.add(new LabelledImage(picture, 1, 1, labels));
        }
        if (without == images.size()) {
            throw new ToolchainException(
                    "%s: holds no NAME.txt for any of the %d pictures in %s: expected YOLO text files of the pictures' names"
                            .formatted(labelFolder, without, imageFolder));
        }
        return new LabelledImages(
                images,
                Optional.empty(),
                without == 0
                        ? ""
                        : ", %d images taken as empty because they have no label file"
                                .formatted(without));
    }

    /**
     * @param ofClass whether each line begins with a class; without, it is a region to ignore
     */
    private static List<GroundTruth> read(Path file, boolean ofClass) {
        String expected = ofClass ? EXPECTED : IGNORED_EXPECTED;
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (MalformedInputException e) {
            throw new ToolchainException(file + ": is no text file" + expected, e);
        } catch (IOException e) {
            throw new ToolchainException(file + ": cannot be read: " + e, e);
        }
        List<GroundTruth> labels = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (!line.isEmpty()) {
                String[] fields = line.split("\\s+", -1);
                try {
                    labels.add(ofClass ? label(fields) : ignored(fields));
                } catch (NumberFormatException e) {
                    throw new ToolchainException(
                            "%s: line %d: found %d fields, '%s'%s"
                                    .formatted(
                                            file,
                                            i + 1,
                                            fields.length,
                                            line.length() > 60 ? line.substring(0, 60) + "…" : line,
                                            expected),
                            e);
                }
            }
        }
        return labels;
    }

    private static GroundTruth label(String[] fields) {
        int classId = Integer.parseInt(fields[0]);
        if (classId < 0) {
            throw new NumberFormatException("no class: " + classId);
        }
        Box box = box(fields, 1);
        return new GroundTruth(classId, box, box.area(), false);
    }

    private static GroundTruth ignored(String[] fields) {
        return GroundTruth.ignored(box(fields, 0));
    }

    /** The last fields of the line. */
    private static Box box(String[] fields, int first) {
        if (fields.length != first + 4) {
            throw new NumberFormatException("no box: " + fields.length + " fields");
        }
        double x = relative(fields[first]);
        double y = relative(fields[first + 1]);
        double width = relative(fields[first + 2]);
        double height = relative(fields[first + 3]);
        return new Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2);
    }

    private static double relative(String field) {
        double value = Double.parseDouble(field);
        if (!(value >= -SLACK && value <= 1 + SLACK)) {
            throw new NumberFormatException("not relative: " + field);
        }
        return value;
    }
}

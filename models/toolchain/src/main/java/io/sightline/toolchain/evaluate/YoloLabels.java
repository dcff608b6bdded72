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

/** A text file for each picture: lines {@code class cx cy width height}, relative to its size. */
final class YoloLabels {

    private static final String EXPECTED =
            ": expected 'class cx cy width height': the class a whole number from 0, the box relative to the picture's size";

    /** How far beyond the picture's edge rounding takes a number. */
    private static final double SLACK = 1e-3;

    private YoloLabels() {}

    static LabelledImages read(Path imageFolder, Path labelFolder) {
        List<LabelledImage> images = new ArrayList<>();
        int without = 0;
        for (Path picture : LabelledImages.picturesIn(imageFolder)) {
            String name = picture.getFileName().toString();
            Path file = labelFolder.resolve(name.substring(0, name.lastIndexOf('.')) + ".txt");
            List<GroundTruth> labels = List.of();
            if (Files.exists(file)) {
                labels = read(file);
            } else {
                without++;
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

    private static List<GroundTruth> read(Path file) {
        List<String> lines;
        try {
            lines = Files.readAllLines(file);
        } catch (MalformedInputException e) {
            throw new ToolchainException(file + ": is no text file" + EXPECTED, e);
        } catch (IOException e) {
            throw new ToolchainException(file + ": cannot be read: " + e, e);
        }
        List<GroundTruth> labels = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (!line.isEmpty()) {
                labels.add(parse(file, i + 1, line));
            }
        }
        return labels;
    }

    private static GroundTruth parse(Path file, int number, String line) {
        String[] fields = line.split("\\s+", -1);
        try {
            int classId = Integer.parseInt(fields[0]);
            if (fields.length == 5 && classId >= 0) {
                double x = relative(fields[1]);
                double y = relative(fields[2]);
                double width = relative(fields[3]);
                double height = relative(fields[4]);
                return new GroundTruth(
                        classId,
                        new Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2),
                        width * height,
                        false);
            }
        } catch (NumberFormatException e) {
            // Told below, as what else may be wrong.
        }
        throw new ToolchainException(
                "%s: line %d: found %d fields, '%s'%s"
                        .formatted(
                                file,
                                number,
                                fields.length,
                                line.length() > 60 ? line.substring(0, 60) + "…" : line,
                                EXPECTED));
    }

    private static double relative(String field) {
        double value = Double.parseDouble(field);
        if (!(value >= -SLACK && value <= 1 + SLACK)) {
            throw new NumberFormatException("not relative: " + field);
        }
        return value;
    }
}

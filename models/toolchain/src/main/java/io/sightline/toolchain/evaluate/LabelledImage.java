// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.toolchain.ToolchainException;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A picture and what is in it.
 *
 * @param file JPEG, PNG or WebP
 * @param width of the picture that the labels are for, pixels; 1 where they are relative to its
 *     size
 * @param height as {@code width}
 * @param labels in units of that width and height
 */
public record LabelledImage(Path file, int width, int height, List<GroundTruth> labels) {

    /** {@code scene-17-3.jpg}: the fourth frame of scene 17. */
    private static final Pattern FRAME = Pattern.compile("(.+-\\d+)-\\d+\\.\\w+");

    public LabelledImage {
        labels = List.copyOf(labels);
    }

    /**
     * What pictures of one scene or video have in common, which show nearly the same: their name
     * without the last number, where it ends in two, {@code NAME-17-3}. Of others their own.
     */
    static Path groupOf(Path file) {
        Matcher frame = FRAME.matcher(file.getFileName().toString());
        return frame.matches() ? file.resolveSibling(frame.group(1)) : file;
    }

    /**
     * The labels in pixels.
     *
     * @param pictureWidth of the picture itself, pixels
     * @param pictureHeight of the picture itself, pixels
     * @throws ToolchainException if the labels are for a picture of another size
     */
    public List<GroundTruth> truth(int pictureWidth, int pictureHeight) {
        if (width == 1 && height == 1) {
            return labels.stream().map(label -> label.scaled(pictureWidth, pictureHeight)).toList();
        }
        if (width != pictureWidth || height != pictureHeight) {
            throw new ToolchainException(
                    "%s: is %dx%d, but its labels are for %dx%d: take the pictures that were labelled, not resized or turned copies"
                            .formatted(file, pictureWidth, pictureHeight, width, height));
        }
        return labels;
    }
}

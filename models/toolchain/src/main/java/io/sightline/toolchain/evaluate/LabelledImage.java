// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.evaluate;

import io.sightline.toolchain.ToolchainException;
import java.nio.file.Path;
import java.util.List;

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

    public LabelledImage {
        labels = List.copyOf(labels);
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

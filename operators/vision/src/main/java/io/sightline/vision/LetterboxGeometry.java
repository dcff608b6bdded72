// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

/**
 * Where an image lies in a network's input, and the way back. The rule is YOLOv6's evaluation with
 * a reduced gray border: the image is scaled to what the border leaves, its size truncated to whole
 * pixels, and centred; an odd remainder goes to the right and the bottom.
 *
 * @param imageWidth of the source, pixels
 * @param imageHeight of the source, pixels
 * @param resizedWidth of the image inside the input, pixels
 * @param resizedHeight of the image inside the input, pixels
 * @param left gray columns before the image
 * @param top gray rows above it
 * @param right gray columns after it
 * @param bottom gray rows below it
 */
public record LetterboxGeometry(
        int imageWidth,
        int imageHeight,
        int resizedWidth,
        int resizedHeight,
        int left,
        int top,
        int right,
        int bottom) {

    /**
     * @param border gray pixels kept free on each side at least
     * @throws IllegalArgumentException if a size is not positive, or the border leaves no room
     */
    public static LetterboxGeometry of(
            int imageWidth, int imageHeight, int inputWidth, int inputHeight, int border) {
        if (imageWidth < 1 || imageHeight < 1) {
            throw new IllegalArgumentException(
                    "image " + imageWidth + "x" + imageHeight + ": expected at least 1x1");
        }
        if (border < 0 || border > (Math.min(inputWidth, inputHeight) - 1) / 2) {
            throw new IllegalArgumentException(
                    "border "
                            + border
                            + " leaves no room in an input of "
                            + inputWidth
                            + "x"
                            + inputHeight
                            + ": expected 0 to less than half its shorter side");
        }
        double scale =
                Math.min(
                        (inputWidth - 2 * border) / (double) imageWidth,
                        (inputHeight - 2 * border) / (double) imageHeight);
        int width = Math.max(1, (int) (imageWidth * scale));
        int height = Math.max(1, (int) (imageHeight * scale));
        double horizontal = (inputWidth - width) / 2.0;
        double vertical = (inputHeight - height) / 2.0;
        // The tenth decides where the odd pixel goes, and no sum ever lies half way.
        return new LetterboxGeometry(
                imageWidth,
                imageHeight,
                width,
                height,
                (int) Math.round(horizontal - 0.1),
                (int) Math.round(vertical - 0.1),
                (int) Math.round(horizontal + 0.1),
                (int) Math.round(vertical + 0.1));
    }

    /** The source column, 0 to imageWidth, of a column of the input. */
    public double toImageX(double inputX) {
        return clamp((inputX - left) / (resizedWidth / (double) imageWidth), imageWidth);
    }

    /** The source row, 0 to imageHeight, of a row of the input. */
    public double toImageY(double inputY) {
        return clamp((inputY - top) / (resizedHeight / (double) imageHeight), imageHeight);
    }

    /** Whether the image is made smaller on its way into the input. */
    boolean shrinks() {
        return resizedWidth < imageWidth || resizedHeight < imageHeight;
    }

    private static double clamp(double value, int limit) {
        return Math.min(Math.max(value, 0), limit);
    }
}

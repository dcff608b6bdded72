// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.io.Serializable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Size of a network's input in pixels, for networks that leave it open. Written {@code 640x384}:
 * width first.
 */
public record InputSize(int width, int height) implements Serializable {

    /** The coarsest stride of the detectors that take open sizes. */
    private static final int STRIDE = 32;

    private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,4})x([1-9]\\d{0,4})");

    /**
     * As a user states it.
     *
     * @throws IllegalArgumentException if the text is no size, or one whose sides are not multiples
     *     of 32
     */
    public static InputSize of(String text) {
        Matcher size = FORM.matcher(text);
        if (!size.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a size, expected width and height such as 640x384");
        }
        int width = Integer.parseInt(size.group(1));
        int height = Integer.parseInt(size.group(2));
        if (width % STRIDE != 0 || height % STRIDE != 0) {
            throw new IllegalArgumentException(
                    "'"
                            + text
                            + "' is no size for a detector: expected multiples of "
                            + STRIDE
                            + " such as "
                            + nearest(width)
                            + "x"
                            + nearest(height));
        }
        return new InputSize(width, height);
    }

    private static int nearest(int side) {
        return Math.max(1, Math.round((float) side / STRIDE)) * STRIDE;
    }

    @Override
    public String toString() {
        return width + "x" + height;
    }
}

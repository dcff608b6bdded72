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

    private static final Pattern FORM = Pattern.compile("([1-9]\\d{0,4})x([1-9]\\d{0,4})");

    /**
     * @throws IllegalArgumentException if the text is no size
     */
    public static InputSize of(String text) {
        Matcher size = FORM.matcher(text);
        if (!size.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a size, expected width and height such as 640x384");
        }
        return new InputSize(Integer.parseInt(size.group(1)), Integer.parseInt(size.group(2)));
    }

    @Override
    public String toString() {
        return width + "x" + height;
    }
}

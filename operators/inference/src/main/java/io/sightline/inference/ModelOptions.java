// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.Optional;
import java.util.OptionalInt;

/**
 * What the user states about a model; it wins over the JSON beside it and over what its shapes
 * suggest.
 *
 * @param layout {@code --layout}
 * @param border {@code --border}, pixels
 * @param size {@code --input-size}, for networks that leave it open
 */
public record ModelOptions(
        Optional<OutputLayout> layout, OptionalInt border, Optional<InputSize> size) {

    /** The size is the network's own. */
    public ModelOptions(Optional<OutputLayout> layout, OptionalInt border) {
        this(layout, border, Optional.empty());
    }

    /** The user states nothing. */
    public static final ModelOptions NONE = new ModelOptions(Optional.empty(), OptionalInt.empty());

    /** Of options that are null where the user states nothing. */
    public static ModelOptions of(OutputLayout layout, Integer border, InputSize size) {
        return new ModelOptions(
                Optional.ofNullable(layout),
                border == null ? OptionalInt.empty() : OptionalInt.of(border),
                Optional.ofNullable(size));
    }
}

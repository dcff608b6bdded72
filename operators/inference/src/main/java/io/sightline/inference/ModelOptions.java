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
 */
public record ModelOptions(Optional<OutputLayout> layout, OptionalInt border) {

    /** The user states nothing. */
    public static final ModelOptions NONE = new ModelOptions(Optional.empty(), OptionalInt.empty());
}

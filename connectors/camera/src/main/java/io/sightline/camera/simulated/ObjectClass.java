// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.Locale;

/** What a simulated camera sees. The ordinals are the class ids of a model trained on it. */
public enum ObjectClass {
    PERSON,
    BICYCLE,
    CAR,
    MOTORCYCLE,
    BUS,
    TRUCK;

    private final String label = name().toLowerCase(Locale.ROOT);

    /** The class's name as COCO has it: {@code person}. */
    public String label() {
        return label;
    }
}

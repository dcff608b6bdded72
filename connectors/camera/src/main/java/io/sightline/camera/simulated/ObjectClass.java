// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.Locale;

/** What a simulated camera sees. */
public enum ObjectClass {
    PERSON(0),
    BICYCLE(1),
    CAR(2),
    MOTORCYCLE(3),
    BUS(4),
    TRUCK(5);

    private final int id;
    private final String label = name().toLowerCase(Locale.ROOT);

    ObjectClass(int id) {
        this.id = id;
    }

    /** The class id of a model trained on simulated scenes; the ordinal. */
    public int id() {
        return id;
    }

    /** The class's name as COCO has it: {@code person}. */
    public String label() {
        return label;
    }
}

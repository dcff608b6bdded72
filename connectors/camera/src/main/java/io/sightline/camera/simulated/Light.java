// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** The time of day; in a hall: how many of its lamps are on. */
public enum Light {
    DAY,
    DUSK,
    NIGHT
}

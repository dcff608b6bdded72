// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.Objects;
import java.util.SplittableRandom;

/**
 * All that makes one scene: equal settings give equal pictures.
 *
 * @param seed draws the place's layout, the camera's position and all that moves
 * @param width the picture's width in pixels, 64 to 4096
 * @param height the picture's height in pixels, 64 to 4096
 * @param place what kind of place the camera looks at
 * @param light the time of day
 * @param rain whether it rains; never in a hall
 */
public record SceneSettings(
        long seed, int width, int height, Place place, Light light, boolean rain) {

    private static final int MIN_SIDE = 64;
    private static final int MAX_SIDE = 4096;

    /**
     * Checks the settings.
     *
     * @throws IllegalArgumentException where a side is out of its range, or it rains in a hall
     */
    public SceneSettings {
        Objects.requireNonNull(place, "place");
        Objects.requireNonNull(light, "light");
        requireSize(width, height);
        if (rain && place == Place.HALL) {
            throw new IllegalArgumentException("scene: rain in a hall: expected a street");
        }
    }

    static void requireSize(int width, int height) {
        if (width < MIN_SIDE || width > MAX_SIDE || height < MIN_SIDE || height > MAX_SIDE) {
            throw new IllegalArgumentException(
                    "scene of "
                            + width
                            + "x"
                            + height
                            + " pixels: expected sides of "
                            + MIN_SIDE
                            + " to "
                            + MAX_SIDE);
        }
    }

    /** Place, light and rain drawn from the seed: mostly streets by day. */
    public static SceneSettings ofSeed(long seed, int width, int height) {
        SplittableRandom random = new SplittableRandom(seed);
        Place place = random.nextDouble() < 0.84 ? Place.STREET : Place.HALL;
        double time = random.nextDouble();
        Light light = time < 0.62 ? Light.DAY : time < 0.8 ? Light.DUSK : Light.NIGHT;
        boolean rain = random.nextDouble() < 0.16 && place == Place.STREET;
        return new SceneSettings(seed, width, height, place, light, rain);
    }
}

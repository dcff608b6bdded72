// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** Gives the look of a body at a point of its own coordinates: x ahead, y left, z up, metres. */
@FunctionalInterface
interface Surface {

    /** Fills the sample; false where there is a hole. */
    boolean at(float x, float y, float z, Sample sample);

    /** Of one colour, a little uneven. */
    static Surface plain(Rgb colour, double gloss) {
        float shine = (float) gloss;
        return (x, y, z, sample) -> {
            float n = Noise.smooth(9 * x + 5 * z, 9 * y + 7 * z, 77);
            sample.set(colour, 0.88f + 0.24f * n, shine);
            return true;
        };
    }

    /** Cloth: folds are lighter and darker streaks. */
    static Surface cloth(Rgb colour, int seed) {
        return (x, y, z, sample) -> {
            float n = Noise.smooth(16 * x + 6 * z, 16 * y + 9 * z, seed);
            float m = Noise.smooth(5 * x + 11 * z, 5 * y - 7 * z, seed + 1);
            sample.set(colour, 0.62f + 0.42f * n + 0.34f * m, 0.02f);
            return true;
        };
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** What a surface is like at one point: reflectance, gloss and light of its own. */
final class Sample {

    float r;
    float g;
    float b;
    float gloss;
    float glow;

    void set(Rgb colour, float factor, float glossiness) {
        r = colour.r() * factor;
        g = colour.g() * factor;
        b = colour.b() * factor;
        gloss = glossiness;
        glow = 0;
    }
}

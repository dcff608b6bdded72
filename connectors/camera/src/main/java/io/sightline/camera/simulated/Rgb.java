// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** A reflectance or radiance in linear light. */
record Rgb(float r, float g, float b) {

    private static final float[] LINEAR = new float[256];

    static {
        for (int i = 0; i < 256; i++) {
            double v = i / 255.0;
            LINEAR[i] =
                    (float) (v <= 0.04045 ? v / 12.92 : StrictMath.pow((v + 0.055) / 1.055, 2.4));
        }
    }

    /** From an sRGB colour such as {@code 0x336699}. */
    static Rgb srgb(int hex) {
        return new Rgb(LINEAR[hex >> 16 & 255], LINEAR[hex >> 8 & 255], LINEAR[hex & 255]);
    }

    static Rgb grey(double value) {
        return new Rgb((float) value, (float) value, (float) value);
    }

    Rgb times(double factor) {
        return new Rgb((float) (r * factor), (float) (g * factor), (float) (b * factor));
    }

    Rgb mix(Rgb other, double part) {
        float p = (float) part;
        return new Rgb(r + (other.r - r) * p, g + (other.g - g) * p, b + (other.b - b) * p);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.ArrayList;
import java.util.List;

/** The light of a scene: the sun, or none; the sky; and lamps that shine downwards. */
final class Lighting {

    /** A lamp's pool of light on the ground. */
    record Lamp(double x, double y, double radius, Rgb light) {}

    final double sunX;
    final double sunY;
    final double sunZ;
    final Rgb sun;
    final Rgb sky;
    final List<Lamp> lamps = new ArrayList<>();

    /** Towards the sun, as a direction on the ground and a height above the horizon in radians. */
    Lighting(double direction, double height, Rgb sun, Rgb sky) {
        this.sunX = StrictMath.cos(direction) * StrictMath.cos(height);
        this.sunY = StrictMath.sin(direction) * StrictMath.cos(height);
        this.sunZ = StrictMath.sin(height);
        this.sun = sun;
        this.sky = sky;
    }

    /** The sky's light and that of the lamps at a point of the ground. */
    Rgb ambient(double x, double y) {
        float r = sky.r();
        float g = sky.g();
        float b = sky.b();
        for (Lamp lamp : lamps) {
            double dx = x - lamp.x;
            double dy = y - lamp.y;
            double d = (dx * dx + dy * dy) / (lamp.radius * lamp.radius);
            if (d < 16) {
                float f = (float) (1 / ((1 + d) * (1 + d)));
                r += f * lamp.light.r();
                g += f * lamp.light.g();
                b += f * lamp.light.b();
            }
        }
        return new Rgb(r, g, b);
    }
}

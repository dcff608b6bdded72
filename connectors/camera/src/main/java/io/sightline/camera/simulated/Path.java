// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** Where something that moves is at a time. */
interface Path {

    /** A place on the ground, a heading, the distance gone so far and how often it began anew. */
    record Place(double x, double y, double heading, double travelled, int round) {}

    Place at(double seconds);

    /** Stays, and turns a little to and fro. */
    static Path still(double x, double y, double heading, double turn) {
        return t -> new Place(x, y, heading + turn * StrictMath.sin(0.35 * t + 5 * heading), t, 0);
    }

    /** Goes straight from one point for a length, again and again. */
    static Path line(
            double x,
            double y,
            double heading,
            double length,
            double start,
            double speed,
            double sway) {
        double cos = StrictMath.cos(heading);
        double sin = StrictMath.sin(heading);
        return t -> {
            double s = start + speed * t;
            int round = (int) Math.floor(s / length);
            double along = s - round * length;
            double aside = sway * StrictMath.sin(0.31 * along + 7 * start);
            double slope = 0.31 * sway * StrictMath.cos(0.31 * along + 7 * start);
            return new Place(
                    x + along * cos - aside * sin,
                    y + along * sin + aside * cos,
                    heading + StrictMath.atan(slope),
                    s,
                    round);
        };
    }

    /** Goes round an ellipse. */
    static Path ellipse(
            double x, double y, double a, double b, double turned, double start, double speed) {
        double cos = StrictMath.cos(turned);
        double sin = StrictMath.sin(turned);
        double mean = Math.sqrt((a * a + b * b) / 2);
        return t -> {
            double s = start + speed * t;
            double p = s / mean;
            double ex = a * StrictMath.cos(p);
            double ey = b * StrictMath.sin(p);
            double dx = -a * StrictMath.sin(p) * Math.signum(speed);
            double dy = b * StrictMath.cos(p) * Math.signum(speed);
            return new Place(
                    x + ex * cos - ey * sin,
                    y + ex * sin + ey * cos,
                    StrictMath.atan2(dx * sin + dy * cos, dx * cos - dy * sin),
                    Math.abs(s),
                    0);
        };
    }
}

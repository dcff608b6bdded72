// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.SplittableRandom;

/** The body of a bicycle or a motorcycle, heading along x. */
final class Cycle {

    private static final double RADIUS = 0.335;
    private static final double REAR = -0.46;
    private static final double FRONT = 0.58;
    private static final int SPOKES = 9;
    private static final float[] SPOKE_X = new float[SPOKES];
    private static final float[] SPOKE_Z = new float[SPOKES];

    static {
        for (int i = 0; i < SPOKES; i++) {
            SPOKE_X[i] = (float) StrictMath.cos(StrictMath.PI * i / SPOKES);
            SPOKE_Z[i] = (float) StrictMath.sin(StrictMath.PI * i / SPOKES);
        }
    }

    private final boolean motor;
    private final boolean scooter;
    private final boolean ladies;
    private final boolean basket;
    private final boolean topCase;
    private final Surface frame;
    private final Surface dark = Surface.plain(Rgb.grey(0.02), 0.15);
    private final Surface tyre = Surface.plain(Rgb.grey(0.015), 0.03);
    private final Surface metal = Surface.plain(Rgb.grey(0.35), 0.5);
    private final Surface headlamp;
    private final Surface tailLamp;
    private final Surface[] spokes;

    Cycle(SplittableRandom random, boolean motor, boolean lit) {
        this.motor = motor;
        this.scooter = random.nextDouble() < 0.45;
        this.ladies = random.nextDouble() < 0.45;
        this.basket = random.nextDouble() < 0.25;
        this.topCase = random.nextDouble() < 0.3;
        int[] paints = {
            0x111214, 0x9A1B1E, 0x1C3F7A, 0xC9CBCE, 0x2E2F33, 0x1F6B3B, 0xE2E2DE, 0xD06A1C,
            0x6A6E74, 0x0D0E10
        };
        frame = Surface.plain(Rgb.srgb(paints[random.nextInt(paints.length)]), motor ? 0.5 : 0.3);
        headlamp = lamp(Rgb.grey(0.8), lit ? 9 : 0.3f);
        tailLamp = lamp(new Rgb(0.6f, 0.02f, 0.02f), lit ? 4 : 0.3f);
        spokes = new Surface[] {spokes((float) REAR), spokes((float) FRONT)};
    }

    /** Nine across a wheel; most of what is behind them shows through. */
    private static Surface spokes(float axle) {
        Rgb steel = Rgb.grey(0.3);
        return (x, y, z, s) -> {
            float dx = x - axle;
            float dz = z - (float) RADIUS;
            for (int i = 0; i < SPOKES; i++) {
                float off = dx * SPOKE_X[i] + dz * SPOKE_Z[i];
                if (off > -0.007f && off < 0.007f) {
                    s.set(steel, 1, 0.3f);
                    return true;
                }
            }
            return false;
        };
    }

    private static Surface lamp(Rgb colour, float glow) {
        return (x, y, z, s) -> {
            s.set(colour, 1, 0.5f);
            s.glow = glow;
            return true;
        };
    }

    double length() {
        return motor ? 2.1 : 1.75;
    }

    void build(Mesh mesh, int sides) {
        if (motor) {
            motorcycle(mesh, sides);
        } else {
            bicycle(mesh, sides);
        }
    }

    private void bicycle(Mesh mesh, int sides) {
        double r = RADIUS;
        double rear = REAR;
        double front = FRONT;
        int round = Math.max(12, 2 * sides);
        for (double x : new double[] {rear, front}) {
            mesh.with(tyre);
            Solids.torus(mesh, round, x, 0, r, r - 0.02, 0.021);
            mesh.withHoles(spokes[x < 0 ? 0 : 1]);
            Solids.wheel(mesh, round, x, 0, r, r - 0.04, 0.012);
        }
        double[] crank = {-0.03, 0, 0.29};
        double[] seat = {-0.19, 0, 0.82};
        double[] neck = {0.38, 0, 0.84};
        double[] fork = {0.40, 0, 0.68};
        mesh.with(frame);
        int n = 5;
        Solids.tube(mesh, n, crank, seat, 0.019);
        Solids.tube(mesh, n, crank, fork, 0.022);
        Solids.tube(mesh, n, ladies ? new double[] {-0.08, 0, 0.45} : seat, neck, 0.019);
        Solids.tube(mesh, n, fork, neck, 0.023);
        Solids.tube(mesh, n, crank, new double[] {rear, 0, r}, 0.014);
        Solids.tube(mesh, n, seat, new double[] {rear, 0, r}, 0.012);
        Solids.tube(mesh, n, fork, new double[] {front, 0, r}, 0.016);
        mesh.with(dark);
        Solids.tube(mesh, n, seat, new double[] {-0.21, 0, 0.93}, 0.014);
        Solids.ellipsoid(mesh, 8, -0.2, 0, 0.95, 0.14, 0.075, 0.035);
        Solids.tube(mesh, n, neck, new double[] {0.37, 0, 1.02}, 0.014);
        Solids.tube(
                mesh, n, new double[] {0.40, -0.29, 1.03}, new double[] {0.40, 0.29, 1.03}, 0.015);
        Solids.wheel(mesh, 10, -0.03, -0.04, 0.29, 0.095, 0.015);
        Solids.box(mesh, -0.08, 0.08, 0.1, 0.02, 0.16, 0.125);
        Solids.box(mesh, -0.08, -0.16, 0.45, 0.02, -0.08, 0.475);
        if (basket) {
            Solids.box(mesh, 0.46, -0.17, 0.78, 0.76, 0.17, 0.98);
        }
        mesh.with(tailLamp);
        Solids.box(mesh, -0.62, -0.03, 0.62, -0.58, 0.03, 0.68);
        mesh.with(headlamp);
        Solids.box(mesh, 0.46, -0.03, 0.88, 0.5, 0.03, 0.94);
    }

    private void motorcycle(Mesh mesh, int sides) {
        int round = Math.max(10, 2 * sides);
        double r = scooter ? 0.25 : 0.31;
        double rear = -0.62;
        double front = 0.70;
        for (double x : new double[] {rear, front}) {
            mesh.with(tyre);
            Solids.torus(mesh, round, x, 0, r, r - 0.06, 0.062);
            mesh.with(metal);
            Solids.wheel(mesh, round, x, 0, r, r - 0.1, 0.06);
        }
        int n = Math.max(6, sides);
        if (scooter) {
            mesh.with(frame);
            Solids.ellipsoid(mesh, n, -0.45, 0, 0.52, 0.48, 0.17, 0.22);
            Solids.prism(
                    mesh,
                    new double[][] {
                        {0.28, -0.2, 0.25},
                        {0.36, -0.16, 0.25},
                        {0.36, 0.16, 0.25},
                        {0.28, 0.2, 0.25},
                        {0.36, -0.24, 0.92},
                        {0.5, -0.12, 0.92},
                        {0.5, 0.12, 0.92},
                        {0.36, 0.24, 0.92}
                    });
            Solids.box(mesh, -0.3, -0.18, 0.24, 0.34, 0.18, 0.32);
            Solids.ellipsoid(mesh, n, 0.7, 0, 0.44, 0.26, 0.09, 0.12);
            mesh.with(dark);
            Solids.ellipsoid(mesh, n, -0.38, 0, 0.76, 0.42, 0.15, 0.08);
        } else {
            mesh.with(frame);
            Solids.ellipsoid(mesh, n, 0.12, 0, 0.82, 0.32, 0.17, 0.15);
            Solids.ellipsoid(mesh, n, -0.68, 0, 0.78, 0.3, 0.12, 0.09);
            Solids.ellipsoid(mesh, n, 0.72, 0, 0.66, 0.22, 0.08, 0.06);
            if (ladies) {
                Solids.ellipsoid(mesh, n, 0.45, 0, 0.78, 0.3, 0.22, 0.26);
            }
            mesh.with(dark);
            Solids.ellipsoid(mesh, n, -0.35, 0, 0.82, 0.4, 0.15, 0.07);
            Solids.ellipsoid(mesh, n, 0.02, 0, 0.45, 0.32, 0.17, 0.24);
            mesh.with(metal);
            Solids.tube(
                    mesh,
                    6,
                    new double[] {0.1, -0.16, 0.32},
                    new double[] {-0.8, -0.19, 0.42},
                    0.05);
        }
        mesh.with(metal);
        for (double y : new double[] {-0.09, 0.09}) {
            Solids.tube(mesh, 5, new double[] {0.46, y, 0.92}, new double[] {front, y, r}, 0.028);
            Solids.tube(mesh, 5, new double[] {rear, y, r}, new double[] {-0.1, y, 0.42}, 0.03);
        }
        mesh.with(dark);
        Solids.tube(
                mesh, 5, new double[] {0.42, -0.36, 1.03}, new double[] {0.42, 0.36, 1.03}, 0.022);
        for (double y : new double[] {-0.38, 0.38}) {
            Solids.ellipsoid(mesh, 6, 0.46, y, 1.2, 0.02, 0.07, 0.05);
        }
        if (topCase) {
            Solids.box(mesh, -1.05, -0.22, 0.86, -0.68, 0.22, 1.2);
        }
        mesh.with(headlamp);
        Solids.ellipsoid(mesh, 8, 0.6, 0, 0.9, 0.07, 0.09, 0.09);
        mesh.with(tailLamp);
        Solids.box(mesh, -0.98, -0.08, 0.72, -0.94, 0.08, 0.8);
    }
}

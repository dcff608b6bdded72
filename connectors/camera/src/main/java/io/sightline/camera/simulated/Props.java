// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.SplittableRandom;

/** Things that stand about and hide what is behind them; none of them counts. */
final class Props {

    private final SplittableRandom random;

    Props(SplittableRandom random) {
        this.random = random;
    }

    private Rgb pick(int... colours) {
        return Rgb.srgb(colours[random.nextInt(colours.length)]);
    }

    Body.Figure tree() {
        Rgb green = pick(0x44562B, 0x556B2F, 0x3B4F26, 0x6B7B3A, 0x7A7440);
        Rgb bark = pick(0x4A3F35, 0x5E5448, 0x6E6558);
        int seed = random.nextInt(1 << 20);
        double trunk = 2.2 + 1.4 * random.nextDouble();
        double crown = 1.4 + 1.4 * random.nextDouble();
        double thick = 0.09 + 0.12 * random.nextDouble();
        boolean bare = random.nextDouble() < 0.2;
        Surface leaves =
                (x, y, z, s) -> {
                    float a = Noise.smooth(11 * x, 11 * y, 11 * z, seed);
                    float b = Noise.smooth(3.1f * x, 3.1f * y, 3.1f * z, seed + 1);
                    if (a * 0.6f + b * 0.4f < (bare ? 0.66f : 0.46f)) {
                        return false;
                    }
                    s.set(bare ? bark : green, 0.35f + 1.1f * a, 0.02f);
                    return true;
                };
        return (mesh, sides, place) -> {
            mesh.with(Surface.cloth(bark, seed));
            Solids.limb(
                    mesh,
                    8,
                    new double[] {0, 0, 0},
                    thick * 1.3,
                    new double[] {0.1, 0, trunk + 0.5 * crown},
                    thick * 0.7);
            mesh.withHoles(leaves);
            SplittableRandom blobs = new SplittableRandom(seed);
            for (int i = 0; i < 14; i++) {
                double a = 6.28 * blobs.nextDouble();
                double r = crown * Math.sqrt(blobs.nextDouble()) * 0.8;
                double z = trunk + crown * 1.5 * blobs.nextDouble();
                double size = crown * (0.35 + 0.3 * blobs.nextDouble());
                Solids.ellipsoid(
                        mesh,
                        9,
                        r * StrictMath.cos(a),
                        r * StrictMath.sin(a),
                        z,
                        size,
                        size,
                        size * 0.8);
            }
        };
    }

    Body.Figure bush() {
        Rgb green = pick(0x44562B, 0x556B2F, 0x3B4F26);
        int seed = random.nextInt(1 << 20);
        double size = 0.4 + 0.5 * random.nextDouble();
        Surface leaves =
                (x, y, z, s) -> {
                    float a = Noise.smooth(14 * x, 14 * y, 14 * z, seed);
                    if (a < 0.35f) {
                        return false;
                    }
                    s.set(green, 0.3f + 1.2f * a, 0.02f);
                    return true;
                };
        return (mesh, sides, place) -> {
            mesh.withHoles(leaves);
            Solids.ellipsoid(mesh, 10, 0, 0, size * 0.7, size * 1.3, size, size);
            Solids.ellipsoid(mesh, 10, size, 0.2, size * 0.5, size, size, size * 0.8);
        };
    }

    Body.Figure pole(double height, boolean sign) {
        Rgb metal = pick(0x6A6E72, 0x3A3D40, 0x8E9296, 0x4A5A4A);
        Rgb plate = pick(0x1E4FA3, 0xB3191D, 0xE8E8E4, 0xE0B020, 0x1F7A3D);
        int kind = random.nextInt(3);
        return (mesh, sides, place) -> {
            mesh.with(Surface.plain(metal, 0.2));
            Solids.tube(mesh, 7, new double[] {0, 0, 0}, new double[] {0, 0, height}, 0.055);
            if (sign) {
                mesh.with(Surface.plain(plate, 0.2));
                switch (kind) {
                    case 0 -> Solids.wheel(mesh, 14, 0, -0.06, height - 0.3, 0.32, 0.03);
                    case 1 -> Solids.box(mesh, -0.3, -0.08, height - 0.7, 0.3, -0.05, height);
                    default -> Solids.box(mesh, -0.13, -0.13, height - 0.9, 0.13, 0.13, height);
                }
            }
        };
    }

    Body.Figure pillar() {
        Surface stone = Surface.plain(pick(0xC9C5BD, 0xE0DED8, 0x8E8A84), 0.1);
        double r = 0.22 + 0.2 * random.nextDouble();
        boolean round = random.nextBoolean();
        return (mesh, sides, place) -> {
            mesh.with(stone);
            if (round) {
                Solids.tube(mesh, 14, new double[] {0, 0, 0}, new double[] {0, 0, 9}, r);
            } else {
                Solids.box(mesh, -r, -r, 0, r, r, 9);
            }
        };
    }

    /** Bins, hydrants, benches, boxes, posters on stands. */
    Body.Figure clutter() {
        Rgb colour =
                pick(
                        0x2E4A32, 0x3A3D40, 0x7A3B22, 0x22456E, 0xA9A294, 0xB03A2E, 0x6B5A40,
                        0xD0CCC2);
        Surface skin = Surface.cloth(colour, random.nextInt(1 << 20));
        int kind = random.nextInt(6);
        double f = 0.8 + 0.5 * random.nextDouble();
        int seed = random.nextInt(1 << 20);
        return (mesh, sides, place) -> {
            mesh.with(skin);
            switch (kind) {
                case 0 ->
                        Solids.tube(
                                mesh,
                                10,
                                new double[] {0, 0, 0.1},
                                new double[] {0, 0, 0.85 * f},
                                0.22 * f);
                case 1 -> {
                    Solids.tube(mesh, 8, new double[] {0, 0, 0}, new double[] {0, 0, 0.55}, 0.11);
                    Solids.ellipsoid(mesh, 8, 0, 0, 0.65, 0.13, 0.13, 0.12);
                    Solids.tube(
                            mesh,
                            6,
                            new double[] {-0.2, 0, 0.42},
                            new double[] {0.2, 0, 0.42},
                            0.05);
                }
                case 2 -> {
                    Solids.box(mesh, -0.9, -0.22, 0.4, 0.9, 0.22, 0.46);
                    Solids.box(mesh, -0.9, 0.2, 0.5, 0.9, 0.25, 0.85);
                    Solids.box(mesh, -0.7, -0.2, 0, -0.62, 0.2, 0.4);
                    Solids.box(mesh, 0.62, -0.2, 0, 0.7, 0.2, 0.4);
                }
                case 3 -> Solids.box(mesh, -0.45 * f, -0.3, 0, 0.45 * f, 0.3, 1.15 * f);
                case 4 -> {
                    Solids.box(mesh, -0.6, -0.06, 0.5, 0.6, 0.06, 2.2);
                    mesh.with(
                            (x, y, z, s) -> {
                                float n = Noise.smooth(3 * x, 3 * z, seed);
                                s.set(colour.mix(Rgb.grey(0.7), n), 0.4f + n, 0.3f);
                                return true;
                            });
                    Solids.box(mesh, -0.54, -0.075, 0.6, 0.54, 0.075, 2.1);
                }
                default -> {
                    for (int i = 0; i < 3; i++) {
                        Solids.tube(
                                mesh,
                                8,
                                new double[] {i * 1.3 - 1.3, 0, 0},
                                new double[] {i * 1.3 - 1.3, 0, 0.85},
                                0.08);
                    }
                }
            }
        };
    }
}

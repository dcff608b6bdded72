// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.SplittableRandom;

/** The body of a car, a bus or a truck, heading along x, its middle above the origin. */
final class Vehicle {

    private static final int[] PAINTS = {
        0xE9E9E7, 0xF4F4F2, 0xDADBDB, 0x17181A, 0x0F1012, 0x25272B, 0x55585C, 0x6C7075, 0x8C9094,
        0xB5B8BB, 0xA6A9AC, 0x1D2F57, 0x27467F, 0x7B1518, 0xA61E22, 0x3B4A3C, 0x5A4A3A, 0xC7BCA5,
        0x394A63, 0xD6A317, 0x9FB6C4, 0x2F6E4F
    };
    private static final int[] LIVERIES = {
        0xC8281E, 0x1F4E9C, 0xE8B21A, 0xF0F0EE, 0x2E7D4F, 0xE06A1B, 0x7DB7DE, 0x6E7175, 0xB9C93A,
        0x8A1538, 0xDAD5C8
    };

    final ObjectClass objectClass;
    final double length;
    final double width;
    private final double height;
    private final int shape;
    private final boolean lit;
    private final Rgb paint;
    private final Rgb second;
    private final Rgb rim;
    private final int seed;
    private final float dirt;

    /** How bright the inside of a bus is against the light outside. */
    private final float interior;

    private final float[] wheels;
    private final float wheelRadius;
    private final Rgb glass = new Rgb(0.012f, 0.015f, 0.017f);

    Vehicle(SplittableRandom random, ObjectClass objectClass, boolean lit) {
        this.objectClass = objectClass;
        this.lit = lit;
        seed = random.nextInt(1 << 20);
        interior = lit ? (float) random.nextDouble() : 0;
        dirt = (float) (0.3 * random.nextDouble());
        rim = random.nextDouble() < 0.7 ? Rgb.grey(0.3) : Rgb.grey(0.04);
        double size = 0.95 + 0.1 * random.nextDouble();
        switch (objectClass) {
            case BUS -> {
                shape = random.nextInt(3);
                length = (shape == 2 ? 7.5 : 11.5) * size;
                width = 2.5;
                height =
                        shape == 1 && random.nextDouble() < 0.4
                                ? 4.1
                                : 3.0 + 0.3 * random.nextDouble();
                paint = pick(random, LIVERIES);
                second = random.nextDouble() < 0.5 ? paint : pick(random, LIVERIES);
                wheelRadius = 0.48f;
                wheels = new float[] {(float) (length / 2 - 2.4), (float) (-length / 2 + 2.9)};
            }
            case TRUCK -> {
                shape = random.nextInt(5);
                length =
                        (shape == 3 ? 5.3 : shape == 4 ? 11.5 : 6.8)
                                * (0.9 + 0.2 * random.nextDouble());
                width = shape == 3 ? 1.9 : 2.4;
                height = shape == 3 ? 1.85 : 3.0 + 0.7 * random.nextDouble();
                paint = random.nextDouble() < 0.5 ? Rgb.srgb(0xECECEA) : pick(random, LIVERIES);
                second = random.nextDouble() < 0.5 ? Rgb.srgb(0xDCDCD8) : pick(random, LIVERIES);
                wheelRadius = shape == 3 ? 0.38f : 0.48f;
                float front = (float) (length / 2 - (shape == 3 ? 0.95 : 1.3));
                wheels =
                        shape == 4
                                ? new float[] {
                                    front,
                                    front - 3.3f,
                                    (float) (-length / 2 + 1.2),
                                    (float) (-length / 2 + 2.3)
                                }
                                : new float[] {front, (float) (-length / 2 + 1.4)};
            }
            default -> {
                shape = random.nextInt(5);
                double[] lengths = {4.0, 4.6, 4.55, 4.5, 4.65};
                double[] heights = {1.48, 1.44, 1.68, 1.75, 1.48};
                length = lengths[shape] * size;
                width =
                        (shape == 2 || shape == 3 ? 1.86 : 1.78)
                                * (0.97 + 0.06 * random.nextDouble());
                height = heights[shape] * (0.97 + 0.06 * random.nextDouble());
                paint = pick(random, PAINTS);
                second = paint;
                wheelRadius = shape == 2 ? 0.36f : 0.32f;
                wheels = new float[] {(float) (length * 0.295), (float) (-length * 0.285)};
            }
        }
    }

    private static Rgb pick(SplittableRandom random, int[] colours) {
        return Rgb.srgb(colours[random.nextInt(colours.length)])
                .times(0.85 + 0.2 * random.nextDouble());
    }

    void build(Mesh mesh) {
        switch (objectClass) {
            case BUS -> bus(mesh);
            case TRUCK -> truck(mesh);
            default -> car(mesh);
        }
        wheels(mesh);
    }

    /** A closed skin over cross-sections with equally many points, in order along x. */
    private static void skin(Mesh mesh, double[][][] sections) {
        int v0 = mesh.vertices;
        int t0 = mesh.triangles;
        int n = sections[0].length;
        for (double[][] section : sections) {
            for (double[] p : section) {
                mesh.vertex(p[0], p[1], p[2]);
            }
        }
        for (int i = 0; i + 1 < sections.length; i++) {
            for (int j = 0; j < n; j++) {
                int k = (j + 1) % n;
                mesh.quad(
                        v0 + i * n + j, v0 + i * n + k, v0 + (i + 1) * n + k, v0 + (i + 1) * n + j);
            }
        }
        for (int end = 0; end < 2; end++) {
            int first = v0 + (end == 0 ? 0 : (sections.length - 1) * n);
            for (int j = 1; j + 1 < n; j++) {
                if (end == 0) {
                    mesh.triangle(first, first + j + 1, first + j);
                } else {
                    mesh.triangle(first, first + j, first + j + 1);
                }
            }
        }
        mesh.finish(v0, t0);
    }

    /** A cross-section with rounded upper edges. */
    private static double[][] section(
            double x, double bottom, double top, double below, double middle, double above) {
        double round = Math.min(0.09, 0.3 * (top - bottom));
        double mid = bottom + 0.55 * (top - bottom);
        return new double[][] {
            {x, below * 0.6, bottom},
            {x, below, bottom + round},
            {x, middle, mid},
            {x, above + 0.2 * (middle - above), top - round},
            {x, above - round, top},
            {x, 0, top + 0.02},
            {x, -above + round, top},
            {x, -above - 0.2 * (middle - above), top - round},
            {x, -middle, mid},
            {x, -below, bottom + round},
            {x, -below * 0.6, bottom},
        };
    }

    private void car(Mesh mesh) {
        double l = length / 2;
        double w = width / 2;
        double h = height;
        double belt = shape == 2 || shape == 3 ? 0.60 * h : 0.62 * h;
        double hood = belt * 0.93;
        double trunk = shape == 1 ? belt * 1.02 : belt;
        double ground = shape == 2 ? 0.24 : 0.18;
        mesh.with(body(belt));
        skin(
                mesh,
                new double[][][] {
                    section(-l, ground + 0.14, trunk * 0.9, 0.8 * w, 0.86 * w, 0.8 * w),
                    section(-l + 0.10, ground + 0.04, trunk * 0.98, 0.9 * w, 0.96 * w, 0.86 * w),
                    section(-l + 0.5, ground, trunk, 0.95 * w, w, 0.9 * w),
                    section(-0.2 * l, ground, belt, 0.96 * w, w, 0.92 * w),
                    section(0.3 * l, ground, belt, 0.96 * w, w, 0.92 * w),
                    section(0.55 * l, ground, hood, 0.95 * w, w, 0.88 * w),
                    section(l - 0.45, ground, hood * 0.94, 0.94 * w, 0.97 * w, 0.84 * w),
                    section(l - 0.1, ground + 0.04, hood * 0.84, 0.86 * w, 0.9 * w, 0.76 * w),
                    section(l, ground + 0.12, hood * 0.72, 0.74 * w, 0.78 * w, 0.68 * w),
                });
        // Where the windscreen meets the bonnet, the roof begins and ends, and the rear window
        // ends.
        double[] front = {0.42 * l, 0.40 * l, 0.48 * l, 0.62 * l, 0.42 * l};
        double[] roof1 = {0.06 * l, 0.04 * l, 0.12 * l, 0.22 * l, 0.05 * l};
        double[] roof2 = {-0.62 * l, -0.36 * l, -0.72 * l, -0.80 * l, -0.72 * l};
        double[] back = {-0.88 * l, -0.72 * l, -0.93 * l, -0.96 * l, -0.95 * l};
        double f = front[shape];
        double r1 = roof1[shape];
        double r2 = roof2[shape];
        double b = back[shape];
        mesh.with(cabin(belt, f, r1, r2, b));
        double roofWidth = 0.70 * w;
        skin(
                mesh,
                new double[][][] {
                    roof(b, belt - 0.06, belt + 0.02, 0.84 * w, 0.8 * w),
                    roof(
                            0.65 * b + 0.35 * r2,
                            belt - 0.06,
                            belt + 0.52 * (h - belt),
                            0.88 * w,
                            0.78 * w),
                    roof(r2, belt - 0.06, h - 0.03, 0.91 * w, roofWidth),
                    roof(0.5 * (r1 + r2), belt - 0.06, h, 0.92 * w, roofWidth * 1.02),
                    roof(r1, belt - 0.06, h - 0.03, 0.91 * w, roofWidth),
                    roof(
                            0.5 * f + 0.5 * r1,
                            belt - 0.06,
                            belt + 0.55 * (h - belt),
                            0.88 * w,
                            0.77 * w),
                    roof(f, belt - 0.06, belt + 0.01, 0.84 * w, 0.8 * w),
                });
        mesh.with(Surface.plain(paint, 0.5));
        for (double y : new double[] {-w - 0.06, w + 0.06}) {
            Solids.ellipsoid(mesh, 6, f - 0.22, y, belt + 0.06, 0.06, 0.10, 0.07);
        }
    }

    private static double[][] roof(
            double x, double bottom, double top, double below, double above) {
        double round = Math.min(0.06, 0.3 * (top - bottom));
        double share = (top - round - bottom) / Math.max(1e-6, top - bottom);
        double y = below + (above - below) * share;
        return new double[][] {
            {x, below, bottom},
            {x, y, top - round},
            {x, above - round, top},
            {x, 0, top + 0.015},
            {x, -above + round, top},
            {x, -y, top - round},
            {x, -below, bottom},
        };
    }

    private boolean arch(float x, float z) {
        for (float wheel : wheels) {
            float dx = x - wheel;
            float dz = z - wheelRadius;
            float r = wheelRadius + 0.055f;
            if (dx * dx + dz * dz < r * r) {
                return true;
            }
        }
        return false;
    }

    private void painted(Sample s, Rgb colour, float x, float y, float z) {
        float mud = dirt * Math.max(0, 1 - z / 0.9f) * Noise.smooth(6 * x, 6 * z + 3 * y, seed);
        s.set(colour, 1 - 0.5f * mud, 0.55f * (1 - mud));
        s.r += mud * 0.05f;
        s.g += mud * 0.045f;
        s.b += mud * 0.035f;
    }

    private Surface body(double belt) {
        float l = (float) length / 2;
        float w = (float) width / 2;
        float bz = (float) belt;
        float door1 = 0.36f * l;
        float door2 = -0.12f * l;
        float door3 = -0.5f * l;
        return (x, y, z, s) -> {
            float side = Math.abs(y);
            if (arch(x, z) && side > 0.6f * w) {
                s.set(Rgb.grey(0.006), 1, 0);
                return true;
            }
            if (z < 0.27f) {
                s.set(Rgb.grey(0.02), 1, 0.05f);
                return true;
            }
            if (x > l - 0.28f && z < bz * 0.9f) {
                if (side > 0.5f * w && side < 0.9f * w && z > 0.56f * bz && z < 0.80f * bz) {
                    s.set(Rgb.grey(0.6), 1, 1);
                    s.glow = lit ? 14 : 0.25f;
                    return true;
                }
                if (x > l - 0.2f && side < 0.48f * w && z > 0.5f * bz && z < 0.72f * bz) {
                    boolean bar = (int) (z * 40) % 2 == 0;
                    s.set(Rgb.grey(bar ? 0.02 : 0.07), 1, 0.3f);
                    return true;
                }
                if (plate(y, z, 0.42f, s)) {
                    return true;
                }
            }
            if (x < -l + 0.26f) {
                if (side > 0.55f * w && z > 0.62f * bz && z < 0.92f * bz) {
                    s.set(new Rgb(0.45f, 0.015f, 0.015f), 1, 0.6f);
                    s.glow = lit ? 3 : 0;
                    return true;
                }
                if (plate(y, z, 0.62f * bz, s)) {
                    return true;
                }
            }
            boolean seam =
                    side > 0.8f * w
                            && z > 0.34f
                            && (Math.abs(x - door1) < 0.012f
                                    || Math.abs(x - door2) < 0.012f
                                    || (shape != 0 && Math.abs(x - door3) < 0.012f));
            if (seam) {
                s.set(paint, 0.25f, 0.1f);
                return true;
            }
            if (side > 0.8f * w
                    && Math.abs(z - 0.87f * bz) < 0.018f
                    && ((x - door2 > 0.06f && x - door2 < 0.24f)
                            || (x - door3 > 0.06f && x - door3 < 0.24f))) {
                s.set(paint, 0.4f, 0.4f);
                return true;
            }
            painted(s, paint, x, y, z);
            return true;
        };
    }

    private static boolean plate(float y, float z, float at, Sample s) {
        if (Math.abs(y) < 0.26f && z > at && z < at + 0.12f) {
            boolean letter =
                    z > at + 0.03f
                            && z < at + 0.09f
                            && Math.abs(y) < 0.22f
                            && Noise.at(Noise.floor(y * 32), 1, 9) > 0.4f;
            s.set(Rgb.grey(letter ? 0.03 : 0.7), 1, 0.1f);
            return true;
        }
        return false;
    }

    private Surface cabin(double belt, double f, double r1, double r2, double b) {
        float h = (float) height;
        float bz = (float) belt;
        float w = (float) width / 2;
        float front = (float) f;
        float roof1 = (float) r1;
        float roof2 = (float) r2;
        float back = (float) b;
        float post = (roof1 + roof2) / 2 + 0.15f;
        return (x, y, z, s) -> {
            float up = (z - bz) / (h - bz);
            boolean glazed = up > 0.05f && up < 0.86f;
            float side = Math.abs(y) / (0.9f * w - 0.2f * w * up);
            // Windscreen and rear window: where the roof's outline slopes.
            float slopeFront = front + (roof1 - front) * up;
            float slopeBack = back + (roof2 - back) * up;
            boolean ahead = x > slopeFront - 0.14f;
            boolean behind = x < slopeBack + 0.12f;
            boolean window;
            if (ahead || behind) {
                window = up > 0.04f && up < 0.95f && side < 0.86f;
            } else {
                boolean pillar =
                        Math.abs(x - post) < 0.045f
                                || x > slopeFront - 0.22f
                                || x < slopeBack + (shape >= 2 ? 0.2f : 0.3f)
                                || (shape >= 3 && Math.abs(x - (post + roof2) / 2 + 0.1f) < 0.04f);
                window = glazed && !pillar && side > 0.5f;
            }
            if (window) {
                float inside = Noise.smooth(4 * x, 5 * z + 3 * y, seed);
                s.set(glass, 0.5f + 1.6f * inside, 1);
                return true;
            }
            painted(s, paint, x, y, z);
            return true;
        };
    }

    private void bus(Mesh mesh) {
        double l = length / 2;
        double w = width / 2;
        double h = height;
        mesh.with(busSkin());
        skin(
                mesh,
                new double[][][] {
                    coach(-l, 0.4, h - 0.12, w - 0.08),
                    coach(-l + 0.12, 0.32, h, w),
                    coach(l - 0.22, 0.3, h, w),
                    coach(l - 0.05, 0.34, h - 0.12, w - 0.08),
                    coach(l, 0.4, h - 0.4, w - 0.16),
                });
        mesh.with(Surface.plain(Rgb.grey(0.02), 0.2));
        for (double y : new double[] {-w - 0.18, w + 0.18}) {
            Solids.box(mesh, l + 0.02, y - 0.08, h * 0.6, l + 0.12, y + 0.08, h * 0.74);
        }
        mesh.with(Surface.plain(Rgb.grey(0.5), 0.1));
        Solids.box(mesh, -0.4 * l, -0.7 * w, h, 0.1 * l, 0.7 * w, h + 0.18);
    }

    private static double[][] coach(double x, double bottom, double top, double w) {
        return new double[][] {
            {x, w - 0.03, bottom},
            {x, w, bottom + 0.1},
            {x, w - 0.01, top - 0.3},
            {x, w - 0.06, top - 0.08},
            {x, w - 0.2, top},
            {x, 0, top + 0.04},
            {x, -w + 0.2, top},
            {x, -w + 0.06, top - 0.08},
            {x, -w + 0.01, top - 0.3},
            {x, -w, bottom + 0.1},
            {x, -w + 0.03, bottom},
        };
    }

    private Surface busSkin() {
        float l = (float) length / 2;
        float w = (float) width / 2;
        float h = (float) height;
        boolean twoDecks = h > 3.8f;
        float deck = twoDecks ? 2.3f : h;
        float pitch = 1.25f + 0.4f * Noise.at(seed, 1, 1);
        float bottom = 1.05f + 0.2f * Noise.at(seed, 2, 1);
        boolean band = Noise.at(seed, 3, 1) < 0.5f;
        boolean advert = Noise.at(seed, 4, 1) < 0.4f;
        return (x, y, z, s) -> {
            float side = Math.abs(y);
            if (arch(x, z) && side > 0.8f * w) {
                s.set(Rgb.grey(0.006), 1, 0);
                return true;
            }
            if (z > h - 0.06f) {
                s.set(Rgb.grey(0.45), 1, 0.1f);
                return true;
            }
            if (x > l - 0.35f && side < w - 0.1f) {
                if (z > h - 0.42f && side < 0.75f * w) {
                    boolean text =
                            Noise.at(Noise.floor(y * 7), 2, seed) > 0.4f
                                    && z < h - 0.2f
                                    && z > h - 0.36f;
                    s.set(text ? new Rgb(0.9f, 0.5f, 0.1f) : Rgb.grey(0.01), 1, 0.4f);
                    s.glow = text ? lit ? 1.2f : 0.5f : 0;
                    return true;
                }
                if (z > 1.1f && z < h - 0.45f) {
                    s.set(glass, 1 + Noise.smooth(2 * y, 3 * z, seed), 1);
                    return true;
                }
                if (lamp(side, z, w, 0.62f, s, false) || plate(y, z, 0.5f, s)) {
                    return true;
                }
            }
            if (x < -l + 0.16f) {
                if (z > 1.5f && z < h - 0.5f && side < 0.8f * w) {
                    s.set(glass, 1, 1);
                    return true;
                }
                if (lamp(side, z, w, 0.95f, s, true) || plate(y, z, 0.6f, s)) {
                    return true;
                }
            }
            boolean row =
                    (z > bottom && z < deck - 0.55f) || (twoDecks && z > 2.55f && z < h - 0.5f);
            if (row && side > w - 0.25f && x < l - 0.3f && x > -l + 0.35f) {
                float cell = (x + 40) / pitch;
                float u = cell - Noise.floor(cell);
                if (u > 0.05f && u < 0.95f) {
                    float inside = Noise.smooth(2.5f * x, 4 * z, seed);
                    boolean seat = z < bottom + 0.45f && Math.abs(u - 0.5f) < 0.28f;
                    s.set(glass, seat ? 0.6f : 1 + 1.2f * inside, 1);
                    s.glow = lit ? 5 * interior : 0;
                    return true;
                }
                s.set(Rgb.grey(0.02), 1, 0.3f);
                return true;
            }
            boolean door =
                    y < 0
                            && side > w - 0.2f
                            && z > 0.4f
                            && z < deck - 0.4f
                            && ((x > l - 1.5f && x < l - 0.4f) || Math.abs(x) < 0.65f);
            if (door) {
                s.set(Math.abs(x % 0.6f) < 0.05f ? Rgb.grey(0.02) : glass, 1.4f, 0.9f);
                return true;
            }
            if (advert
                    && side > w - 0.1f
                    && z > 0.55f
                    && z < bottom - 0.05f
                    && x > -0.6f * l
                    && x < 0.5f * l) {
                s.set(
                        Rgb.srgb(LIVERIES[Math.floorMod(seed, LIVERIES.length)]),
                        0.6f + 0.6f * Noise.smooth(3 * x, 5 * z, seed),
                        0.2f);
                return true;
            }
            painted(s, band && z < bottom ? second : paint, x, y, z);
            return true;
        };
    }

    private boolean lamp(float side, float z, float w, float at, Sample s, boolean tail) {
        if (side > 0.62f * w && side < 0.92f * w && z > at && z < at + 0.24f) {
            s.set(tail ? new Rgb(0.45f, 0.015f, 0.015f) : Rgb.grey(0.6), 1, 0.8f);
            s.glow = !lit ? 0.2f : tail ? 3 : 14;
            return true;
        }
        return false;
    }

    private void truck(Mesh mesh) {
        double l = length / 2;
        double w = width / 2;
        if (shape == 3) {
            pickup(mesh);
            return;
        }
        double cabLength = 1.7 + 0.4 * Noise.at(seed, 5, 1);
        double cabHeight = Math.min(height - 0.2, 2.35 + 0.4 * Noise.at(seed, 6, 1));
        double cabBack = l - cabLength;
        mesh.with(cabSkin(cabBack, cabHeight));
        skin(
                mesh,
                new double[][][] {
                    coach(cabBack, 0.45, cabHeight, w - 0.1),
                    coach(cabBack + 0.5 * cabLength, 0.4, cabHeight, w - 0.06),
                    coach(l - 0.35, 0.38, cabHeight - 0.06, w - 0.06),
                    coach(l - 0.06, 0.42, 0.62 * cabHeight, w - 0.1),
                    coach(l, 0.5, 0.48 * cabHeight, w - 0.2),
                });
        mesh.with(Surface.plain(Rgb.grey(0.03), 0.1));
        Solids.box(mesh, -l, -0.4 * w, 0.55, cabBack, 0.4 * w, 0.85);
        Solids.box(mesh, -l, -0.9 * w, 0.45, -l + 0.12, 0.9 * w, 0.65);
        for (double y : new double[] {-w - 0.12, w + 0.12}) {
            Solids.box(mesh, l - 0.3, y - 0.07, 1.5, l - 0.2, y + 0.07, 2.0);
        }
        mesh.with(cargoSkin());
        double cargoFront = cabBack - 0.12;
        switch (shape) {
            case 1 -> {
                // A flat bed with low sides and a load.
                Solids.box(mesh, -l, -w, 0.95, cargoFront, w, 1.5);
                mesh.with(Surface.cloth(Rgb.srgb(0x8A7452), seed));
                Solids.ellipsoid(
                        mesh,
                        12,
                        (cargoFront - l) / 2,
                        0,
                        1.45,
                        0.42 * (cargoFront + l),
                        0.85 * w,
                        0.5);
            }
            case 2 -> {
                // A tank, or a mixer's drum.
                double[][] rings = new double[6][];
                double[] share = {0, 0.04, 0.3, 0.7, 0.96, 1};
                double[] round = {0.7, 0.97, 1, 1, 0.97, 0.7};
                for (int i = 0; i < 6; i++) {
                    double x = -l + share[i] * (cargoFront + l);
                    rings[i] =
                            new double[] {
                                x,
                                0,
                                0.9 + 0.95 * w,
                                0,
                                round[i] * 0.95 * w,
                                0,
                                0,
                                0,
                                round[i] * 0.9 * w
                            };
                }
                Solids.loft(mesh, 14, rings);
            }
            default -> Solids.box(mesh, -l, -w, 0.95, cargoFront, w, height);
        }
    }

    private Surface cargoSkin() {
        int kind = Math.floorMod(seed, 4);
        float l = (float) length / 2;
        float w = (float) width / 2;
        float h = (float) height;
        return (x, y, z, s) -> {
            if (x < -l + 0.02f) {
                if (Math.abs(y) > 0.7f * w && z < 1.2f) {
                    s.set(new Rgb(0.45f, 0.015f, 0.015f), 1, 0.6f);
                    s.glow = lit ? 3 : 0;
                    return true;
                }
                if (Math.abs(y) < 0.02f) {
                    s.set(Rgb.grey(0.05), 1, 0.1f);
                    return true;
                }
            }
            float wave = 1;
            if (kind == 0) {
                wave = 0.85f + 0.15f * Noise.smooth(9 * x, 0.6f * z, seed);
            } else if (kind == 1) {
                float u = x * 3 - Noise.floor(x * 3);
                wave = u < 0.15f ? 0.7f : 1;
            }
            boolean logo =
                    kind != 0
                            && Math.abs(x + 0.15f * l) < 0.4f * l
                            && z > 0.55f * h
                            && z < 0.78f * h
                            && Math.abs(y) > 0.9f * w;
            if (logo && Noise.at(Noise.floor(x * 3.5f), Noise.floor(z * 1.2f), seed) > 0.35f) {
                s.set(Rgb.srgb(LIVERIES[Math.floorMod(seed / 7, LIVERIES.length)]), 0.8f, 0.15f);
                return true;
            }
            float mud = dirt * Noise.smooth(3 * x + y, 2 * z, seed);
            s.set(second, wave * (1 - 0.6f * mud), kind == 0 ? 0.08f : 0.2f);
            return true;
        };
    }

    private Surface cabSkin(double cabBack, double cabHeight) {
        float l = (float) length / 2;
        float w = (float) width / 2;
        float h = (float) cabHeight;
        float back = (float) cabBack;
        return (x, y, z, s) -> {
            float side = Math.abs(y);
            if (arch(x, z) && side > 0.7f * w) {
                s.set(Rgb.grey(0.006), 1, 0);
                return true;
            }
            boolean ahead = x > l - 0.42f && side < w - 0.16f;
            boolean screen = ahead && z > 0.56f * h && z < 0.9f * h;
            boolean beside = !ahead && side > w - 0.2f && z > 0.58f * h && z < 0.86f * h;
            if (screen || (beside && x > back + 0.5f && x < l - 0.45f)) {
                s.set(glass, 1 + Noise.smooth(2 * y, 3 * z + x, seed), 1);
                return true;
            }
            if (x > l - 0.3f) {
                if (lamp(side, z, w, 0.6f, s, false) || plate(y, z, 0.52f, s)) {
                    return true;
                }
                if (side < 0.55f * w && z > 0.8f && z < 0.5f * h) {
                    s.set(Rgb.grey((int) (z * 14) % 2 == 0 ? 0.015 : 0.06), 1, 0.3f);
                    return true;
                }
            }
            if (z < 0.6f) {
                s.set(Rgb.grey(0.03), 1, 0.1f);
                return true;
            }
            painted(s, paint, x, y, z);
            return true;
        };
    }

    private void pickup(Mesh mesh) {
        double l = length / 2;
        double w = width / 2;
        double belt = 1.08;
        double h = height;
        mesh.with(body(belt));
        skin(
                mesh,
                new double[][][] {
                    section(-l, 0.45, belt, 0.9 * w, 0.95 * w, 0.94 * w),
                    section(-l + 0.1, 0.34, belt, 0.95 * w, w, 0.95 * w),
                    section(0, 0.3, belt, 0.96 * w, w, 0.95 * w),
                    section(0.5 * l, 0.3, belt, 0.95 * w, w, 0.9 * w),
                    section(l - 0.3, 0.32, belt * 0.96, 0.95 * w, 0.97 * w, 0.86 * w),
                    section(l, 0.4, belt * 0.85, 0.85 * w, 0.88 * w, 0.76 * w),
                });
        mesh.with(Surface.plain(Rgb.grey(0.015), 0.1));
        Solids.box(mesh, -l + 0.12, -0.82 * w, belt - 0.1, -0.16 * l, 0.82 * w, belt + 0.03);
        double f = 0.46 * l;
        double r1 = 0.2 * l;
        double r2 = -0.12 * l;
        double b = -0.17 * l;
        mesh.with(cabin(belt, f, r1, r2, b));
        skin(
                mesh,
                new double[][][] {
                    roof(b, belt - 0.06, belt + 0.05, 0.88 * w, 0.84 * w),
                    roof(r2, belt - 0.06, h - 0.03, 0.91 * w, 0.72 * w),
                    roof(0.5 * (r1 + r2), belt - 0.06, h, 0.92 * w, 0.74 * w),
                    roof(r1, belt - 0.06, h - 0.03, 0.91 * w, 0.72 * w),
                    roof(f, belt - 0.06, belt + 0.01, 0.86 * w, 0.82 * w),
                });
    }

    private void wheels(Mesh mesh) {
        float r = wheelRadius;
        double w = width / 2;
        for (float at : wheels) {
            float cx = at;
            mesh.with(
                    (x, y, z, s) -> {
                        float dx = x - cx;
                        float dz = z - r;
                        float d = (dx * dx + dz * dz) / (r * r);
                        if (d < 0.42f) {
                            boolean hole =
                                    d > 0.06f
                                            && d < 0.34f
                                            && Noise.smooth(dx * 14 / r, dz * 14 / r, seed) < 0.4f;
                            s.set(hole ? Rgb.grey(0.02) : rim, 1, 0.35f);
                        } else {
                            s.set(Rgb.grey(0.014), 1, 0.02f);
                        }
                        return true;
                    });
            double wide = objectClass == ObjectClass.CAR ? 0.22 : 0.3;
            for (double y : new double[] {w - wide / 2 + 0.015, -w + wide / 2 - 0.015}) {
                Solids.wheel(mesh, 14, at, y, r, r, wide);
            }
        }
    }
}

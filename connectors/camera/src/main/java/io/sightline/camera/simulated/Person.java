// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.SplittableRandom;

/** How one person is built and dressed, and their body in a pose. */
final class Person {

    /** What a person does with the body; angles in radians, of the gait's cycle for walking. */
    enum Pose {
        WALK,
        STAND,
        CYCLE,
        MOTORCYCLE
    }

    private static final int[] SKINS = {
        0xF1C9A5, 0xE0AC87, 0xD39972, 0xC68642, 0x8D5524, 0x5C3A21, 0xE8B796, 0xB97A56
    };
    private static final int[] HAIRS = {
        0x1A1512, 0x2C1F17, 0x4A3220, 0x6E4B2A, 0xA9855A, 0x8C8C88, 0x0E0C0B, 0x3A2A1D
    };
    private static final int[] TOPS = {
        0x16181C, 0x22252B, 0x34383F, 0x2B3A55, 0x1E2A44, 0x5A5F66, 0x8E9297, 0xD9D9D6, 0xF2F1EC,
        0x7A1F24, 0xB03A2E, 0x2F5D3A, 0x4D5A3C, 0x6B4F3A, 0xC2A878, 0x3E6FA3, 0x8FB4D9, 0xD98C9A,
        0xE0B93B, 0x5B3A6E, 0xC9CDD2, 0x101114, 0x49515C, 0xE7E3D8, 0xD4572A
    };
    private static final int[] BOTTOMS = {
        0x1D2330, 0x26334D, 0x3B4F73, 0x5C7396, 0x14151A, 0x1E1F22, 0x2B2B2E, 0x4A4640, 0x857963,
        0xB9AE97, 0x55585C, 0x8A8D91, 0x3A3F2F
    };
    private static final int[] SHOES = {0x121212, 0x1E1A18, 0x3B2A1E, 0xD8D8D4, 0x55565A, 0xF0EFEA};

    final double height;
    private final double girth;
    private final double shoulders;
    private final double hips;
    private final boolean shorts;
    private final boolean bareArms;
    private final boolean coat;
    private final boolean skirt;
    private final int hairStyle;
    private final boolean backpack;
    private final boolean sideBag;
    private final boolean helmet;
    private final boolean umbrella;
    private final int standing;
    private final double restless;
    private final Surface top;
    private final Surface bottom;
    private final Surface skin;
    private final Surface shoe;
    private final Surface hair;
    private final Surface bag;
    private final Surface helmetSurface;
    private final Surface umbrellaSurface;
    private final Surface head;
    private double headX;
    private double headAtZ;

    Person(SplittableRandom random, boolean withUmbrella, boolean withHelmet) {
        boolean child = random.nextDouble() < 0.07;
        boolean slight = random.nextDouble() < 0.48;
        double h = (slight ? 1.66 : 1.78) + 0.07 * gaussian(random);
        height = child ? 1.05 + 0.4 * random.nextDouble() : h;
        girth = 0.92 + 0.34 * random.nextDouble() * random.nextDouble() + (slight ? -0.04 : 0.04);
        shoulders = height * (slight ? 0.112 : 0.128) * (0.96 + 0.08 * random.nextDouble());
        hips = height * (slight ? 0.100 : 0.094) * girth;
        double season = random.nextDouble();
        shorts = season < 0.18;
        bareArms = season < 0.42;
        coat = season > 0.74;
        skirt = slight && random.nextDouble() < 0.22;
        hairStyle = slight ? 1 + random.nextInt(3) : random.nextInt(9) == 0 ? 4 : random.nextInt(2);
        backpack = random.nextDouble() < 0.22;
        sideBag = !backpack && random.nextDouble() < 0.28;
        helmet = withHelmet;
        umbrella = withUmbrella;
        standing = random.nextInt(5);
        restless = random.nextDouble() * 6.28;
        int seed = random.nextInt(1 << 20);
        Rgb skinColour = pick(random, SKINS);
        Rgb topColour = jitter(pick(random, TOPS), random);
        Rgb bottomColour = jitter(pick(random, BOTTOMS), random);
        skin = Surface.plain(skinColour, 0.05);
        top = top(random, topColour, seed);
        bottom = Surface.cloth(bottomColour, seed + 5);
        shoe = Surface.plain(pick(random, SHOES), 0.1);
        Rgb hairColour = pick(random, HAIRS);
        hair = Surface.plain(hairColour, 0.08);
        bag = Surface.cloth(jitter(pick(random, TOPS), random), seed + 9);
        helmetSurface = Surface.plain(pick(random, TOPS), 0.6);
        umbrellaSurface = Surface.cloth(pick(random, TOPS).mix(Rgb.grey(0.05), 0.3), seed + 3);
        head = head(skinColour, hairColour);
    }

    private static double gaussian(SplittableRandom random) {
        double sum = 0;
        for (int i = 0; i < 6; i++) {
            sum += random.nextDouble();
        }
        return (sum - 3) * 1.41;
    }

    private static Rgb pick(SplittableRandom random, int[] colours) {
        return Rgb.srgb(colours[random.nextInt(colours.length)]);
    }

    private static Rgb jitter(Rgb colour, SplittableRandom random) {
        double f = 0.8 + 0.4 * random.nextDouble();
        return new Rgb(
                (float) Math.min(0.9, colour.r() * f * (0.9 + 0.2 * random.nextDouble())),
                (float) Math.min(0.9, colour.g() * f * (0.9 + 0.2 * random.nextDouble())),
                (float) Math.min(0.9, colour.b() * f * (0.9 + 0.2 * random.nextDouble())));
    }

    private Surface top(SplittableRandom random, Rgb colour, int seed) {
        Surface cloth = Surface.cloth(colour, seed);
        Rgb second = jitter(pick(random, TOPS), random);
        Surface other = Surface.cloth(second, seed + 2);
        double kind = random.nextDouble();
        float h = (float) height;
        if (kind < 0.12) {
            float period = 0.05f + 0.05f * (float) random.nextDouble();
            return (x, y, z, s) ->
                    (z / period - Noise.floor(z / period) < 0.5f ? cloth : other).at(x, y, z, s);
        }
        if (kind < 0.26) {
            // An open jacket over something else.
            return (x, y, z, s) ->
                    (x > 0.02f * h && Math.abs(y) < 0.022f * h + 0.03f * (z - 0.55f * h)
                                    ? other
                                    : cloth)
                            .at(x, y, z, s);
        }
        if (kind < 0.38) {
            // A print on the chest, or a number on the back.
            return (x, y, z, s) ->
                    (Math.abs(y) < 0.06f * h
                                            && z > 0.64f * h
                                            && z < 0.74f * h
                                            && Noise.at(
                                                            Noise.floor(y * 40),
                                                            Noise.floor(z * 40),
                                                            seed)
                                                    > 0.4f
                                    ? other
                                    : cloth)
                            .at(x, y, z, s);
        }
        if (kind < 0.46) {
            return (x, y, z, s) -> (z > 0.7f * h ? cloth : other).at(x, y, z, s);
        }
        return cloth;
    }

    private Surface head(Rgb skinColour, Rgb hairColour) {
        float r = (float) (0.066 * height);
        return (x, y, z, s) -> {
            float u = (x - (float) headX) / r;
            float w = (z - (float) headAtZ) / r;
            float v = y / r;
            boolean hairy = hairStyle != 4 && (w > 0.55f + 0.25f * u || (u < -0.25f && w > -0.55f));
            if (hairy) {
                s.set(hairColour, 0.8f + 0.4f * Noise.smooth(20 * v, 20 * w, 3), 0.08f);
                return true;
            }
            float f = 1;
            if (u > 0.3f) {
                float eye = Math.abs(Math.abs(v) - 0.36f);
                if (eye < 0.2f && w > 0.02f && w < 0.22f) {
                    f = 0.4f;
                } else if (Math.abs(v) < 0.26f && w > -0.52f && w < -0.42f) {
                    f = 0.6f;
                }
            }
            s.set(skinColour, f, 0.06f);
            return true;
        };
    }

    /** Metres on the ground for one full cycle of the gait. */
    double stride() {
        return 0.82 * height;
    }

    /**
     * Adds the body to the mesh, standing at the origin, facing along x.
     *
     * @param phase of the gait or the pedals, radians
     * @param speed metres per second, for the length of the steps
     */
    void build(Mesh mesh, int sides, Pose pose, double phase, double speed) {
        double h = height;
        double thigh = 0.245 * h;
        double shin = 0.246 * h;
        double hipZ = 0.53 * h;
        double pelvisX = 0;
        double lean = 0.03;
        double[][] knees = new double[2][];
        double[][] ankles = new double[2][];
        double[][] toes = new double[2][];
        double hipY = 0.05 * h;
        if (pose == Pose.WALK || pose == Pose.STAND) {
            boolean walking = pose == Pose.WALK;
            double pace = walking ? Math.min(1.7, speed / 1.35) : 0;
            boolean running = speed > 2.2;
            lean = running ? 0.16 : 0.03 + 0.02 * pace;
            double lowest = 0;
            double[] thighAngle = new double[2];
            double[] kneeAngle = new double[2];
            for (int side = 0; side < 2; side++) {
                double p = phase + side * StrictMath.PI;
                double swing = 0.40 * Math.sqrt(pace) * (running ? 1.35 : 1);
                thighAngle[side] =
                        walking ? swing * StrictMath.sin(p) + 0.05 : 0.02 * (1 - 2 * side);
                double lift = Math.max(0, StrictMath.cos(p + 0.5));
                kneeAngle[side] =
                        walking ? 0.07 + (running ? 1.5 : 0.95) * lift * lift * pace : 0.03;
                double drop =
                        thigh * StrictMath.cos(thighAngle[side])
                                + shin * StrictMath.cos(thighAngle[side] - kneeAngle[side]);
                lowest = Math.max(lowest, drop);
            }
            hipZ = lowest + 0.04 * h;
            double spread = walking ? hipY : hipY * (1.0 + 0.4 * (standing % 3));
            for (int side = 0; side < 2; side++) {
                double y = side == 0 ? hipY : -hipY;
                double footY = side == 0 ? spread : -spread;
                double a = thighAngle[side];
                double b = a - kneeAngle[side];
                knees[side] =
                        new double[] {
                            thigh * StrictMath.sin(a),
                            0.5 * (y + footY),
                            hipZ - thigh * StrictMath.cos(a)
                        };
                ankles[side] =
                        new double[] {
                            knees[side][0] + shin * StrictMath.sin(b),
                            footY,
                            knees[side][2] - shin * StrictMath.cos(b)
                        };
                double pitch = b < 0 ? 0.9 * b : 0.5 * b;
                double turnOut = walking ? 0.1 : 0.35;
                double l = 0.105 * h;
                toes[side] =
                        new double[] {
                            ankles[side][0] + l * StrictMath.cos(pitch),
                            footY + (side == 0 ? 1 : -1) * l * turnOut,
                            Math.max(
                                    0.018 * h,
                                    ankles[side][2] - 0.02 * h + l * StrictMath.sin(pitch))
                        };
            }
        } else {
            boolean bicycle = pose == Pose.CYCLE;
            hipZ = bicycle ? 0.96 : 0.84;
            pelvisX = bicycle ? -0.16 : -0.18;
            lean = bicycle ? 0.42 : 0.2;
            for (int side = 0; side < 2; side++) {
                double p = phase + side * StrictMath.PI;
                double y = (side == 0 ? 1 : -1) * (bicycle ? 0.09 : 0.2);
                ankles[side] =
                        bicycle
                                ? new double[] {
                                    0.17 * StrictMath.cos(p) - 0.03,
                                    y,
                                    0.36 + 0.17 * StrictMath.sin(p)
                                }
                                : new double[] {0.06, y, 0.34};
                double[] hip = {pelvisX, Math.signum(y) * hipY, hipZ};
                knees[side] =
                        joint(
                                hip,
                                ankles[side],
                                thigh,
                                shin,
                                1,
                                bicycle ? 0 : 0.35 * Math.signum(y));
                toes[side] =
                        new double[] {ankles[side][0] + 0.1 * h, y * 1.1, ankles[side][2] - 0.03};
            }
        }
        legs(mesh, sides, pelvisX, hipY, hipZ, knees, ankles, toes);
        double torso = 0.285 * h;
        double neckX = pelvisX + torso * StrictMath.sin(lean);
        double shoulderZ = hipZ + torso * StrictMath.cos(lean);
        torso(mesh, sides, pelvisX, hipZ, neckX, shoulderZ);
        arms(mesh, sides, pose, phase, speed, neckX, shoulderZ);
        neckAndHead(mesh, sides, neckX, shoulderZ, lean);
        if (backpack && pose != Pose.MOTORCYCLE) {
            double bx = 0.5 * (pelvisX + neckX) - 0.115 * h;
            mesh.with(bag);
            Solids.ellipsoid(mesh, sides, bx, 0, hipZ + 0.16 * h, 0.065 * h, 0.085 * h, 0.135 * h);
        }
        if (sideBag && pose != Pose.MOTORCYCLE) {
            double side = standing % 2 == 0 ? 1 : -1;
            double by = side * (hips + 0.055 * h);
            mesh.with(bag);
            Solids.box(
                    mesh,
                    pelvisX - 0.08 * h,
                    by - 0.03 * h,
                    hipZ - 0.12 * h,
                    pelvisX + 0.08 * h,
                    by + 0.03 * h,
                    hipZ + 0.04 * h);
        }
        if (umbrella && (pose == Pose.WALK || pose == Pose.STAND)) {
            // An umbrella is no part of the person who holds it.
            mesh.part(1);
            umbrella(mesh, sides);
            mesh.part(0);
        }
    }

    /** The joint between two bones that reach from one point to another. */
    private static double[] joint(
            double[] p, double[] q, double l1, double l2, double bendX, double bendY) {
        double dx = q[0] - p[0];
        double dy = q[1] - p[1];
        double dz = q[2] - p[2];
        double d2 = dx * dx + dy * dy + dz * dz;
        double d = Math.sqrt(d2);
        double along = d >= l1 + l2 ? d * l1 / (l1 + l2) : (d2 + l1 * l1 - l2 * l2) / (2 * d);
        double off = Math.sqrt(Math.max(0, l1 * l1 - along * along));
        dx /= d;
        dy /= d;
        dz /= d;
        // The bend's direction, made perpendicular to the line between the ends.
        double bz = 0.15;
        double dot = bendX * dx + bendY * dy + bz * dz;
        double ex = bendX - dot * dx;
        double ey = bendY - dot * dy;
        double ez = bz - dot * dz;
        double l = Math.sqrt(ex * ex + ey * ey + ez * ez);
        return new double[] {
            p[0] + along * dx + off * ex / l,
            p[1] + along * dy + off * ey / l,
            p[2] + along * dz + off * ez / l
        };
    }

    private void legs(
            Mesh mesh,
            int sides,
            double pelvisX,
            double hipY,
            double hipZ,
            double[][] knees,
            double[][] ankles,
            double[][] toes) {
        double h = height;
        double loose = shorts || skirt ? 0.9 : 1.08;
        for (int side = 0; side < 2; side++) {
            double y = side == 0 ? hipY : -hipY;
            double[] hip = {pelvisX, y, hipZ};
            mesh.with(skirt ? skin : bottom);
            Solids.limb(
                    mesh, sides, hip, 0.052 * h * girth, knees[side], 0.036 * h * loose * girth);
            mesh.with(skirt || shorts ? skin : bottom);
            Solids.limb(
                    mesh, sides, knees[side], 0.033 * h * loose, ankles[side], 0.024 * h * loose);
            mesh.with(shoe);
            double[] heel = {
                ankles[side][0] - 0.018 * h, ankles[side][1], ankles[side][2] - 0.014 * h
            };
            Solids.limb(mesh, Math.min(6, sides), heel, 0.026 * h, toes[side], 0.02 * h);
        }
        if (skirt) {
            mesh.with(bottom);
            double spreadX = 0.5 * Math.abs(ankles[0][0] - ankles[1][0]);
            Solids.loft(
                    mesh,
                    sides,
                    new double[][] {
                        Solids.ring(
                                pelvisX, 0, hipZ - 0.2 * h, 0.09 * h + 0.5 * spreadX, hips * 1.25),
                        Solids.ring(pelvisX, 0, hipZ - 0.02 * h, 0.075 * h, hips * 1.08),
                        Solids.ring(pelvisX, 0, hipZ + 0.06 * h, 0.05 * h, hips * 0.8),
                    });
        }
    }

    private void torso(
            Mesh mesh, int sides, double pelvisX, double hipZ, double neckX, double shoulderZ) {
        double h = height;
        double thick = coat ? 1.18 : 1.0;
        double depth = 0.062 * h * girth * thick;
        double dz = shoulderZ - hipZ;
        double dx = neckX - pelvisX;
        mesh.with(top);
        double[][] rings = new double[coat ? 9 : 8][];
        int i = 0;
        if (coat) {
            rings[i++] = Solids.ring(pelvisX, 0, hipZ - 0.16 * h, 0.085 * h * girth, hips * 1.22);
        }
        rings[i++] = Solids.ring(pelvisX, 0, hipZ - 0.05 * h, depth * 1.08, hips * 1.08 * thick);
        rings[i++] = Solids.ring(pelvisX, 0, hipZ + 0.03 * h, depth * 1.02, hips * 1.02 * thick);
        rings[i++] =
                Solids.ring(
                        pelvisX + 0.35 * dx, 0, hipZ + 0.36 * dz, depth * 0.95, hips * 0.9 * thick);
        rings[i++] =
                Solids.ring(
                        pelvisX + 0.72 * dx,
                        0,
                        hipZ + 0.70 * dz,
                        depth * 1.12,
                        0.95 * shoulders * thick);
        rings[i++] =
                Solids.ring(
                        pelvisX + 0.9 * dx, 0, hipZ + 0.9 * dz, depth, 1.04 * shoulders * thick);
        rings[i++] = Solids.ring(neckX, 0, shoulderZ + 0.01 * h, depth * 0.7, 0.82 * shoulders);
        rings[i++] = Solids.ring(neckX, 0, shoulderZ + 0.028 * h, depth * 0.5, 0.45 * shoulders);
        rings[i] = Solids.ring(neckX, 0, shoulderZ + 0.04 * h, 0.03 * h, 0.034 * h);
        Solids.loft(mesh, sides, rings);
    }

    private void arms(
            Mesh mesh,
            int sides,
            Pose pose,
            double phase,
            double speed,
            double neckX,
            double shoulderZ) {
        double h = height;
        double upper = 0.172 * h;
        double fore = 0.150 * h;
        double thick = coat ? 1.2 : 1.0;
        for (int side = 0; side < 2; side++) {
            double sign = side == 0 ? 1 : -1;
            double[] shoulder = {neckX, sign * shoulders * 1.0, shoulderZ - 0.022 * h};
            double[] elbow;
            double[] wrist;
            if (pose == Pose.CYCLE || pose == Pose.MOTORCYCLE) {
                boolean bicycle = pose == Pose.CYCLE;
                wrist =
                        bicycle
                                ? new double[] {0.42, sign * 0.25, 1.04}
                                : new double[] {0.42, sign * 0.32, 1.04};
                elbow = joint(shoulder, wrist, upper, fore * 1.1, -0.2, sign * 0.7);
            } else {
                double swing;
                double bend;
                double out = 0.10;
                if (pose == Pose.WALK) {
                    double pace = Math.min(1.6, speed / 1.35);
                    swing = -0.42 * pace * StrictMath.sin(phase + side * StrictMath.PI);
                    bend = speed > 2.2 ? 1.5 : 0.22 + 0.25 * Math.max(0, swing);
                } else {
                    swing = 0.05 * StrictMath.sin(phase * 0.3 + restless);
                    bend = 0.15;
                }
                boolean holds =
                        (umbrella && side == 0)
                                || (pose == Pose.STAND
                                        && (standing == 1 || (standing == 3 && side == 0)))
                                || (pose == Pose.WALK && standing == 4 && side == 1);
                if (holds) {
                    swing = 0.25;
                    bend = 1.75;
                    out = 0.05;
                }
                double[] hand = new double[3];
                elbow =
                        new double[] {
                            shoulder[0] + upper * StrictMath.sin(swing),
                            shoulder[1] + sign * upper * out,
                            shoulder[2] - upper * StrictMath.cos(swing)
                        };
                double f = swing + bend;
                hand[0] = elbow[0] + fore * StrictMath.sin(f);
                hand[1] = elbow[1] - (holds ? sign * 0.05 * h : 0);
                hand[2] = elbow[2] - fore * StrictMath.cos(f);
                wrist = hand;
            }
            mesh.with(top);
            Solids.limb(mesh, sides, shoulder, 0.034 * h * thick, elbow, 0.026 * h * thick);
            mesh.with(bareArms ? skin : top);
            Solids.limb(mesh, sides, elbow, 0.024 * h * thick, wrist, 0.018 * h * thick);
            mesh.with(skin);
            double dx = wrist[0] - elbow[0];
            double dy = wrist[1] - elbow[1];
            double dz = wrist[2] - elbow[2];
            double[] fingers = {wrist[0] + 0.3 * dx, wrist[1] + 0.3 * dy, wrist[2] + 0.3 * dz};
            Solids.limb(mesh, Math.min(6, sides), wrist, 0.016 * h, fingers, 0.016 * h);
        }
    }

    private void neckAndHead(Mesh mesh, int sides, double neckX, double shoulderZ, double lean) {
        double h = height;
        double forward = 0.01 * h + 0.05 * h * lean;
        double bigger = h < 1.5 ? 1.0 + 0.35 * (1.5 - h) : 1;
        double r = 0.066 * h * bigger;
        headX = neckX + forward;
        headAtZ = shoulderZ + 0.045 * h + r;
        mesh.with(skin);
        Solids.limb(
                mesh,
                Math.min(8, sides),
                new double[] {neckX, 0, shoulderZ + 0.01 * h},
                0.034 * h,
                new double[] {headX, 0, headAtZ - 0.4 * r},
                0.032 * h);
        mesh.with(head);
        Solids.ellipsoid(mesh, Math.max(8, sides), headX, 0, headAtZ, r * 0.82, r * 0.70, r);
        if (helmet) {
            mesh.with(helmetSurface);
            Solids.ellipsoid(
                    mesh,
                    sides,
                    headX - 0.12 * r,
                    0,
                    headAtZ + 0.22 * r,
                    r * 1.02,
                    r * 0.92,
                    r * 0.9);
            return;
        }
        mesh.with(hair);
        if (hairStyle == 1 || hairStyle == 2) {
            Solids.ellipsoid(
                    mesh,
                    sides,
                    headX - 0.16 * r,
                    0,
                    headAtZ + 0.2 * r,
                    r * 0.8,
                    r * 0.78,
                    r * 0.9);
        }
        if (hairStyle == 2) {
            Solids.ellipsoid(
                    mesh,
                    sides,
                    headX - 0.5 * r,
                    0,
                    headAtZ - 0.7 * r,
                    r * 0.45,
                    r * 0.72,
                    r * 1.1);
        }
        if (hairStyle == 3) {
            Solids.ellipsoid(
                    mesh,
                    sides,
                    headX - 0.95 * r,
                    0,
                    headAtZ + 0.2 * r,
                    r * 0.35,
                    r * 0.3,
                    r * 0.35);
        }
    }

    private void umbrella(Mesh mesh, int sides) {
        double z = height + 0.12;
        mesh.with(umbrellaSurface);
        Solids.loft(
                mesh,
                Math.max(8, sides),
                new double[][] {
                    Solids.ring(0.12, 0.1, z, 0.5, 0.5),
                    Solids.ring(0.12, 0.1, z + 0.12, 0.42, 0.42),
                    Solids.ring(0.12, 0.1, z + 0.22, 0.22, 0.22),
                    Solids.ring(0.12, 0.1, z + 0.26, 0.02, 0.02),
                });
        Solids.tube(
                mesh,
                5,
                new double[] {0.12, 0.1, z + 0.2},
                new double[] {0.14, 0.12, z - 0.75},
                0.01);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.SplittableRandom;

/** Ground, walls and sky: what never moves and hides nothing. Drawn once, one ray a pixel. */
final class Backdrop {

    final View view;
    final Lighting lighting;
    final boolean hall;
    final boolean wet;
    final boolean night;
    final int seed;

    final double roadFrom;
    final double roadTo;
    final double kerb;
    final double edgeNear;
    final double edgeFar;
    final double wallNear;
    final double wallFar;
    final double endWall;
    final Rgb haze;
    final double hazeLength;

    private final Rgb road;
    private final Rgb paving;
    private final Rgb grass = Rgb.srgb(0x5E6B3A);
    private final int pavingStyle;
    private final double paverSize;
    private final int lanes;
    private final double zebra;
    private final boolean greenFar;
    private final double[] buildingEnd = new double[64];
    private final Rgb[] buildingColour = new Rgb[64];
    private final double[] buildingHeight = new double[64];
    private final Rgb skyLow;
    private final Rgb skyHigh;
    private final double ceiling;

    private float r;
    private float g;
    private float b;

    Backdrop(
            View view,
            Lighting lighting,
            SceneSettings settings,
            SplittableRandom random,
            double roadFrom,
            double roadTo,
            double edgeNear,
            double edgeFar,
            double wallNear,
            double wallFar,
            double endWall,
            int lanes,
            double zebra) {
        this.view = view;
        this.lighting = lighting;
        this.hall = settings.place() == Place.HALL;
        this.wet = settings.rain();
        this.night = settings.light() != Light.DAY;
        this.seed = random.nextInt(1 << 20);
        this.roadFrom = roadFrom;
        this.roadTo = roadTo;
        this.kerb = 0.16;
        this.edgeNear = edgeNear;
        this.edgeFar = edgeFar;
        this.wallNear = wallNear;
        this.wallFar = wallFar;
        this.endWall = endWall;
        this.lanes = lanes;
        this.zebra = zebra;
        double asphalt = 0.07 + 0.13 * random.nextDouble();
        road =
                new Rgb(
                        (float) asphalt,
                        (float) asphalt,
                        (float) (asphalt * (0.95 + 0.1 * random.nextDouble())));
        int[] pavings = {0x9A958C, 0xA8A39A, 0x8C8C8C, 0xB5AA9A, 0xA08878, 0x7F7F7C, 0xC0BBB0};
        int[] floors = {
            0xD8D4CA, 0xC9C5BD, 0xB9B2A6, 0xA7A9AA, 0xE0DED8, 0x8E8A84, 0xC4AE90, 0x6E6A66
        };
        int[] choice = hall ? floors : pavings;
        paving =
                Rgb.srgb(choice[random.nextInt(choice.length)])
                        .times(0.75 + 0.35 * random.nextDouble());
        pavingStyle = random.nextInt(4);
        paverSize = hall ? 0.4 + 0.6 * random.nextDouble() : 0.3 + 0.5 * random.nextDouble();
        greenFar = random.nextDouble() < 0.35;
        ceiling = 3.6 + view.z;
        int[] walls = {
            0xC9B79C, 0xB5533C, 0xD8D2C4, 0x9C8B78, 0xA7A39B, 0xE3DCC8, 0x8A5A44, 0x7D7F82,
            0xC98F6B, 0xB8C0C2, 0xEDE9DF, 0x5E6468
        };
        double at = -160;
        for (int i = 0; i < buildingEnd.length; i++) {
            at += 6 + 14 * random.nextDouble();
            buildingEnd[i] = at;
            buildingColour[i] =
                    Rgb.srgb(walls[random.nextInt(walls.length)])
                            .times(0.7 + 0.4 * random.nextDouble());
            buildingHeight[i] = 6 + 14 * random.nextDouble();
        }
        boolean clear = lighting.sun.g() > 0.4;
        Rgb sky = lighting.sky;
        skyLow = sky.times(1.5).mix(Rgb.grey(sky.g() * 1.6), 0.7);
        skyHigh = clear ? new Rgb(0.25f, 0.45f, 0.85f).times(sky.g() * 1.6) : sky.times(1.3);
        haze = skyLow;
        hazeLength = wet ? 260 : 350 + 900 * random.nextDouble();
    }

    /** The part of what comes from so far away that is the air's own light. */
    double hazeAt(double distance) {
        return hall ? 0 : 1 - StrictMath.exp(-distance / hazeLength);
    }

    void draw(float[] red, float[] green, float[] blue) {
        for (int py = 0; py < view.height; py++) {
            for (int px = 0; px < view.width; px++) {
                pixel(px + 0.5 - view.centreX, py + 0.5 - view.centreY);
                int i = py * view.width + px;
                red[i] = r;
                green[i] = g;
                blue[i] = b;
            }
        }
    }

    private void pixel(double sx, double sy) {
        double dx = view.rayX(sx, sy);
        double dy = view.rayY(sx, sy);
        double dz = view.rayZ(sy);
        double best = dz < -1e-9 ? -view.z / dz : Double.POSITIVE_INFINITY;
        int hit = best < 1e6 ? 0 : -1;
        double wall = dy > 0 ? (wallFar - view.y) / dy : dy < 0 ? (wallNear - view.y) / dy : -1;
        if (wall > 0 && wall < best) {
            double x = view.x + wall * dx;
            double z = view.z + wall * dz;
            if (z < topAt(x, dy > 0)) {
                best = wall;
                hit = dy > 0 ? 1 : 2;
            }
        }
        if (hall) {
            double end = dx > 0 ? (endWall - view.x) / dx : dx < 0 ? (-endWall - view.x) / dx : -1;
            if (end > 0 && end < best) {
                best = end;
                hit = 3;
            }
            double up = dz > 1e-9 ? (ceiling - view.z) / dz : -1;
            if (up > 0 && up < best) {
                best = up;
                hit = 4;
            }
        }
        if (hit < 0) {
            sky(dx, dy, dz);
            return;
        }
        double x = view.x + best * dx;
        double y = view.y + best * dy;
        double z = view.z + best * dz;
        double length = Math.sqrt(dx * dx + dy * dy + dz * dz);
        float f = (float) best;
        switch (hit) {
            case 0 -> ground((float) x, (float) y, f, (float) (best * length / Math.max(1, -dz)));
            case 1, 2 -> wall((float) x, (float) z, f, hit == 1);
            case 3 -> wall((float) (y + 40), (float) z, f, false);
            default -> ceiling((float) x, (float) y, f);
        }
        float far = (float) hazeAt(best * view.focal);
        r += (haze.r() - r) * far;
        g += (haze.g() - g) * far;
        b += (haze.b() - b) * far;
    }

    private double topAt(double x, boolean far) {
        if (hall) {
            return ceiling;
        }
        if (far && greenFar) {
            float u = (float) x;
            return 4
                    + 3 * Noise.smooth(u * 0.11f, 3, seed)
                    + 1.4 * Noise.smooth(u * 0.45f, 4, seed)
                    + 0.7 * Noise.smooth(u * 1.3f, 5, seed)
                    + 0.4 * Noise.smooth(u * 4.1f, 6, seed);
        }
        return buildingHeight[building(x)];
    }

    private int building(double x) {
        int i = 0;
        while (i < buildingEnd.length - 1 && x > buildingEnd[i]) {
            i++;
        }
        return i;
    }

    private void sky(double dx, double dy, double dz) {
        double flat = Math.sqrt(dx * dx + dy * dy);
        double up = Math.max(0, dz / flat);
        double azimuth = StrictMath.atan2(dy, dx);
        float cloud =
                Noise.smooth((float) (azimuth * 5), (float) (up * 9), seed) * 0.6f
                        + Noise.smooth((float) (azimuth * 13), (float) (up * 21), seed + 1) * 0.4f;
        double mix = Math.min(1, 1.6 * up) * (1 - 0.7 * cloud);
        Rgb c = skyLow.mix(skyHigh, mix);
        double skyline =
                0.02
                        + 0.05 * Noise.smooth((float) (azimuth * 9), 1, seed + 2)
                        + 0.015 * Noise.smooth((float) (azimuth * 60), 1, seed + 3);
        if (dz / flat < skyline) {
            float n =
                    0.5f
                            + 0.5f
                                    * Noise.smooth(
                                            (float) (azimuth * 120),
                                            (float) (dz / flat * 160),
                                            seed);
            c = c.mix(new Rgb(0.10f, 0.12f, 0.09f).times(lighting.sky.g() * n), 0.75);
        }
        r = c.r();
        g = c.g();
        b = c.b();
    }

    private static float band(float x, float from, float to, float soft) {
        float a = (x - from) / soft + 0.5f;
        float c = (to - x) / soft + 0.5f;
        a = a < 0 ? 0 : a > 1 ? 1 : a;
        c = c < 0 ? 0 : c > 1 ? 1 : c;
        return a * c;
    }

    private void colour(Rgb c, float f) {
        r = c.r() * f;
        g = c.g() * f;
        b = c.b() * f;
    }

    private void over(Rgb c, float part) {
        r += (c.r() - r) * part;
        g += (c.g() - g) * part;
        b += (c.b() - b) * part;
    }

    private float grain(float x, float y, float size, float foot, int layer) {
        float fade = size / (foot + 1e-6f);
        if (fade < 0.5f) {
            return 0.5f;
        }
        float n = Noise.smooth(x / size, y / size, seed + layer);
        return fade < 1.5f ? 0.5f + (n - 0.5f) * (fade - 0.5f) : n;
    }

    private void ground(float x, float y, float across, float along) {
        float foot = Math.max(across, 0.5f * along);
        float large = grain(x, y, 2.7f, foot, 1) * 0.6f + grain(x, y, 0.7f, foot, 2) * 0.4f;
        float fine = grain(x, y, 0.06f, foot, 3) * 0.5f + grain(x, y, 0.18f, foot, 4) * 0.5f;
        boolean onRoad = !hall && y > roadFrom && y < roadTo;
        if (onRoad) {
            colour(road, 0.72f + 0.34f * large + 0.26f * (fine - 0.5f) * 2 * 0.6f);
            marks(x, y, foot);
            float crack = grain(x, y, 1.3f, foot, 6);
            if (crack > 0.49f && crack < 0.505f) {
                over(Rgb.grey(0.02), 0.5f);
            }
        } else if (!hall && (y < edgeNear || y > edgeFar)) {
            float tuft = grain(x, y, 0.12f, foot, 8);
            colour(grass, 0.5f + 0.5f * large + 0.5f * tuft);
        } else {
            paving(x, y, foot, large, fine);
        }
        if (!hall) {
            float k = (float) kerb;
            float edge =
                    band(y, (float) roadFrom - k, (float) roadFrom, foot)
                            + band(y, (float) roadTo, (float) roadTo + k, foot);
            over(Rgb.grey(0.30).times(0.8 + 0.3 * fine), Math.min(1, edge));
            float gutter =
                    band(y, (float) roadFrom, (float) roadFrom + 0.1f, foot)
                            + band(y, (float) roadTo - 0.1f, (float) roadTo, foot);
            over(Rgb.grey(0.03), 0.6f * Math.min(1, gutter));
        }
        Rgb light = lighting.ambient(x, y);
        float sun = (float) lighting.sunZ;
        float dark = wet ? 0.6f : 1;
        float lr = light.r() + sun * lighting.sun.r();
        float lg = light.g() + sun * lighting.sun.g();
        float lb = light.b() + sun * lighting.sun.b();
        r *= lr * dark;
        g *= lg * dark;
        b *= lb * dark;
        if (wet || hall) {
            // Grazing light is mirrored: the sky's in puddles, the lamps' on a polished floor.
            float grazing = Math.min(1, across / Math.max(1e-6f, along) * 1.6f);
            float puddle = wet ? Math.max(0, grain(x, y, 1.9f, foot, 9) - 0.35f) * 1.2f : 0.25f;
            float mirror = (1 - grazing) * (1 - grazing) * puddle;
            over(skyLow.times(0.8), Math.min(0.6f, mirror));
        }
    }

    private void paving(float x, float y, float foot, float large, float fine) {
        float s = (float) paverSize;
        colour(paving, 0.8f + 0.25f * large + 0.2f * (fine - 0.5f));
        float tall = pavingStyle == 1 ? s / 2 : s;
        int row = Noise.floor(y / tall);
        float shift = pavingStyle == 1 || pavingStyle == 2 ? row % 2 * 0.5f * s : 0;
        float u = (x + shift) / s;
        float v = y / tall;
        float visible = Math.min(1, 0.5f * tall / foot);
        float tone = Noise.at(Noise.floor(u), row, seed + 11);
        float part =
                hall && pavingStyle == 3
                        ? 0.3f * (Noise.floor(u) + row & 1)
                        : 0.16f * (tone - 0.5f);
        float f = 1 + visible * part;
        r *= f;
        g *= f;
        b *= f;
        float soft = foot;
        float du = (u - Noise.floor(u)) * s;
        float dv = (v - row) * tall;
        float gap = hall ? 0.008f : 0.014f;
        float joint =
                Math.max(band(du, 0, gap, soft), band(dv, 0, gap, soft)) * Math.min(1, gap / soft);
        over(Rgb.grey(hall ? 0.1 : 0.06), 0.8f * joint);
    }

    private void marks(float x, float y, float foot) {
        Rgb white = Rgb.grey(0.55);
        float width = (float) (roadTo - roadFrom);
        float wear = 0.55f + 0.45f * grain(x, y, 0.5f, foot, 12);
        for (int lane = 1; lane < lanes; lane++) {
            float at = (float) roadFrom + width * lane / lanes;
            boolean centre = 2 * lane == lanes;
            float dash = x / 6;
            float on = centre ? 1 : band((dash - Noise.floor(dash)) * 6, 0, 3, foot);
            over(white, wear * on * band(y, at - 0.07f, at + 0.07f, foot));
        }
        if (!Double.isNaN(zebra)) {
            float across = band(x, (float) zebra - 1.8f, (float) zebra + 1.8f, foot);
            float cell = (y - (float) roadFrom) / 1.0f;
            over(white, wear * across * band(cell - Noise.floor(cell), 0.25f, 0.75f, foot));
        }
    }

    private void wall(float x, float z, float foot, boolean far) {
        if (hall) {
            hallWall(x, z, foot);
            return;
        }
        float facing = far ? (float) -lighting.sunY : (float) lighting.sunY;
        float sun = Math.max(0, facing);
        if (far && greenFar) {
            // Crowns: lit from above, dark between them and below.
            float crown = grain(x, z * 1.3f, 2.3f, foot, 20);
            float n =
                    0.4f * grain(x, z, 0.25f, foot, 21)
                            + 0.35f * grain(x, z, 0.7f, foot, 22)
                            + 0.25f * grain(x, z, 0.1f, foot, 23);
            float trunk = z < 1.6f ? 0.45f + 0.3f * z : 1;
            colour(Rgb.srgb(0x4E5F33), (0.35f + 0.9f * crown) * (0.2f + 1.5f * n) * trunk);
            light(sun * 0.7f, x, far);
            return;
        }
        int i = building(x);
        float u0 = (float) (i == 0 ? -160 : buildingEnd[i - 1]);
        float u = x - u0;
        float width = (float) buildingEnd[i] - u0;
        Rgb c = buildingColour[i];
        float stain =
                0.5f * grain(x, z, 1.6f, foot, 24) + 0.5f * grain(x, z * 0.3f, 0.3f, foot, 25);
        colour(c, 0.75f + 0.4f * stain);
        if (Noise.at(i, 7, seed) < 0.4f) {
            float row = z / 0.075f;
            over(
                    c.times(0.6),
                    0.4f
                            * band(row - Noise.floor(row), 0, 0.16f, foot / 0.075f)
                            * Math.min(1, 0.03f / foot));
        }
        float glow = 0;
        float storey = 2.9f + 0.6f * Noise.at(i, 1, seed);
        float shop = 3.4f;
        boolean isShop = Noise.at(i, 2, seed) < 0.65f;
        if (z < shop && isShop) {
            glow = shopFront(i, u, width, z, foot);
        } else {
            float level = (z - (isShop ? shop : 0.6f)) / storey;
            int floor = Noise.floor(level);
            float pitch = 1.8f + 1.6f * Noise.at(i, 3, seed);
            int columns = Math.max(1, Math.round(width / pitch));
            float cell = u / width * columns;
            int column = Noise.floor(cell);
            float cu = (cell - column) * width / columns;
            float cw = width / columns;
            float cv = (level - floor) * storey;
            float half = cw * (0.24f + 0.14f * Noise.at(i, 4, seed));
            float bottom = 0.75f;
            float top = bottom + 1.3f + 0.4f * Noise.at(i, 5, seed);
            if (level >= 0) {
                float frame =
                        band(cu, cw / 2 - half - 0.08f, cw / 2 + half + 0.08f, foot)
                                * band(cv, bottom - 0.1f, top + 0.08f, foot);
                over(Noise.at(i, 6, seed) < 0.6f ? Rgb.grey(0.55) : c.times(0.5), frame);
                float pane =
                        band(cu, cw / 2 - half, cw / 2 + half, foot) * band(cv, bottom, top, foot);
                pane *= 1 - 0.9f * band(cu, cw / 2 - 0.03f, cw / 2 + 0.03f, foot);
                float reflect = grain(x * 0.7f, z * 0.5f + 9, 0.8f, foot, 26);
                over(new Rgb(0.03f, 0.035f, 0.045f).times(1 + 3 * reflect), pane);
                float lit = Noise.at(column + 31 * i, floor, seed + 2);
                if (lit < 0.25f) {
                    over(
                            Rgb.srgb(0xC9BFA8).times(0.5),
                            0.7f * pane * band(cv, bottom, top - 0.9f * lit, foot));
                }
                if (night && lit > 0.7f) {
                    glow = pane * (0.4f + lit);
                }
            }
        }
        // What a bright window adds is light of its own, not of the street.
        float base = light(sun * 0.8f, x, far);
        r += glow * 0.55f * Math.max(0.1f, base);
        g += glow * 0.42f * Math.max(0.1f, base);
        b += glow * 0.22f * Math.max(0.1f, base);
    }

    private float shopFront(int i, float u, float width, float z, float foot) {
        float glow = 0;
        int[] signs = {
            0x9E1B1B, 0x12406E, 0x1D5B34, 0x202020, 0xD8A513, 0xE8E6E0, 0x6B2C73, 0xC65A12
        };
        Rgb sign = Rgb.srgb(signs[Noise.hash(i, 11, seed) & 7]);
        over(Rgb.grey(0.12), 0.5f);
        int panes = Math.max(2, Math.round(width / 2.4f));
        float cell = u / width * panes;
        int p = Noise.floor(cell);
        float cu = cell - p;
        float soft = foot * panes / width;
        boolean door = Noise.at(i, p, seed + 5) < 0.25f;
        float pane = band(cu, 0.05f, 0.95f, soft) * band(z, door ? 0.08f : 0.5f, 2.6f, foot);
        float goods =
                0.6f * grain(u, z * 1.6f, 0.8f, foot, 31) + 0.4f * grain(u, z, 0.22f, foot, 32);
        Rgb inside =
                new Rgb(0.05f, 0.05f, 0.06f)
                        .mix(Rgb.srgb(signs[Noise.hash(i, p, 77) & 7]), 0.5 * goods);
        over(inside.times(0.25 + 0.8 * goods), pane);
        if (night) {
            glow += 0.8f * pane * (0.5f + goods);
        }
        float band = band(z, 2.72f, 3.25f, foot) * band(u, 0.3f, width - 0.3f, foot);
        over(sign, band);
        float letter = u / 0.34f;
        float ink =
                band(z, 2.82f, 3.14f, foot)
                        * (Noise.at(Noise.floor(letter), i, seed + 8) > 0.35f ? 1 : 0)
                        * (Noise.at(Noise.floor(u / 0.08f), Noise.floor(z / 0.1f), seed) > 0.35f
                                ? 1
                                : 0)
                        * band(u, 0.25f * width, 0.75f * width, foot);
        over(sign.g() > 0.3f ? Rgb.grey(0.03) : Rgb.grey(0.7), ink);
        if (night) {
            glow += 0.4f * band;
        }
        return glow;
    }

    private void hallWall(float x, float z, float foot) {
        Rgb c = paving.mix(Rgb.grey(0.6), 0.6);
        float n = grain(x, z, 1.2f, foot, 41);
        colour(c, 0.85f + 0.2f * n);
        int panel = Noise.floor(x / 3.2f);
        float u = x - panel * 3.2f;
        float kind = Noise.at(panel, 3, seed);
        if (kind < 0.35f) {
            float pane = band(u, 0.15f, 3.05f, foot) * band(z, 0.1f, 2.7f, foot);
            float goods = grain(x, z, 0.4f, foot, 42);
            over(new Rgb(0.10f, 0.10f, 0.11f).times(0.4 + 2.5 * goods), pane);
            over(Rgb.srgb(0x30343A), band(u, 1.57f, 1.63f, foot) * pane);
        } else if (kind < 0.6f) {
            float poster = band(u, 0.8f, 2.2f, foot) * band(z, 0.9f, 2.8f, foot);
            int[] inks = {0xB03A2E, 0x2E6DA4, 0xE0B93B, 0x2F5D3A, 0xEDEAE2, 0x5B3A6E};
            Rgb ink = Rgb.srgb(inks[Noise.hash(panel, 1, seed) % 3 + 3 & 3]);
            over(ink.times(0.5 + grain(x, z, 0.3f, foot, 43)), poster);
        } else if (kind < 0.7f) {
            over(Rgb.srgb(0x5A4636), band(u, 1, 2.1f, foot) * band(z, 0, 2.2f, foot));
        }
        over(Rgb.grey(0.08), band(z, 0, 0.12f, foot));
        over(Rgb.grey(0.25), band(z, 3.05f, 3.2f, foot));
        light(0, x, true);
    }

    private void ceiling(float x, float y, float foot) {
        colour(Rgb.grey(0.5), 0.9f);
        float u = x / 3;
        float v = y / 2;
        float lamp =
                band(u - Noise.floor(u), 0.3f, 0.7f, foot / 3)
                        * band(v - Noise.floor(v), 0.42f, 0.58f, foot / 2);
        light(0, x, true);
        float tile = y / 0.6f;
        over(Rgb.grey(0.1), 0.5f * band(tile - Noise.floor(tile), 0, 0.05f, foot / 0.6f));
        r += 2.2f * lamp;
        g += 2.2f * lamp;
        b += 2.1f * lamp;
    }

    private float light(float sun, float x, boolean far) {
        Rgb sky = lighting.ambient(x, far ? wallFar - 1 : wallNear + 1);
        r *= 0.62f * sky.r() + sun * lighting.sun.r();
        g *= 0.62f * sky.g() + sun * lighting.sun.g();
        b *= 0.62f * sky.b() + sun * lighting.sun.b();
        return sky.g();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.SplittableRandom;

/** What the camera makes of the light: exposure, tone, noise, rain on the way. */
final class Grading {

    private static final int TONES = 4096;
    private static final int TILE = 1 << 16;

    private final SceneSettings settings;
    private final byte[] noise = new byte[TILE];
    private final float[] toneR = new float[TONES + 1];
    private final float[] toneG = new float[TONES + 1];
    private final float[] toneB = new float[TONES + 1];
    private final float range;
    private final float noiseLevel;
    private final float vignette;
    private final int seed;

    /** The part of its light that a pixel gives to each neighbour in a row or a column. */
    private final float blur;

    private final float[] line;

    Grading(SceneSettings settings, SplittableRandom random) {
        this.settings = settings;
        this.seed = random.nextInt();
        boolean night = settings.light() == Light.NIGHT;
        boolean dusk = settings.light() == Light.DUSK;
        double exposure = (night ? 2.1 : dusk ? 1.7 : 1.0) * (0.8 + 0.5 * random.nextDouble());
        this.range = (float) (4 / exposure);
        double contrast = 0.85 + 0.35 * random.nextDouble();
        double lift = 0.03 * random.nextDouble();
        double[] cast = {0.95 + 0.1 * random.nextDouble(), 1, 0.95 + 0.1 * random.nextDouble()};
        for (int i = 0; i <= TONES; i++) {
            double v = (double) i / TONES * range * exposure;
            toneR[i] = tone(v * cast[0], contrast, lift);
            toneG[i] = tone(v, contrast, lift);
            toneB[i] = tone(v * cast[2], contrast, lift);
        }
        this.noiseLevel =
                (float) ((night ? 5 : dusk ? 3 : 1.5) * (0.4 + 1.2 * random.nextDouble()));
        this.vignette = (float) (0.25 * random.nextDouble());
        this.blur = (float) (random.nextDouble() < 0.3 ? 0 : 0.15 * random.nextDouble());
        this.line = new float[Math.max(settings.width(), settings.height())];
        for (int i = 0; i < TILE; i++) {
            double sum =
                    random.nextDouble()
                            + random.nextDouble()
                            + random.nextDouble()
                            + random.nextDouble();
            noise[i] = (byte) Math.rint((sum - 2) * 1.73 * 32);
        }
    }

    /** An S-shaped curve and the display's gamma, to 0..255. */
    private static float tone(double v, double contrast, double lift) {
        double x = 1 - StrictMath.exp(-1.35 * v);
        double g = StrictMath.pow(x, 1 / 2.2);
        double s = g * g * (3 - 2 * g);
        double mixed = g + (s - g) * (contrast - 0.6);
        return (float) (255 * (lift + (1 - lift) * mixed));
    }

    void develop(float[] red, float[] green, float[] blue, double seconds, byte[] bgr) {
        if (settings.rain()) {
            streaks(red, green, blue, seconds);
        }
        if (blur > 0) {
            soften(red);
            soften(green);
            soften(blue);
        }
        int w = settings.width();
        int h = settings.height();
        float scale = TONES / range;
        int frame = (int) Math.rint(seconds * 1000);
        float n = noiseLevel / 32f;
        for (int y = 0; y < h; y++) {
            float vy = (2f * y / h - 1) * (2f * y / h - 1);
            int row = Noise.hash(y, frame, seed) & (TILE - 1);
            for (int x = 0; x < w; x++) {
                int i = y * w + x;
                float vx = 2f * x / w - 1;
                float f = scale * (1 - vignette * 0.5f * (vx * vx + vy));
                int at = row + x;
                float r = toneR[index(red[i] * f)] + n * noise[at & (TILE - 1)];
                float g = toneG[index(green[i] * f)] + n * noise[(at + 20011) & (TILE - 1)];
                float b = toneB[index(blue[i] * f)] + n * noise[(at + 40009) & (TILE - 1)];
                bgr[3 * i] = clamp(b);
                bgr[3 * i + 1] = clamp(g);
                bgr[3 * i + 2] = clamp(r);
            }
        }
    }

    /** What the lens spreads over neighbouring pixels, in rows and then in columns. */
    private void soften(float[] plane) {
        int w = settings.width();
        int h = settings.height();
        float stay = 1 - 2 * blur;
        for (int y = 0; y < h; y++) {
            int row = y * w;
            float before = plane[row];
            for (int x = 0; x < w; x++) {
                float here = plane[row + x];
                float after = x + 1 < w ? plane[row + x + 1] : here;
                plane[row + x] = stay * here + blur * (before + after);
                before = here;
            }
        }
        System.arraycopy(plane, 0, line, 0, w);
        for (int y = 0; y < h; y++) {
            int row = y * w;
            int next = y + 1 < h ? row + w : row;
            for (int x = 0; x < w; x++) {
                float here = plane[row + x];
                plane[row + x] = stay * here + blur * (line[x] + plane[next + x]);
                line[x] = here;
            }
        }
    }

    /** Drops near the camera, drawn out by their fall. */
    private void streaks(float[] red, float[] green, float[] blue, double seconds) {
        int w = settings.width();
        int h = settings.height();
        int frame = (int) Math.rint(seconds * 1000);
        float level = 0.10f * range / 4;
        int drops = 160 + (seed & 255);
        for (int i = 0; i < drops; i++) {
            float x = Noise.at(i, frame, seed + 1) * w;
            int y = (int) (Noise.at(i, frame, seed + 2) * h);
            float near = Noise.at(i, frame, seed + 3);
            int length = (int) (h * (0.015f + 0.05f * near * near));
            float slant = 0.12f * (Noise.at(1, 1, seed) - 0.5f);
            for (int k = 0; k < length && y + k < h; k++) {
                int at = (y + k) * w + Math.min(w - 1, Math.max(0, (int) (x + slant * k)));
                red[at] += level;
                green[at] += level;
                blue[at] += level;
            }
        }
    }

    private static int index(float v) {
        return v <= 0 ? 0 : v >= TONES ? TONES : (int) v;
    }

    private static byte clamp(float v) {
        return (byte) (v <= 0 ? 0 : v >= 255 ? 255 : (int) (v + 0.5f));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.Arrays;

/** Draws meshes into layers, several samples a pixel, with a depth buffer. */
final class Raster {

    /** A pixel of which less is covered does not count as seen. */
    private static final float SEEN = 0.3f;

    private static final int MAX_SAMPLES = 1 << 22;
    private static final float NEAR = 0.25f;

    private final View view;
    private final Lighting lighting;
    private final Sample sample = new Sample();

    private float[] sx = new float[1024];
    private float[] sy = new float[1024];
    private float[] iz = new float[1024];
    private float[] sunlit = new float[1024];
    private float[] skylit = new float[1024];
    private float[] shine = new float[1024];
    private float[] wx = new float[1024];
    private float[] wy = new float[1024];
    private float[] wz = new float[1024];

    private float[] depth = new float[0];
    private float[] red = new float[0];
    private float[] green = new float[0];
    private float[] blue = new float[0];
    private byte[] part = new byte[0];

    private double minX;
    private double minY;
    private double maxX;
    private double maxY;
    private final double[] partBox = new double[8];

    private Rgb ambient = Rgb.grey(0);
    private float haze;
    private Rgb hazeColour = Rgb.grey(0);

    private int gridWidth;
    private int gridHeight;
    private int scale;

    Raster(View view, Lighting lighting) {
        this.view = view;
        this.lighting = lighting;
    }

    /** Of the part drawn last: left, top, right and bottom edge on an endless picture. */
    double extent(int ofPart, int side) {
        return partBox[4 * ofPart + side];
    }

    /**
     * Draws a body that stands at a point of the ground.
     *
     * @return false where nothing of it is near the picture
     */
    boolean draw(
            Mesh mesh,
            double x,
            double y,
            double z,
            double heading,
            Rgb hazy,
            double hazePart,
            Layer layer) {
        if (!project(mesh, x, y, z, heading)) {
            return false;
        }
        int marginX = view.width / 2;
        int marginY = view.height / 2;
        int left = Math.max(-marginX, (int) Math.floor(minX) - 1);
        int top = Math.max(-marginY, (int) Math.floor(minY) - 1);
        int right = Math.min(view.width + marginX, (int) Math.ceil(maxX) + 1);
        int bottom = Math.min(view.height + marginY, (int) Math.ceil(maxY) + 1);
        if (right <= left
                || bottom <= top
                || left >= view.width
                || right <= 0
                || top >= view.height
                || bottom <= 0) {
            return false;
        }
        int width = right - left;
        int height = bottom - top;
        scale = height < 60 ? 4 : height < 160 ? 3 : 2;
        while (scale > 1 && (long) width * height * scale * scale > MAX_SAMPLES) {
            scale--;
        }
        ambient = lighting.ambient(x, y);
        hazeColour = hazy;
        haze = (float) hazePart;
        rasterise(mesh, left, top, width, height);
        layer.resize(left, top, width, height);
        resolve(layer);
        return true;
    }

    private boolean project(Mesh mesh, double x, double y, double z, double heading) {
        int n = mesh.vertices;
        reserve(n);
        float cos = (float) StrictMath.cos(heading);
        float sin = (float) StrictMath.sin(heading);
        minX = minY = Double.POSITIVE_INFINITY;
        maxX = maxY = Double.NEGATIVE_INFINITY;
        boolean any = false;
        boolean behind = false;
        for (int v = 0; v < n; v++) {
            float vx = mesh.x[v];
            float vy = mesh.y[v];
            double px = x + vx * cos - vy * sin;
            double py = y + vx * sin + vy * cos;
            double pz = z + mesh.z[v];
            double d = view.depth(px, py, pz);
            wx[v] = (float) px;
            wy[v] = (float) py;
            wz[v] = (float) pz;
            if (d < NEAR) {
                iz[v] = -1;
                behind = true;
                light(v, mesh.nx[v], mesh.ny[v], mesh.nz[v], cos, sin);
                continue;
            }
            any = true;
            iz[v] = (float) (1 / d);
            double screenX = view.screenX(px, py, d);
            double screenY = view.screenY(px, py, pz, d);
            sx[v] = (float) screenX;
            sy[v] = (float) screenY;
            minX = Math.min(minX, screenX);
            maxX = Math.max(maxX, screenX);
            minY = Math.min(minY, screenY);
            maxY = Math.max(maxY, screenY);
            light(v, mesh.nx[v], mesh.ny[v], mesh.nz[v], cos, sin);
        }
        if (behind) {
            // What reaches past the camera reaches past the picture.
            minX = minY = -1e6;
            maxX = maxY = 1e6;
        }
        return any;
    }

    private void reserve(int n) {
        if (sx.length < n) {
            int size = n + n / 2;
            sx = Arrays.copyOf(sx, size);
            sy = Arrays.copyOf(sy, size);
            iz = Arrays.copyOf(iz, size);
            sunlit = Arrays.copyOf(sunlit, size);
            skylit = Arrays.copyOf(skylit, size);
            shine = Arrays.copyOf(shine, size);
            wx = Arrays.copyOf(wx, size);
            wy = Arrays.copyOf(wy, size);
            wz = Arrays.copyOf(wz, size);
        }
    }

    private void light(int v, float lx, float ly, float nz, float cos, float sin) {
        float nx = lx * cos - ly * sin;
        float ny = lx * sin + ly * cos;
        double ex = wx[v] - view.x;
        double ey = wy[v] - view.y;
        double ez = wz[v] - view.z;
        double scaleE = 1 / Math.sqrt(ex * ex + ey * ey + ez * ez);
        ex *= scaleE;
        ey *= scaleE;
        ez *= scaleE;
        double facing = ex * nx + ey * ny + ez * nz;
        double dot = nx * lighting.sunX + ny * lighting.sunY + nz * lighting.sunZ;
        sunlit[v] = (float) Math.max(0, dot);
        // The ground is darker than the sky, and what is near it sees less sky.
        double open = 0.75 + 0.25 * Math.min(1, wz[v] / 1.2);
        skylit[v] = (float) ((0.60 + 0.40 * nz) * open);
        // Under a body there is no sky to mirror.
        double lowered = Math.min(1, Math.max(0, wz[v] - 0.15) / 0.5);
        double mirrorZ = ez - 2 * facing * nz;
        double fresnel = 1 + Math.min(0, facing);
        fresnel = 0.06 + 0.75 * fresnel * fresnel * fresnel * fresnel;
        double skyBright =
                mirrorZ > 0.35 ? 1.25 - 0.5 * mirrorZ : Math.max(0.1, 0.25 + 2.4 * mirrorZ);
        double mirrorSun =
                (ex - 2 * facing * nx) * lighting.sunX
                        + (ey - 2 * facing * ny) * lighting.sunY
                        + mirrorZ * lighting.sunZ;
        double glint = 0;
        if (mirrorSun > 0.8) {
            double m = mirrorSun * mirrorSun;
            m *= m;
            m *= m;
            m *= m;
            glint = 3 * m * m * lighting.sun.g();
        }
        shine[v] = (float) (fresnel * skyBright * lowered + glint);
    }

    private void rasterise(Mesh mesh, int left, int top, int width, int height) {
        gridWidth = width * scale;
        gridHeight = height * scale;
        int size = gridWidth * gridHeight;
        if (depth.length < size) {
            int room = size + size / 4;
            depth = new float[room];
            red = new float[room];
            green = new float[room];
            blue = new float[room];
            part = new byte[room];
        }
        Arrays.fill(depth, 0, size, 0);
        for (int i = 0; i < 2; i++) {
            partBox[4 * i] = partBox[4 * i + 1] = Double.POSITIVE_INFINITY;
            partBox[4 * i + 2] = partBox[4 * i + 3] = Double.NEGATIVE_INFINITY;
        }
        for (int t = 0; t < mesh.triangles; t++) {
            int i = mesh.a[t];
            int j = mesh.b[t];
            int k = mesh.c[t];
            if (iz[i] < 0 || iz[j] < 0 || iz[k] < 0) {
                clip(mesh, t, left, top);
                continue;
            }
            extend(mesh.part[t], i);
            extend(mesh.part[t], j);
            extend(mesh.part[t], k);
            triangle(mesh, t, i, j, k, left, top);
        }
    }

    /** Draws the part of a triangle that lies before the camera. */
    private void clip(Mesh mesh, int t, int left, int top) {
        int[] corner = {mesh.a[t], mesh.b[t], mesh.c[t]};
        int[] kept = new int[4];
        int n = 0;
        for (int e = 0; e < 3; e++) {
            int p = corner[e];
            int q = corner[(e + 1) % 3];
            if (iz[p] > 0) {
                kept[n++] = p;
            }
            if (iz[p] > 0 != iz[q] > 0) {
                kept[n++] = between(mesh, p, q);
            }
        }
        for (int i = 0; i < n; i++) {
            extend(mesh.part[t], kept[i]);
        }
        for (int i = 2; i < n; i++) {
            triangle(mesh, t, kept[0], kept[i - 1], kept[i], left, top);
        }
    }

    /** A new vertex where the line between two crosses the nearest depth that is drawn. */
    private int between(Mesh mesh, int p, int q) {
        double dp = view.depth(wx[p], wy[p], wz[p]);
        double dq = view.depth(wx[q], wy[q], wz[q]);
        float share = (float) ((1.01 * NEAR - dp) / (dq - dp));
        int v =
                mesh.vertex(
                        mix(mesh.x[p], mesh.x[q], share),
                        mix(mesh.y[p], mesh.y[q], share),
                        mix(mesh.z[p], mesh.z[q], share));
        reserve(v + 1);
        wx[v] = mix(wx[p], wx[q], share);
        wy[v] = mix(wy[p], wy[q], share);
        wz[v] = mix(wz[p], wz[q], share);
        int lit = iz[p] > 0 ? p : q;
        sunlit[v] = sunlit[lit];
        skylit[v] = skylit[lit];
        shine[v] = shine[lit];
        double d = view.depth(wx[v], wy[v], wz[v]);
        iz[v] = (float) (1 / d);
        sx[v] = (float) view.screenX(wx[v], wy[v], d);
        sy[v] = (float) view.screenY(wx[v], wy[v], wz[v], d);
        return v;
    }

    private static float mix(float p, float q, float share) {
        return p + (q - p) * share;
    }

    private void extend(int toPart, int v) {
        int p = 4 * toPart;
        partBox[p] = Math.min(partBox[p], sx[v]);
        partBox[p + 1] = Math.min(partBox[p + 1], sy[v]);
        partBox[p + 2] = Math.max(partBox[p + 2], sx[v]);
        partBox[p + 3] = Math.max(partBox[p + 3], sy[v]);
    }

    private void triangle(Mesh mesh, int t, int i, int j, int k, int left, int top) {
        float ax = (sx[i] - left) * scale;
        float ay = (sy[i] - top) * scale;
        float bx = (sx[j] - left) * scale;
        float by = (sy[j] - top) * scale;
        float cx = (sx[k] - left) * scale;
        float cy = (sy[k] - top) * scale;
        float area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
        // Counter-clockwise seen from outside is clockwise on a picture whose y points down.
        if (area >= -1e-6f) {
            return;
        }
        int x0 = Math.max(0, (int) Math.ceil(Math.min(ax, Math.min(bx, cx)) - 0.5f));
        int x1 = Math.min(gridWidth - 1, (int) Math.floor(Math.max(ax, Math.max(bx, cx)) - 0.5f));
        int y0 = Math.max(0, (int) Math.ceil(Math.min(ay, Math.min(by, cy)) - 0.5f));
        int y1 = Math.min(gridHeight - 1, (int) Math.floor(Math.max(ay, Math.max(by, cy)) - 0.5f));
        if (x0 > x1 || y0 > y1) {
            return;
        }
        float inverse = 1 / area;
        float stepB = (cy - ay) * inverse;
        float stepC = -(by - ay) * inverse;
        Surface surface = mesh.surface[t];
        byte id = mesh.part[t];
        for (int y = y0; y <= y1; y++) {
            float py = y + 0.5f - ay;
            float px = x0 + 0.5f - ax;
            float wb = (px * (cy - ay) - py * (cx - ax)) * inverse;
            float wc = (py * (bx - ax) - px * (by - ay)) * inverse;
            int at = y * gridWidth + x0;
            for (int x = x0; x <= x1; x++, at++, wb += stepB, wc += stepC) {
                float wa = 1 - wb - wc;
                if (wa < 0 || wb < 0 || wc < 0) {
                    continue;
                }
                float inverseDepth = wa * iz[i] + wb * iz[j] + wc * iz[k];
                if (inverseDepth <= depth[at]) {
                    continue;
                }
                float d = 1 / inverseDepth;
                float pa = wa * iz[i] * d;
                float pb = wb * iz[j] * d;
                float pc = wc * iz[k] * d;
                if (!surface.at(
                        pa * mesh.x[i] + pb * mesh.x[j] + pc * mesh.x[k],
                        pa * mesh.y[i] + pb * mesh.y[j] + pc * mesh.y[k],
                        pa * mesh.z[i] + pb * mesh.z[j] + pc * mesh.z[k],
                        sample)) {
                    continue;
                }
                depth[at] = inverseDepth;
                part[at] = id;
                float sun = wa * sunlit[i] + wb * sunlit[j] + wc * sunlit[k];
                float sky = wa * skylit[i] + wb * skylit[j] + wc * skylit[k];
                float mirror = sample.gloss * (wa * shine[i] + wb * shine[j] + wc * shine[k]);
                red[at] =
                        sample.r * (sky * ambient.r() + sun * lighting.sun.r() + sample.glow)
                                + mirror * ambient.r();
                green[at] =
                        sample.g * (sky * ambient.g() + sun * lighting.sun.g() + sample.glow)
                                + mirror * ambient.g();
                blue[at] =
                        sample.b * (sky * ambient.b() + sun * lighting.sun.b() + sample.glow)
                                + mirror * ambient.b();
            }
        }
    }

    private void resolve(Layer layer) {
        float share = 1f / (scale * scale);
        float clear = 1 - haze;
        for (int y = 0; y < layer.height; y++) {
            for (int x = 0; x < layer.width; x++) {
                float sumR = 0;
                float sumG = 0;
                float sumB = 0;
                int n = 0;
                int second = 0;
                for (int v = 0; v < scale; v++) {
                    int at = (y * scale + v) * gridWidth + x * scale;
                    for (int u = 0; u < scale; u++, at++) {
                        if (depth[at] > 0) {
                            sumR += red[at];
                            sumG += green[at];
                            sumB += blue[at];
                            n++;
                            second += part[at];
                        }
                    }
                }
                int to = y * layer.width + x;
                float cover = n * share;
                layer.a[to] = cover;
                layer.r[to] = clear * sumR * share + haze * cover * hazeColour.r();
                layer.g[to] = clear * sumG * share + haze * cover * hazeColour.g();
                layer.b[to] = clear * sumB * share + haze * cover * hazeColour.b();
                layer.part[to] = (byte) (cover < SEEN ? -1 : 2 * second > n ? 1 : 0);
            }
        }
    }

    /**
     * Draws the shadow that a body throws on the ground into a coverage map of the picture.
     *
     * @param mask coverage per pixel at half the picture's size, raised where there is shadow
     */
    void shadow(
            Mesh mesh,
            double x,
            double y,
            double z,
            double heading,
            float[] mask,
            int maskWidth,
            int maskHeight) {
        int n = mesh.vertices;
        reserve(n);
        float cos = (float) StrictMath.cos(heading);
        float sin = (float) StrictMath.sin(heading);
        double slopeX = lighting.sunX / lighting.sunZ;
        double slopeY = lighting.sunY / lighting.sunZ;
        for (int v = 0; v < n; v++) {
            double pz = Math.max(0, z + mesh.z[v]);
            double px = x + mesh.x[v] * cos - mesh.y[v] * sin - slopeX * pz;
            double py = y + mesh.x[v] * sin + mesh.y[v] * cos - slopeY * pz;
            double d = view.depth(px, py, 0);
            if (d < NEAR) {
                iz[v] = -1;
                continue;
            }
            iz[v] = 1;
            sx[v] = (float) (view.screenX(px, py, d) * 0.5);
            sy[v] = (float) (view.screenY(px, py, 0, d) * 0.5);
        }
        for (int t = 0; t < mesh.triangles; t++) {
            int i = mesh.a[t];
            int j = mesh.b[t];
            int k = mesh.c[t];
            if (iz[i] > 0 && iz[j] > 0 && iz[k] > 0) {
                fill(i, j, k, mask, maskWidth, maskHeight);
            }
        }
    }

    private void fill(int i, int j, int k, float[] mask, int maskWidth, int maskHeight) {
        float ax = sx[i];
        float ay = sy[i];
        float bx = sx[j];
        float by = sy[j];
        float cx = sx[k];
        float cy = sy[k];
        float area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
        if (area > -1e-9f && area < 1e-9f) {
            return;
        }
        int x0 = Math.max(0, (int) Math.ceil(Math.min(ax, Math.min(bx, cx)) - 0.5f));
        int x1 = Math.min(maskWidth - 1, (int) Math.floor(Math.max(ax, Math.max(bx, cx)) - 0.5f));
        int y0 = Math.max(0, (int) Math.ceil(Math.min(ay, Math.min(by, cy)) - 0.5f));
        int y1 = Math.min(maskHeight - 1, (int) Math.floor(Math.max(ay, Math.max(by, cy)) - 0.5f));
        float inverse = 1 / area;
        for (int y = y0; y <= y1; y++) {
            for (int x = x0; x <= x1; x++) {
                float px = x + 0.5f - ax;
                float py = y + 0.5f - ay;
                float wb = (px * (cy - ay) - py * (cx - ax)) * inverse;
                float wc = (py * (bx - ax) - px * (by - ay)) * inverse;
                if (wb >= 0 && wc >= 0 && wb + wc <= 1) {
                    mask[y * maskWidth + x] = 1;
                }
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.Arrays;

/** Draws meshes into layers, several samples a pixel, with a depth buffer. */
final class Raster {

    /** A pixel of which less is covered does not count as seen. */
    private static final float SEEN = 0.3f;

    private static final int MAX_SAMPLES = 1 << 22;

    /** Height in pixels from which a body is shaded once a pixel. */
    private static final int LARGE = 160;

    /** So many pixels beyond the picture's edges motion blur may bring into it. */
    private static final int MARGIN = 12;

    /** Pixels to a cell of the grid on which it is measured how much lies outside the picture. */
    private static final int CELL = 6;

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

    private int[] corners = new int[4096];
    private int remembered;
    private float[] cellDepth = new float[0];
    private byte[] cellPart = new byte[0];
    private final double[] outside = new double[2];

    private double minX;
    private double minY;
    private double maxX;
    private double maxY;
    private final double[] partBox = new double[8];

    private Rgb ambient = Rgb.grey(0);
    private float haze;
    private Rgb hazeColour = Rgb.grey(0);

    private float spanFrom;
    private float spanTo;
    private float shadedRed;
    private float shadedGreen;
    private float shadedBlue;

    /** Of a large body only the edges need several samples a pixel. */
    private boolean oncePerPixel;

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
        int left = Math.max(-MARGIN, (int) Math.floor(minX) - 1);
        int top = Math.max(-MARGIN, (int) Math.floor(minY) - 1);
        int right = Math.min(view.width + MARGIN, (int) Math.ceil(maxX) + 1);
        int bottom = Math.min(view.height + MARGIN, (int) Math.ceil(maxY) + 1);
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
        scale = height < 40 ? 4 : height < 100 ? 3 : 2;
        while (scale > 1 && (long) width * height * scale * scale > MAX_SAMPLES) {
            scale--;
        }
        oncePerPixel = height >= LARGE;
        ambient = lighting.ambient(x, y);
        hazeColour = hazy;
        haze = (float) hazePart;
        rasterise(mesh, left, top, width, height);
        layer.resize(left, top, width, height);
        resolve(layer);
        weigh();
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
        remembered = 0;
        int triangles = mesh.triangles;
        for (int t = 0; t < triangles; t++) {
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
            remember(mesh.part[t], i, j, k);
        }
    }

    private void remember(byte ofPart, int i, int j, int k) {
        if (corners.length < 4 * remembered + 4) {
            corners = Arrays.copyOf(corners, 2 * corners.length);
        }
        corners[4 * remembered] = ofPart;
        corners[4 * remembered + 1] = i;
        corners[4 * remembered + 2] = j;
        corners[4 * remembered + 3] = k;
        remembered++;
    }

    /** The share of a part of the body drawn last that lies beyond the picture's edges. */
    double outside(int ofPart) {
        return outside[ofPart];
    }

    /** Measures on a coarse grid, up to one picture beyond each edge, what lies outside. */
    private void weigh() {
        outside[0] = 0;
        outside[1] = 0;
        if (minX >= 0 && minY >= 0 && maxX <= view.width && maxY <= view.height) {
            return;
        }
        int left = (int) Math.max(-view.width, minX) / CELL - 1;
        int top = (int) Math.max(-view.height, minY) / CELL - 1;
        int width = (int) Math.min(2.0 * view.width, maxX) / CELL + 2 - left;
        int height = (int) Math.min(2.0 * view.height, maxY) / CELL + 2 - top;
        int size = width * height;
        if (cellDepth.length < size) {
            cellDepth = new float[size];
            cellPart = new byte[size];
        }
        Arrays.fill(cellDepth, 0, size, 0);
        for (int t = 0; t < remembered; t++) {
            cell(
                    (byte) corners[4 * t],
                    corners[4 * t + 1],
                    corners[4 * t + 2],
                    corners[4 * t + 3],
                    left,
                    top,
                    width,
                    height);
        }
        int[] all = new int[2];
        int[] inside = new int[2];
        for (int y = 0; y < height; y++) {
            double py = (y + top + 0.5) * CELL;
            for (int x = 0; x < width; x++) {
                if (cellDepth[y * width + x] > 0) {
                    double px = (x + left + 0.5) * CELL;
                    int of = cellPart[y * width + x];
                    all[of]++;
                    if (px > 0 && py > 0 && px < view.width && py < view.height) {
                        inside[of]++;
                    }
                }
            }
        }
        for (int of = 0; of < 2; of++) {
            outside[of] = all[of] == 0 ? 0 : 1 - (double) inside[of] / all[of];
        }
    }

    private void cell(byte ofPart, int i, int j, int k, int left, int top, int width, int height) {
        float ax = sx[i] / CELL - left;
        float ay = sy[i] / CELL - top;
        float bx = sx[j] / CELL - left;
        float by = sy[j] / CELL - top;
        float cx = sx[k] / CELL - left;
        float cy = sy[k] / CELL - top;
        float area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax);
        if (area >= -1e-9f) {
            return;
        }
        int x0 = Math.max(0, (int) Math.ceil(Math.min(ax, Math.min(bx, cx)) - 0.5f));
        int x1 = Math.min(width - 1, (int) Math.floor(Math.max(ax, Math.max(bx, cx)) - 0.5f));
        int y0 = Math.max(0, (int) Math.ceil(Math.min(ay, Math.min(by, cy)) - 0.5f));
        int y1 = Math.min(height - 1, (int) Math.floor(Math.max(ay, Math.max(by, cy)) - 0.5f));
        float inverse = 1 / area;
        for (int y = y0; y <= y1; y++) {
            for (int x = x0; x <= x1; x++) {
                float px = x + 0.5f - ax;
                float py = y + 0.5f - ay;
                float wb = (px * (cy - ay) - py * (cx - ax)) * inverse;
                float wc = (py * (bx - ax) - px * (by - ay)) * inverse;
                float wa = 1 - wb - wc;
                if (wa < 0 || wb < 0 || wc < 0) {
                    continue;
                }
                float inverseDepth = wa * iz[i] + wb * iz[j] + wc * iz[k];
                int at = y * width + x;
                if (inverseDepth > cellDepth[at]) {
                    cellDepth[at] = inverseDepth;
                    cellPart[at] = ofPart;
                }
            }
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
            remember(mesh.part[t], kept[0], kept[i - 1], kept[i]);
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
        float slopeBx = (cy - ay) * inverse;
        float slopeBy = -(cx - ax) * inverse;
        float slopeCx = -(by - ay) * inverse;
        float slopeCy = (bx - ax) * inverse;
        // Where the third weight, what the others leave, falls to 0.
        float slopeAx = -slopeBx - slopeCx;
        float slopeAy = -slopeBy - slopeCy;
        float ia = iz[i];
        float ib = iz[j];
        float ic = iz[k];
        float[] nearest = depth;
        boolean wide = x1 - x0 > 6;
        boolean once = oncePerPixel && !mesh.holes[t];
        int block = once ? scale : 1;
        for (int y = y0 - y0 % block; y <= y1; y += block) {
            int from = x0;
            int to = x1;
            if (wide) {
                span(slopeAx, slopeAy, slopeBx, slopeBy, slopeCx, slopeCy, y - ay, block);
                from = Math.max(x0, (int) (spanFrom + ax) - 1);
                to = Math.min(x1, (int) (spanTo + ax) + 1);
            }
            int shadedAt = -1;
            int last = Math.min(y + block - 1, y1);
            for (int u = from; u <= to; u++) {
                for (int v = Math.max(y, y0); v <= last; v++) {
                    float px = u + 0.5f - ax;
                    float py = v + 0.5f - ay;
                    float wb = px * slopeBx + py * slopeBy;
                    float wc = px * slopeCx + py * slopeCy;
                    float wa = 1 - wb - wc;
                    if (wa < 0 || wb < 0 || wc < 0) {
                        continue;
                    }
                    float inverseDepth = wa * ia + wb * ib + wc * ic;
                    int at = v * gridWidth + u;
                    if (inverseDepth <= nearest[at]) {
                        continue;
                    }
                    if (!once || shadedAt != u / scale) {
                        if (!shade(mesh, t, i, j, k, wa, wb, wc)) {
                            continue;
                        }
                        shadedAt = u / scale;
                    }
                    nearest[at] = inverseDepth;
                    part[at] = mesh.part[t];
                    red[at] = shadedRed;
                    green[at] = shadedGreen;
                    blue[at] = shadedBlue;
                }
            }
        }
    }

    /** Where, from the first corner on, rows of a triangle begin and end at the most. */
    private void span(
            float slopeAx,
            float slopeAy,
            float slopeBx,
            float slopeBy,
            float slopeCx,
            float slopeCy,
            float top,
            int rows) {
        spanFrom = -1e6f;
        spanTo = 1e6f;
        limit(slopeAx, 1 + Math.max(slopeAy * top, slopeAy * (top + rows)));
        limit(slopeBx, Math.max(slopeBy * top, slopeBy * (top + rows)));
        limit(slopeCx, Math.max(slopeCy * top, slopeCy * (top + rows)));
    }

    private void limit(float slope, float weight) {
        if (slope > 1e-9f) {
            spanFrom = Math.max(spanFrom, -weight / slope);
        } else if (slope < -1e-9f) {
            spanTo = Math.min(spanTo, -weight / slope);
        }
    }

    /** The light that a point of a triangle sends to the camera; false where there is a hole. */
    private boolean shade(Mesh mesh, int t, int i, int j, int k, float wa, float wb, float wc) {
        float pa = wa * iz[i];
        float pb = wb * iz[j];
        float pc = wc * iz[k];
        float d = 1 / (pa + pb + pc);
        pa *= d;
        pb *= d;
        pc *= d;
        if (!mesh.surface[t].at(
                pa * mesh.x[i] + pb * mesh.x[j] + pc * mesh.x[k],
                pa * mesh.y[i] + pb * mesh.y[j] + pc * mesh.y[k],
                pa * mesh.z[i] + pb * mesh.z[j] + pc * mesh.z[k],
                sample)) {
            return false;
        }
        float sun = wa * sunlit[i] + wb * sunlit[j] + wc * sunlit[k];
        float sky = wa * skylit[i] + wb * skylit[j] + wc * skylit[k];
        float mirror = sample.gloss * (wa * shine[i] + wb * shine[j] + wc * shine[k]);
        Rgb sunLight = lighting.sun;
        shadedRed =
                sample.r * (sky * ambient.r() + sun * sunLight.r() + sample.glow)
                        + mirror * ambient.r();
        shadedGreen =
                sample.g * (sky * ambient.g() + sun * sunLight.g() + sample.glow)
                        + mirror * ambient.g();
        shadedBlue =
                sample.b * (sky * ambient.b() + sun * sunLight.b() + sample.glow)
                        + mirror * ambient.b();
        return true;
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

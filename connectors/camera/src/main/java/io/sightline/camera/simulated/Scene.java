// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import io.sightline.camera.JpegEncoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * One place seen by one camera. Equal settings and times give equal pictures and truth, in any
 * order. Owns native buffers; not thread-safe.
 *
 * <p>Each body is drawn into a layer of its own, and the layers are laid over the backdrop from far
 * to near. So edges are smooth, and how much of each body is hidden is known to the pixel.
 */
public final class Scene implements AutoCloseable {

    private final SceneSettings settings;
    private final Layout layout;
    private final View view;
    private final Raster raster;
    private final Grading grading;
    private final byte[] bgr;
    private final float[] backRed;
    private final float[] backGreen;
    private final float[] backBlue;
    private final float[] red;
    private final float[] green;
    private final float[] blue;
    private final int[] owner;
    private final float[] mask;
    private final double shutterSeconds;
    private final Layer sharp = new Layer();
    private final Mesh mesh = new Mesh();
    private final List<Drawn> fixed = new ArrayList<>();
    private final List<Layer> pool = new ArrayList<>();
    private List<TrueObject> truth = List.of();
    private JpegEncoder encoder;
    private int encoderQuality;

    /** A body's picture at one time. */
    private static final class Drawn {
        private Body body;
        private Path.Place place;
        private Layer layer;
        private double distance;
        private int mark;
        private final double[][] box = new double[2][4];
        private final double[] outside = new double[2];

        boolean seenAt(int x, int y, int[] owner, int width) {
            int o = owner[y * width + x];
            return o == mark || o == mark + 1;
        }
    }

    public Scene(SceneSettings settings) {
        this.settings = settings;
        this.layout = new Layout(settings);
        this.view = layout.view;
        this.raster = new Raster(view, layout.lighting);
        int size = settings.width() * settings.height();
        this.bgr = new byte[3 * size];
        this.backRed = new float[size];
        this.backGreen = new float[size];
        this.backBlue = new float[size];
        this.red = new float[size];
        this.green = new float[size];
        this.blue = new float[size];
        this.owner = new int[size];
        this.mask = new float[(settings.width() / 2 + 1) * (settings.height() / 2 + 1)];
        layout.backdrop.draw(backRed, backGreen, backBlue);
        this.shutterSeconds =
                switch (settings.light()) {
                    case DAY -> 1 / 180.0;
                    case DUSK -> 1 / 80.0;
                    case NIGHT -> 1 / 40.0;
                };
        for (Body body : layout.bodies) {
            if (body.fixed) {
                Drawn drawn = draw(body, body.path.at(0), new Layer());
                if (drawn != null) {
                    fixed.add(drawn);
                }
            }
        }
        Arrays.fill(mask, 0);
        for (Drawn drawn : fixed) {
            shadow(drawn);
        }
        darken(backRed, backGreen, backBlue);
        for (Drawn drawn : fixed) {
            contact(drawn, backRed, backGreen, backBlue);
        }
        this.grading = new Grading(settings, new SplittableRandom(settings.seed() ^ 0x5DEECE66DL));
    }

    /** Draws the picture of a moment; the picture is valid until the next call. */
    public void render(double seconds) {
        int size = red.length;
        System.arraycopy(backRed, 0, red, 0, size);
        System.arraycopy(backGreen, 0, green, 0, size);
        System.arraycopy(backBlue, 0, blue, 0, size);
        List<Drawn> drawn = new ArrayList<>(fixed);
        int used = 0;
        Arrays.fill(mask, 0);
        for (Body body : layout.bodies) {
            if (body.fixed) {
                continue;
            }
            if (used == pool.size()) {
                pool.add(new Layer());
            }
            Drawn one = expose(body, seconds, pool.get(used));
            if (one != null) {
                drawn.add(one);
                used++;
                shadow(one);
            }
        }
        darken(red, green, blue);
        for (Drawn one : drawn) {
            if (!one.body.fixed) {
                contact(one, red, green, blue);
            }
        }
        if (settings.light() != Light.DAY) {
            for (Drawn one : drawn) {
                beam(one);
            }
        }
        order(drawn);
        Arrays.fill(owner, 0);
        for (int i = 0; i < drawn.size(); i++) {
            drawn.get(i).mark = 2 * i + 1;
            lay(drawn.get(i).layer, 2 * i + 1);
        }
        for (Drawn one : drawn) {
            glare(one);
        }
        truth = truth(drawn);
        grading.develop(red, green, blue, seconds, bgr);
    }

    private Drawn draw(Body body, Path.Place place, Layer layer) {
        double distance = view.depth(place.x(), place.y(), 0.8);
        if (distance < 0.3 - body.halfLength || distance > 120) {
            return null;
        }
        double pixels = view.focal * 1.7 / Math.max(0.5, distance);
        int sides = pixels < 40 ? 5 : pixels < 110 ? 7 : pixels < 260 ? 10 : 14;
        mesh.clear();
        body.figure.build(mesh, sides, place);
        if (!raster.draw(
                mesh,
                place.x(),
                place.y(),
                0,
                place.heading(),
                layout.backdrop.haze,
                layout.backdrop.hazeAt(distance),
                layer)) {
            return null;
        }
        Drawn drawn = new Drawn();
        drawn.body = body;
        drawn.place = place;
        drawn.layer = layer;
        drawn.distance = distance;
        for (int part = 0; part < 2; part++) {
            drawn.outside[part] = raster.outside(part);
            for (int side = 0; side < 4; side++) {
                drawn.box[part][side] = raster.extent(part, side);
            }
        }
        return drawn;
    }

    /** Draws a body into a layer, smeared along its way while the shutter is open. */
    private Drawn expose(Body body, double seconds, Layer layer) {
        Path.Place start = body.path.at(seconds);
        Path.Place end = body.path.at(seconds + shutterSeconds);
        double d0 = view.depth(start.x(), start.y(), 0.8);
        double d1 = view.depth(end.x(), end.y(), 0.8);
        double dx = 0;
        double dy = 0;
        if (d0 > 1 && d1 > 1 && start.round() == end.round()) {
            dx = view.screenX(end.x(), end.y(), d1) - view.screenX(start.x(), start.y(), d0);
            dy =
                    view.screenY(end.x(), end.y(), 0.8, d1)
                            - view.screenY(start.x(), start.y(), 0.8, d0);
        }
        int steps = (int) Math.min(24, Math.rint(Math.max(Math.abs(dx), Math.abs(dy)))) + 1;
        if (steps == 1) {
            return draw(body, start, layer);
        }
        Drawn drawn = draw(body, start, sharp);
        if (drawn != null) {
            layer.smear(sharp, dx, dy, steps);
            drawn.layer = layer;
        }
        return drawn;
    }

    // ---- light of their own

    /** The headlamps' light on the road ahead. */
    private void beam(Drawn drawn) {
        Body body = drawn.body;
        if (body.lamps == 0) {
            return;
        }
        double cos = StrictMath.cos(drawn.place.heading());
        double sin = StrictMath.sin(drawn.place.heading());
        double near = body.halfLength + 0.5;
        double far = body.halfLength + 14;
        int[] box = groundBox(drawn.place, cos, sin, near, far, 4.5);
        if (box == null) {
            return;
        }
        float strength = settings.light() == Light.NIGHT ? 0.9f : 0.3f;
        float dim =
                1 / Math.max(0.05f, layout.lighting.ambient(drawn.place.x(), drawn.place.y()).g());
        for (int y = box[1]; y <= box[3]; y++) {
            for (int x = box[0]; x <= box[2]; x++) {
                double sx = x + 0.5 - view.centreX;
                double sy = y + 0.5 - view.centreY;
                double dz = view.rayZ(sy);
                if (dz >= 0) {
                    continue;
                }
                double s = -view.z / dz;
                double gx = view.x + s * view.rayX(sx, sy) - drawn.place.x();
                double gy = view.y + s * view.rayY(sx, sy) - drawn.place.y();
                double ahead = gx * cos + gy * sin - near;
                double aside = (gy * cos - gx * sin) / (1 + 0.22 * ahead);
                if (ahead <= 0 || ahead > 13.5 || aside > 1.6 || aside < -1.6) {
                    continue;
                }
                double across = 1 - aside * aside / 2.56;
                double along = Math.min(1, ahead / 2) * (1 - ahead / 13.5);
                float f = 1 + strength * dim * (float) (0.5 * across * across * along);
                int i = y * settings.width() + x;
                red[i] *= f;
                green[i] *= f;
                blue[i] *= 0.95f * f;
            }
        }
    }

    /** What the lens makes of headlamps that shine into it. */
    private void glare(Drawn drawn) {
        Body body = drawn.body;
        if (body.lamps == 0) {
            return;
        }
        double cos = StrictMath.cos(drawn.place.heading());
        double sin = StrictMath.sin(drawn.place.heading());
        double ex = view.x - drawn.place.x();
        double ey = view.y - drawn.place.y();
        double facing = (ex * cos + ey * sin) / Math.sqrt(ex * ex + ey * ey + view.z * view.z);
        boolean front = facing > 0.25;
        if (Math.abs(facing) < 0.25) {
            return;
        }
        double at = front ? body.halfLength : -body.halfLength;
        float level = (front ? 0.9f : 0.25f) * (float) Math.abs(facing);
        if (settings.light() == Light.DAY) {
            level *= 0.3f;
        }
        for (int side = -1; side <= 1; side += 2) {
            double lx = drawn.place.x() + at * cos - side * body.lamps * sin;
            double ly = drawn.place.y() + at * sin + side * body.lamps * cos;
            double d = view.depth(lx, ly, 0.7);
            if (d > 1) {
                halo(
                        view.screenX(lx, ly, d),
                        view.screenY(lx, ly, 0.7, d),
                        Math.min(60, 2 + 0.45 * view.focal / d),
                        level,
                        front,
                        drawn);
            }
        }
    }

    private void halo(double cx, double cy, double radius, float level, boolean white, Drawn of) {
        int w = settings.width();
        int px = (int) cx;
        int py = (int) cy;
        if (px < 0
                || py < 0
                || px >= w
                || py >= settings.height()
                || !of.seenAt(px, py, owner, w)) {
            return;
        }
        int x0 = Math.max(0, (int) (cx - radius));
        int x1 = Math.min(w - 1, (int) (cx + radius));
        int y0 = Math.max(0, (int) (cy - radius));
        int y1 = Math.min(settings.height() - 1, (int) (cy + radius));
        for (int y = y0; y <= y1; y++) {
            for (int x = x0; x <= x1; x++) {
                double dx = (x + 0.5 - cx) / radius;
                double dy = (y + 0.5 - cy) / radius;
                double far = dx * dx + dy * dy;
                if (far < 1) {
                    float f = level * (float) ((1 - far) * (1 - far) * (1 - far));
                    int i = y * w + x;
                    red[i] += f;
                    green[i] += white ? 0.95f * f : 0.06f * f;
                    blue[i] += white ? 0.85f * f : 0.05f * f;
                }
            }
        }
    }

    // ---- shadows

    private void shadow(Drawn drawn) {
        if (layout.lighting.sun.g() > 0.2 && settings.place() == Place.STREET) {
            mesh.clear();
            drawn.body.figure.build(mesh, 6, drawn.place);
            raster.shadow(
                    mesh,
                    drawn.place.x(),
                    drawn.place.y(),
                    0,
                    drawn.place.heading(),
                    mask,
                    settings.width() / 2,
                    settings.height() / 2);
        }
    }

    private void darken(float[] r, float[] g, float[] b) {
        Rgb sky = layout.lighting.sky;
        Rgb sun = layout.lighting.sun.times(layout.lighting.sunZ);
        if (layout.lighting.sun.g() <= 0.2) {
            return;
        }
        float leftR = sky.r() / (sky.r() + sun.r());
        float leftG = sky.g() / (sky.g() + sun.g());
        float leftB = sky.b() / (sky.b() + sun.b());
        int w = settings.width();
        int mw = w / 2;
        int mh = settings.height() / 2;
        for (int y = 1; y < 2 * mh - 1; y++) {
            int my = (y - 1) >> 1;
            float fy = (y & 1) == 1 ? 0.25f : 0.75f;
            for (int x = 1; x < 2 * mw - 1; x++) {
                int mx = (x - 1) >> 1;
                int at = my * mw + mx;
                float m00 = mask[at];
                float m01 = mask[at + 1];
                float m10 = mask[at + mw];
                float m11 = mask[at + mw + 1];
                float sum = m00 + m01 + m10 + m11;
                if (sum == 0) {
                    continue;
                }
                float fx = (x & 1) == 1 ? 0.25f : 0.75f;
                float top = m00 + (m01 - m00) * fx;
                float bottom = m10 + (m11 - m10) * fx;
                float m = top + (bottom - top) * fy;
                int i = y * w + x;
                r[i] *= 1 - m * (1 - leftR);
                g[i] *= 1 - m * (1 - leftG);
                b[i] *= 1 - m * (1 - leftB);
            }
        }
    }

    /** Where a body nearly touches the ground, little of the sky's light gets in. */
    private void contact(Drawn drawn, float[] r, float[] g, float[] b) {
        Body body = drawn.body;
        double cos = StrictMath.cos(drawn.place.heading());
        double sin = StrictMath.sin(drawn.place.heading());
        double reach = Math.min(0.8, 0.25 + 0.35 * body.halfWidth);
        double a = Math.max(0.05, body.halfLength - 0.12);
        double w = Math.max(0.05, body.halfWidth - 0.12);
        int[] box = groundBox(drawn.place, cos, sin, -a - reach, a + reach, w + reach);
        if (box == null) {
            return;
        }
        double strength = body.halfLength > 1.2 ? 0.85 : 0.6;
        for (int y = box[1]; y <= box[3]; y++) {
            for (int x = box[0]; x <= box[2]; x++) {
                double sx = x + 0.5 - view.centreX;
                double sy = y + 0.5 - view.centreY;
                double dz = view.rayZ(sy);
                if (dz >= 0) {
                    continue;
                }
                double s = -view.z / dz;
                double gx = view.x + s * view.rayX(sx, sy) - drawn.place.x();
                double gy = view.y + s * view.rayY(sx, sy) - drawn.place.y();
                double lx = Math.max(0, Math.abs(gx * cos + gy * sin) - a);
                double ly = Math.max(0, Math.abs(gy * cos - gx * sin) - w);
                double far = (lx * lx + ly * ly) / (reach * reach);
                if (far < 1) {
                    float f = (float) (1 - strength * (1 - far) * (1 - far));
                    int i = y * settings.width() + x;
                    r[i] *= f;
                    g[i] *= f;
                    b[i] *= f;
                }
            }
        }
    }

    /** The pixels, as left, top, right and bottom, of a rectangle on the ground; or null. */
    private int[] groundBox(
            Path.Place place, double cos, double sin, double from, double to, double half) {
        double minX = Double.POSITIVE_INFINITY;
        double minY = Double.POSITIVE_INFINITY;
        double maxX = Double.NEGATIVE_INFINITY;
        double maxY = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < 4; i++) {
            double lx = i < 2 ? from : to;
            double ly = i % 2 == 0 ? half : -half;
            double px = place.x() + lx * cos - ly * sin;
            double py = place.y() + lx * sin + ly * cos;
            double d = view.depth(px, py, 0);
            if (d < 0.3) {
                return null;
            }
            double sx = view.screenX(px, py, d);
            double sy = view.screenY(px, py, 0, d);
            minX = Math.min(minX, sx);
            maxX = Math.max(maxX, sx);
            minY = Math.min(minY, sy);
            maxY = Math.max(maxY, sy);
        }
        return new int[] {
            (int) Math.max(0, minX),
            (int) Math.max(0, minY),
            (int) Math.min(settings.width() - 1, maxX),
            (int) Math.min(settings.height() - 1, maxY)
        };
    }

    // ---- layers

    /** Far ones first. */
    private void order(List<Drawn> drawn) {
        drawn.sort((p, q) -> Double.compare(q.distance, p.distance));
        // Beside a long body its middle says little: whoever stands on the camera's side of a line
        // between two bodies is in front.
        int budget = 4 * drawn.size();
        for (int i = 0; i < drawn.size(); i++) {
            for (int j = drawn.size() - 1; j > i && budget > 0; j--) {
                if (overlap(drawn.get(i).layer, drawn.get(j).layer)
                        && inFront(drawn.get(i), drawn.get(j))) {
                    drawn.add(j, drawn.remove(i));
                    // Whoever has come to this place is looked at next; a circle must end.
                    j = drawn.size();
                    budget--;
                }
            }
        }
    }

    private static boolean overlap(Layer p, Layer q) {
        return p.left < q.left + q.width
                && q.left < p.left + p.width
                && p.top < q.top + q.height
                && q.top < p.top + p.height;
    }

    /** Whether a side of either body's outline proves that the first is nearer. */
    private boolean inFront(Drawn p, Drawn q) {
        if (p.body.halfLength < 1.2 && q.body.halfLength < 1.2) {
            return false;
        }
        int verdict = side(p, q);
        if (verdict == 0) {
            verdict = -side(q, p);
        }
        return verdict > 0;
    }

    /** 1 where the first is on the camera's side of a side of the second, -1 beyond, else 0. */
    private int side(Drawn p, Drawn q) {
        double cos = StrictMath.cos(q.place.heading());
        double sin = StrictMath.sin(q.place.heading());
        double pc = StrictMath.cos(p.place.heading() - q.place.heading());
        double ps = StrictMath.sin(p.place.heading() - q.place.heading());
        double[] reach = {
            Math.abs(p.body.halfLength * pc) + Math.abs(p.body.halfWidth * ps),
            Math.abs(p.body.halfLength * ps) + Math.abs(p.body.halfWidth * pc)
        };
        double dx = p.place.x() - q.place.x();
        double dy = p.place.y() - q.place.y();
        double vx = view.x - q.place.x();
        double vy = view.y - q.place.y();
        double[] at = {dx * cos + dy * sin, dy * cos - dx * sin};
        double[] eye = {vx * cos + vy * sin, vy * cos - vx * sin};
        double[] half = {q.body.halfLength, q.body.halfWidth};
        for (int axis = 0; axis < 2; axis++) {
            double sign = Math.signum(at[axis]);
            if (Math.abs(at[axis]) >= half[axis] + reach[axis] - 0.05) {
                if (eye[axis] * sign > half[axis]) {
                    return 1;
                }
                if (eye[axis] * sign < half[axis] - 0.05) {
                    return -1;
                }
            }
        }
        return 0;
    }

    private void lay(Layer layer, int id) {
        int x0 = Math.max(0, layer.left);
        int x1 = Math.min(settings.width(), layer.left + layer.width);
        int y0 = Math.max(0, layer.top);
        int y1 = Math.min(settings.height(), layer.top + layer.height);
        for (int y = y0; y < y1; y++) {
            int from = (y - layer.top) * layer.width - layer.left;
            int to = y * settings.width();
            for (int x = x0; x < x1; x++) {
                float a = layer.a[from + x];
                if (a > 0) {
                    float left = 1 - a;
                    red[to + x] = left * red[to + x] + layer.r[from + x];
                    green[to + x] = left * green[to + x] + layer.g[from + x];
                    blue[to + x] = left * blue[to + x] + layer.b[from + x];
                    int part = layer.part[from + x];
                    if (part >= 0) {
                        owner[to + x] = id + part;
                    }
                }
            }
        }
    }

    // ---- truth

    private List<TrueObject> truth(List<Drawn> drawn) {
        int n = 2 * drawn.size() + 2;
        int[] visible = new int[n];
        int[] left = new int[n];
        int[] right = new int[n];
        int[] top = new int[n];
        int[] bottom = new int[n];
        Arrays.fill(left, Integer.MAX_VALUE);
        int w = settings.width();
        for (int y = 0, i = 0; y < settings.height(); y++) {
            for (int x = 0; x < w; x++, i++) {
                int o = owner[i];
                if (o == 0) {
                    continue;
                }
                if (visible[o]++ == 0) {
                    top[o] = y;
                }
                bottom[o] = y;
                left[o] = Math.min(left[o], x);
                right[o] = Math.max(right[o], x);
            }
        }
        List<TrueObject> found = new ArrayList<>();
        for (int i = 0; i < drawn.size(); i++) {
            Drawn one = drawn.get(i);
            for (int part = 0; part < one.body.classes.length; part++) {
                int o = 2 * i + 1 + part;
                if (visible[o] == 0) {
                    continue;
                }
                int inside = pixels(one.layer, part);
                double occluded = Math.max(0, 1 - (double) visible[o] / inside);
                double[] box = one.box[part];
                found.add(
                        new TrueObject(
                                one.body.firstId + part + one.place.round() * 100_000,
                                one.body.classes[part],
                                edge(left[o], box[0], w),
                                edge(top[o], box[1], settings.height()),
                                edge(right[o] + 1, box[2], w),
                                edge(bottom[o] + 1, box[3], settings.height()),
                                occluded,
                                one.outside[part]));
            }
        }
        return List.copyOf(found);
    }

    /** The body's own edge where the pixels that are seen reach as far. */
    private static double edge(int pixel, double exact, int end) {
        double edge = Math.abs(pixel - exact) < 1.5 ? exact : pixel;
        return Math.min(end, Math.max(0, edge));
    }

    /** Pixels of a part inside the picture. */
    private int pixels(Layer layer, int part) {
        int x0 = Math.max(0, -layer.left);
        int x1 = Math.min(layer.width, settings.width() - layer.left);
        int y0 = Math.max(0, -layer.top);
        int y1 = Math.min(layer.height, settings.height() - layer.top);
        int inside = 0;
        for (int y = y0; y < y1; y++) {
            for (int x = x0; x < x1; x++) {
                if (layer.part[y * layer.width + x] == part) {
                    inside++;
                }
            }
        }
        return Math.max(1, inside);
    }

    /** The picture: 8 bits a channel, BGR, row by row without padding. */
    public byte[] bgr() {
        return bgr;
    }

    /** What is to be seen in the picture. */
    public List<TrueObject> truth() {
        return truth;
    }

    /** The picture as a JPEG file; quality 1 to 100. */
    public byte[] jpeg(int quality) {
        if (encoder == null || encoderQuality != quality) {
            close();
            encoder = new JpegEncoder(quality);
            encoderQuality = quality;
        }
        return encoder.encode(bgr, settings.width(), settings.height());
    }

    public SceneSettings settings() {
        return settings;
    }

    @Override
    public void close() {
        if (encoder != null) {
            encoder.close();
            encoder = null;
        }
    }
}

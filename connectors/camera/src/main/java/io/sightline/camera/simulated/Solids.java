// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** Adds round and flat-sided bodies to a mesh. */
final class Solids {

    private static final float[][] COS = new float[33][];
    private static final float[][] SIN = new float[33][];

    static {
        for (int n = 3; n <= 32; n++) {
            COS[n] = new float[n];
            SIN[n] = new float[n];
            for (int i = 0; i < n; i++) {
                COS[n][i] = (float) StrictMath.cos(2 * StrictMath.PI * i / n);
                SIN[n][i] = (float) StrictMath.sin(2 * StrictMath.PI * i / n);
            }
        }
    }

    private Solids() {}

    /** An axis-parallel ellipsoid. */
    static void ellipsoid(
            Mesh mesh, int sides, double x, double y, double z, double a, double b, double c) {
        int v0 = mesh.vertices;
        int t0 = mesh.triangles;
        int rings = Math.max(3, sides / 2);
        int bottom = mesh.vertex(x, y, z - c);
        int first = mesh.vertices;
        for (int r = 1; r < rings; r++) {
            double angle = StrictMath.PI * r / rings;
            double h = -StrictMath.cos(angle);
            double w = StrictMath.sin(angle);
            for (int s = 0; s < sides; s++) {
                mesh.vertex(x + a * w * COS[sides][s], y + b * w * SIN[sides][s], z + c * h);
            }
        }
        int top = mesh.vertex(x, y, z + c);
        strips(mesh, first, rings - 1, sides);
        for (int s = 0; s < sides; s++) {
            int next = (s + 1) % sides;
            mesh.triangle(bottom, first + next, first + s);
            int last = first + (rings - 2) * sides;
            mesh.triangle(top, last + s, last + next);
        }
        mesh.finish(v0, t0);
    }

    private static void strips(Mesh mesh, int first, int rings, int sides) {
        for (int r = 0; r + 1 < rings; r++) {
            for (int s = 0; s < sides; s++) {
                int next = (s + 1) % sides;
                mesh.quad(
                        first + r * sides + s,
                        first + r * sides + next,
                        first + (r + 1) * sides + next,
                        first + (r + 1) * sides + s);
            }
        }
    }

    /**
     * A body along a chain of rings, closed at both ends.
     *
     * @param rings per ring: centre x, y, z, then the two half axes as vectors
     */
    static void loft(Mesh mesh, int sides, double[][] rings) {
        int v0 = mesh.vertices;
        int t0 = mesh.triangles;
        for (double[] r : rings) {
            for (int s = 0; s < sides; s++) {
                float cos = COS[sides][s];
                float sin = SIN[sides][s];
                mesh.vertex(
                        r[0] + cos * r[3] + sin * r[6],
                        r[1] + cos * r[4] + sin * r[7],
                        r[2] + cos * r[5] + sin * r[8]);
            }
        }
        strips(mesh, v0, rings.length, sides);
        cap(mesh, v0, sides, rings[0], true);
        cap(mesh, v0 + (rings.length - 1) * sides, sides, rings[rings.length - 1], false);
        mesh.finish(v0, t0);
    }

    private static void cap(Mesh mesh, int first, int sides, double[] ring, boolean start) {
        int centre = mesh.vertex(ring[0], ring[1], ring[2]);
        for (int s = 0; s < sides; s++) {
            int next = (s + 1) % sides;
            if (start) {
                mesh.triangle(centre, first + next, first + s);
            } else {
                mesh.triangle(centre, first + s, first + next);
            }
        }
    }

    /** Upright rings: elliptical cross-sections of half depth a (along x) and half width b. */
    static double[] ring(double x, double y, double z, double a, double b) {
        return new double[] {x, y, z, a, 0, 0, 0, b, 0};
    }

    /** A tapering limb with round ends. */
    static void limb(Mesh mesh, int sides, double[] p, double rp, double[] q, double rq) {
        double dx = q[0] - p[0];
        double dy = q[1] - p[1];
        double dz = q[2] - p[2];
        double length = Math.max(1e-6, Math.sqrt(dx * dx + dy * dy + dz * dz));
        dx /= length;
        dy /= length;
        dz /= length;
        // Any vector across the limb will do; the one nearest the x axis keeps rings from twisting.
        double ax = 1 - dx * dx;
        double ay = -dx * dy;
        double az = -dx * dz;
        double l = Math.sqrt(ax * ax + ay * ay + az * az);
        if (l < 0.2) {
            ax = -dy * dx;
            ay = 1 - dy * dy;
            az = -dy * dz;
            l = Math.sqrt(ax * ax + ay * ay + az * az);
        }
        ax /= l;
        ay /= l;
        az /= l;
        double bx = dy * az - dz * ay;
        double by = dz * ax - dx * az;
        double bz = dx * ay - dy * ax;
        double[][] rings = new double[6][];
        double[] along = {
            -0.85 * rp, -0.45 * rp, 0, length, length + 0.45 * rq, length + 0.85 * rq
        };
        double[] radius = {0.45 * rp, 0.85 * rp, rp, rq, 0.85 * rq, 0.45 * rq};
        for (int i = 0; i < 6; i++) {
            double s = along[i];
            double r = radius[i];
            rings[i] =
                    new double[] {
                        p[0] + s * dx,
                        p[1] + s * dy,
                        p[2] + s * dz,
                        r * ax,
                        r * ay,
                        r * az,
                        r * bx,
                        r * by,
                        r * bz
                    };
        }
        loft(mesh, sides, rings);
    }

    /** A thin tube with flat ends. */
    static void tube(Mesh mesh, int sides, double[] p, double[] q, double radius) {
        limb(mesh, sides, p, radius, q, radius);
    }

    /** A box with flat sides. */
    static void box(Mesh mesh, double x1, double y1, double z1, double x2, double y2, double z2) {
        double[][] p = {
            {x1, y1, z1}, {x2, y1, z1}, {x2, y2, z1}, {x1, y2, z1},
            {x1, y1, z2}, {x2, y1, z2}, {x2, y2, z2}, {x1, y2, z2}
        };
        prism(mesh, p);
    }

    private static final int[][] FACES = {
        {0, 3, 2, 1}, {4, 5, 6, 7}, {0, 1, 5, 4}, {2, 3, 7, 6}, {1, 2, 6, 5}, {3, 0, 4, 7}
    };

    /** Eight corners: four below, then the four above them. */
    static void prism(Mesh mesh, double[][] p) {
        int v0 = mesh.vertices;
        int t0 = mesh.triangles;
        for (int[] face : FACES) {
            int[] v = new int[4];
            for (int i = 0; i < 4; i++) {
                double[] q = p[face[i]];
                v[i] = mesh.vertex(q[0], q[1], q[2]);
            }
            mesh.quad(v[0], v[1], v[2], v[3]);
        }
        mesh.finish(v0, t0);
    }

    /** A wheel whose axle lies along y. */
    static void wheel(
            Mesh mesh, int sides, double x, double y, double z, double radius, double width) {
        double h = width / 2;
        double[][] rings = {
            {x, y - h, z, 0.86 * radius, 0, 0, 0, 0, 0.86 * radius},
            {x, y - 0.9 * h, z, radius, 0, 0, 0, 0, radius},
            {x, y + 0.9 * h, z, radius, 0, 0, 0, 0, radius},
            {x, y + h, z, 0.86 * radius, 0, 0, 0, 0, 0.86 * radius},
        };
        loft(mesh, sides, rings);
    }

    /** A ring in the plane of x and z: a bicycle's tyre. */
    static void torus(
            Mesh mesh, int sides, double x, double y, double z, double radius, double thickness) {
        int v0 = mesh.vertices;
        int t0 = mesh.triangles;
        int around = 5;
        for (int s = 0; s < sides; s++) {
            for (int k = 0; k < around; k++) {
                double r = radius + thickness * COS[around][k];
                mesh.vertex(
                        x + r * COS[sides][s],
                        y + thickness * SIN[around][k],
                        z + r * SIN[sides][s]);
            }
        }
        for (int s = 0; s < sides; s++) {
            int n = (s + 1) % sides;
            for (int k = 0; k < around; k++) {
                int m = (k + 1) % around;
                mesh.quad(
                        v0 + s * around + k,
                        v0 + s * around + m,
                        v0 + n * around + m,
                        v0 + n * around + k);
            }
        }
        mesh.finish(v0, t0);
    }
}

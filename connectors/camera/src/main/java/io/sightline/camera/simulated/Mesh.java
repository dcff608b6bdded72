// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.Arrays;

/** Triangles of one body in its own coordinates: x ahead, y left, z up, metres. */
final class Mesh {

    float[] x = new float[1024];
    float[] y = new float[1024];
    float[] z = new float[1024];
    float[] nx = new float[1024];
    float[] ny = new float[1024];
    float[] nz = new float[1024];
    int vertices;

    int[] a = new int[2048];
    int[] b = new int[2048];
    int[] c = new int[2048];
    Surface[] surface = new Surface[2048];
    byte[] part = new byte[2048];
    boolean[] holes = new boolean[2048];
    int triangles;

    private Surface currentSurface;
    private byte currentPart;
    private boolean currentHoles;

    void clear() {
        vertices = 0;
        triangles = 0;
        currentPart = 0;
    }

    void with(Surface next) {
        currentSurface = next;
        currentHoles = false;
    }

    /** For surfaces that one can partly see through. */
    void withHoles(Surface next) {
        currentSurface = next;
        currentHoles = true;
    }

    /** What follows belongs to this object of the body: a rider, or what is ridden. */
    void part(int next) {
        currentPart = (byte) next;
    }

    int vertex(double vx, double vy, double vz) {
        if (vertices == x.length) {
            int size = 2 * vertices;
            x = Arrays.copyOf(x, size);
            y = Arrays.copyOf(y, size);
            z = Arrays.copyOf(z, size);
            nx = Arrays.copyOf(nx, size);
            ny = Arrays.copyOf(ny, size);
            nz = Arrays.copyOf(nz, size);
        }
        x[vertices] = (float) vx;
        y[vertices] = (float) vy;
        z[vertices] = (float) vz;
        return vertices++;
    }

    void triangle(int i, int j, int k) {
        if (triangles == a.length) {
            int size = 2 * triangles;
            a = Arrays.copyOf(a, size);
            b = Arrays.copyOf(b, size);
            c = Arrays.copyOf(c, size);
            surface = Arrays.copyOf(surface, size);
            part = Arrays.copyOf(part, size);
            holes = Arrays.copyOf(holes, size);
        }
        a[triangles] = i;
        b[triangles] = j;
        c[triangles] = k;
        surface[triangles] = currentSurface;
        part[triangles] = currentPart;
        holes[triangles] = currentHoles;
        triangles++;
    }

    void quad(int i, int j, int k, int l) {
        triangle(i, j, k);
        triangle(i, k, l);
    }

    /**
     * Gives the vertices from one index on smooth normals, and turns the triangles from one index
     * on so that they face away from their common centre.
     */
    void finish(int fromVertex, int fromTriangle) {
        double mx = 0;
        double my = 0;
        double mz = 0;
        for (int v = fromVertex; v < vertices; v++) {
            nx[v] = 0;
            ny[v] = 0;
            nz[v] = 0;
            mx += x[v];
            my += y[v];
            mz += z[v];
        }
        int n = Math.max(1, vertices - fromVertex);
        mx /= n;
        my /= n;
        mz /= n;
        double volume = 0;
        for (int t = fromTriangle; t < triangles; t++) {
            int i = a[t];
            int j = b[t];
            int k = c[t];
            float ux = x[j] - x[i];
            float uy = y[j] - y[i];
            float uz = z[j] - z[i];
            float vx = x[k] - x[i];
            float vy = y[k] - y[i];
            float vz = z[k] - z[i];
            float fx = uy * vz - uz * vy;
            float fy = uz * vx - ux * vz;
            float fz = ux * vy - uy * vx;
            volume += fx * (x[i] - mx) + fy * (y[i] - my) + fz * (z[i] - mz);
            add(i, fx, fy, fz);
            add(j, fx, fy, fz);
            add(k, fx, fy, fz);
        }
        float sign = volume < 0 ? -1 : 1;
        for (int v = fromVertex; v < vertices; v++) {
            double length = Math.sqrt(nx[v] * nx[v] + ny[v] * ny[v] + nz[v] * nz[v]);
            float scale = length > 1e-12 ? (float) (sign / length) : 0;
            nx[v] *= scale;
            ny[v] *= scale;
            nz[v] *= scale;
        }
        if (sign < 0) {
            for (int t = fromTriangle; t < triangles; t++) {
                int swap = b[t];
                b[t] = c[t];
                c[t] = swap;
            }
        }
    }

    private void add(int v, float fx, float fy, float fz) {
        nx[v] += fx;
        ny[v] += fy;
        nz[v] += fz;
    }

    /**
     * Turns and moves the vertices from one index on: first about the z axis, then by an offset.
     */
    void place(int fromVertex, double angle, double dx, double dy, double dz) {
        float cos = (float) StrictMath.cos(angle);
        float sin = (float) StrictMath.sin(angle);
        for (int v = fromVertex; v < vertices; v++) {
            float vx = x[v];
            float vy = y[v];
            x[v] = vx * cos - vy * sin + (float) dx;
            y[v] = vx * sin + vy * cos + (float) dy;
            z[v] += (float) dz;
            float mx = nx[v];
            float my = ny[v];
            nx[v] = mx * cos - my * sin;
            ny[v] = mx * sin + my * cos;
        }
    }
}

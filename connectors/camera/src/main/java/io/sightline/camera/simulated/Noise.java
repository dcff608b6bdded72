// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

/** Value noise that depends on nothing but its arguments. */
final class Noise {

    private Noise() {}

    /** A well mixed hash of a lattice point. */
    static int hash(int x, int y, int seed) {
        int h = x * 0x9E3779B1 ^ y * 0x85EBCA77 ^ seed * 0xC2B2AE3D;
        h ^= h >>> 15;
        h *= 0x2C1B3C6D;
        h ^= h >>> 12;
        h *= 0x297A2D39;
        return h ^ h >>> 15;
    }

    /** Uniform in 0..1 for a lattice point. */
    static float at(int x, int y, int seed) {
        return (hash(x, y, seed) >>> 8) * 0x1p-24f;
    }

    /** Smooth noise of unit lattice width, 0..1. */
    static float smooth(float x, float y, int seed) {
        int ix = floor(x);
        int iy = floor(y);
        float fx = x - ix;
        float fy = y - iy;
        fx = fx * fx * (3 - 2 * fx);
        fy = fy * fy * (3 - 2 * fy);
        float a = at(ix, iy, seed);
        float b = at(ix + 1, iy, seed);
        float c = at(ix, iy + 1, seed);
        float d = at(ix + 1, iy + 1, seed);
        float top = a + (b - a) * fx;
        float bottom = c + (d - c) * fx;
        return top + (bottom - top) * fy;
    }

    /** Smooth noise in space, 0..1. */
    static float smooth(float x, float y, float z, int seed) {
        int iz = floor(z);
        float fz = z - iz;
        fz = fz * fz * (3 - 2 * fz);
        float below = smooth(x, y, seed + 7919 * iz);
        float above = smooth(x, y, seed + 7919 * (iz + 1));
        return below + (above - below) * fz;
    }

    static int floor(float v) {
        int i = (int) v;
        return v < i ? i - 1 : i;
    }
}

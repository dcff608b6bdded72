// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.Arrays;

/** The picture of one body alone: premultiplied linear light, coverage, and which part is where. */
final class Layer {

    int left;
    int top;
    int width;
    int height;
    float[] r = new float[0];
    float[] g = new float[0];
    float[] b = new float[0];
    float[] a = new float[0];

    /** Part number of a pixel that is covered well enough to be seen, else -1. */
    byte[] part = new byte[0];

    void resize(int newLeft, int newTop, int newWidth, int newHeight) {
        left = newLeft;
        top = newTop;
        width = newWidth;
        height = newHeight;
        int size = width * height;
        if (a.length < size) {
            int room = size + size / 2;
            r = new float[room];
            g = new float[room];
            b = new float[room];
            a = new float[room];
            part = new byte[room];
        }
        Arrays.fill(a, 0, size, 0);
    }

    /** Takes another layer's picture, averaged over a move of so many pixels around its place. */
    void smear(Layer sharp, double dx, double dy, int steps) {
        int beyondX = steps == 1 ? 0 : (int) Math.ceil(Math.abs(dx) / 2);
        int beyondY = steps == 1 ? 0 : (int) Math.ceil(Math.abs(dy) / 2);
        resize(
                sharp.left - beyondX,
                sharp.top - beyondY,
                sharp.width + 2 * beyondX,
                sharp.height + 2 * beyondY);
        int size = width * height;
        Arrays.fill(r, 0, size, 0);
        Arrays.fill(g, 0, size, 0);
        Arrays.fill(b, 0, size, 0);
        Arrays.fill(part, 0, size, (byte) -1);
        float share = 1f / steps;
        for (int step = 0; step < steps; step++) {
            double along = steps == 1 ? 0 : (double) step / (steps - 1) - 0.5;
            int offX = beyondX + (int) Math.rint(along * dx);
            int offY = beyondY + (int) Math.rint(along * dy);
            for (int y = 0; y < sharp.height; y++) {
                int from = y * sharp.width;
                int to = (y + offY) * width + offX;
                for (int x = 0; x < sharp.width; x++, from++, to++) {
                    float cover = sharp.a[from];
                    if (cover > 0) {
                        a[to] += share * cover;
                        r[to] += share * sharp.r[from];
                        g[to] += share * sharp.g[from];
                        b[to] += share * sharp.b[from];
                    }
                }
            }
        }
        for (int y = 0; y < sharp.height; y++) {
            System.arraycopy(
                    sharp.part,
                    y * sharp.width,
                    part,
                    (y + beyondY) * width + beyondX,
                    sharp.width);
        }
    }
}

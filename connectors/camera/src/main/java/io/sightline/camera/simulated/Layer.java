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
}

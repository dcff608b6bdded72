// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * Turns interleaved uint8 BGR [height, width, 3] into planar float32 RGB [3, height, width], 0..1.
 *
 * <p>The values are those of {@code v / 255f}, looked up: a multiplication by 1/255 differs in the
 * last bit for some of the 256, and calibration and serving must see the same numbers. Pixels go
 * through heap arrays small enough for the first cache levels, because single accesses to direct
 * buffers are slower. Not thread-safe.
 */
public final class RgbPlanes {

    private static final int CHUNK = 2048;

    private static final float[] UNIT = new float[256];

    static {
        for (int v = 0; v < UNIT.length; v++) {
            UNIT[v] = v / 255f;
        }
    }

    private final byte[] bgr = new byte[3 * CHUNK];
    private final float[] red = new float[CHUNK];
    private final float[] green = new float[CHUNK];
    private final float[] blue = new float[CHUNK];

    /**
     * @param pixels all bytes of one image, from index 0; positions are left alone
     * @param planes where its 3 × pixels floats go, from index {@code at}
     */
    public void convert(ByteBuffer pixels, FloatBuffer planes, int at) {
        int area = pixels.capacity() / 3;
        for (int done = 0; done < area; done += CHUNK) {
            int count = Math.min(CHUNK, area - done);
            pixels.get(3 * done, bgr, 0, 3 * count);
            for (int i = 0, p = 0; i < count; i++, p += 3) {
                blue[i] = UNIT[bgr[p] & 0xFF];
                green[i] = UNIT[bgr[p + 1] & 0xFF];
                red[i] = UNIT[bgr[p + 2] & 0xFF];
            }
            planes.put(at + done, red, 0, count);
            planes.put(at + area + done, green, 0, count);
            planes.put(at + 2 * area + done, blue, 0, count);
        }
    }
}

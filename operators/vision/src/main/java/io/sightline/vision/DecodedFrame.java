// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import org.bytedeco.opencv.opencv_core.Mat;

/**
 * A decoded picture, uint8 [height, width, 3], BGR. Its pixels belong to the decoder that made it
 * and are gone with that decoder's next frame.
 */
public final class DecodedFrame {

    private final int width;
    private final int height;
    private final boolean endMarkerMissing;
    private Mat pixels;

    DecodedFrame(Mat pixels, boolean endMarkerMissing) {
        this.pixels = pixels;
        this.width = pixels.cols();
        this.height = pixels.rows();
        this.endMarkerMissing = endMarkerMissing;
    }

    public int width() {
        return width;
    }

    public int height() {
        return height;
    }

    /** Whether the picture was complete but for its end marker, as MJPEG cameras leave it. */
    public boolean endMarkerMissing() {
        return endMarkerMissing;
    }

    /**
     * @throws IllegalStateException if the decoder has gone on to another frame, or is closed
     */
    Mat pixels() {
        if (pixels == null) {
            throw new IllegalStateException(
                    "the pixels of this frame are gone: use a frame before the decoder's next");
        }
        return pixels;
    }

    void release() {
        pixels = null;
    }
}

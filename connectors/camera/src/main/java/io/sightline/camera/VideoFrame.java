// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import org.bytedeco.opencv.opencv_core.Mat;

/**
 * One decoded picture of a {@link VideoSource}: uint8 [height, width, 3], BGR, in native memory
 * that belongs to the source and holds this picture only until the source's next one is taken.
 */
public final class VideoFrame {

    private final Mat bgr;
    private final long pts;
    private final long mediaNanos;

    VideoFrame(Mat bgr, long pts, long mediaNanos) {
        this.bgr = bgr;
        this.pts = pts;
        this.mediaNanos = mediaNanos;
    }

    /** Presentation time in units of {@link VideoSource#timebase()}. */
    public long pts() {
        return pts;
    }

    /** Presentation time in nanoseconds. */
    public long mediaNanos() {
        return mediaNanos;
    }

    Mat bgr() {
        return bgr;
    }
}

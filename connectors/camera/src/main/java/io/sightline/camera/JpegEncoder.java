// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.bytedeco.opencv.global.opencv_core.CV_8UC3;
import static org.bytedeco.opencv.global.opencv_imgcodecs.IMWRITE_JPEG_QUALITY;
import static org.bytedeco.opencv.global.opencv_imgcodecs.imencode;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.opencv.opencv_core.Mat;

/** Encodes pictures as JPEG. Owns native buffers that it uses again; for one thread at a time. */
public final class JpegEncoder implements AutoCloseable {

    /** The quality at which detections on a replayed video equal those on its pictures. */
    public static final int DEFAULT_QUALITY = 95;

    private final IntPointer parameters;
    private final BytePointer buffer;
    private boolean closed;

    /**
     * @param quality 1 (smallest) to 100 (best)
     * @throws IllegalArgumentException where it is outside that range
     */
    public JpegEncoder(int quality) {
        requireQuality(quality);
        this.parameters = new IntPointer(IMWRITE_JPEG_QUALITY, quality);
        this.buffer = new BytePointer();
    }

    static int requireQuality(int quality) {
        if (quality < 1 || quality > 100) {
            throw new IllegalArgumentException("JPEG quality " + quality + ": expected 1 to 100");
        }
        return quality;
    }

    /** The picture as a JPEG file. */
    public byte[] encode(VideoFrame frame) {
        requireOpen();
        return encode(frame.bgr());
    }

    /**
     * A picture as a JPEG file.
     *
     * @param bgr uint8 [height, width, 3], BGR, row by row without padding
     */
    public byte[] encode(byte[] bgr, int width, int height) {
        requireOpen();
        if (bgr.length != 3L * width * height) {
            throw new IllegalArgumentException(
                    "JPEG encoder: a picture of "
                            + bgr.length
                            + " bytes, expected 3 x "
                            + width
                            + " x "
                            + height);
        }
        try (BytePointer pixels = new BytePointer(bgr);
                Mat picture = new Mat(height, width, CV_8UC3, pixels)) {
            return encode(picture);
        }
    }

    private byte[] encode(Mat picture) {
        // What was written last time is not longer than what the buffer can hold.
        buffer.limit(buffer.capacity());
        if (!imencode(".jpg", picture, buffer, parameters)) {
            throw new IllegalStateException(
                    "JPEG encoder: OpenCV refused a picture of "
                            + picture.cols()
                            + "x"
                            + picture.rows());
        }
        byte[] jpeg = new byte[Math.toIntExact(buffer.limit())];
        buffer.get(jpeg);
        return jpeg;
    }

    private void requireOpen() {
        if (closed) {
            throw new IllegalStateException("JPEG encoder: closed");
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            buffer.close();
            parameters.close();
        }
    }
}

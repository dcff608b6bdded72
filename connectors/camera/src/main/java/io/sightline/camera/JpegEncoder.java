// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.bytedeco.opencv.global.opencv_imgcodecs.IMWRITE_JPEG_QUALITY;
import static org.bytedeco.opencv.global.opencv_imgcodecs.imencode;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;

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
        if (closed) {
            throw new IllegalStateException("JPEG encoder: closed");
        }
        // What was written last time is not longer than what the buffer can hold.
        buffer.limit(buffer.capacity());
        if (!imencode(".jpg", frame.bgr(), buffer, parameters)) {
            throw new IllegalStateException(
                    "JPEG encoder: OpenCV refused a picture of "
                            + frame.bgr().cols()
                            + "x"
                            + frame.bgr().rows());
        }
        byte[] jpeg = new byte[Math.toIntExact(buffer.limit())];
        buffer.get(jpeg);
        return jpeg;
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

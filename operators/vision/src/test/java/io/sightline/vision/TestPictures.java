// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import java.util.Arrays;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;

/** Pictures for tests, and their encodings. */
final class TestPictures {

    private TestPictures() {}

    /** Soft colours with some noise, away from gray: BGR bytes. */
    static byte[] pixels(int width, int height, long seed) {
        Random random = new Random(seed);
        byte[] pixels = new byte[width * height * 3];
        int slope = 1 + random.nextInt(3);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    pixels[(y * width + x) * 3 + c] =
                            (byte) (20 + (slope * y + x * (c + 1)) % 90 + random.nextInt(10));
                }
            }
        }
        return pixels;
    }

    static Mat mat(int width, int height, int type, byte[] pixels) {
        Mat mat = new Mat(height, width, type);
        mat.data().put(pixels);
        return mat;
    }

    /** The picture of {@link #pixels} in a format of OpenCV's, with its parameters. */
    static byte[] encode(String extension, int width, int height, long seed, int... parameters) {
        try (Mat mat = mat(width, height, opencv_core.CV_8UC3, pixels(width, height, seed))) {
            return encode(extension, mat, parameters);
        }
    }

    static byte[] encode(String extension, Mat mat, int... parameters) {
        OpenCv.load();
        try (BytePointer buffer = new BytePointer();
                IntPointer options = new IntPointer(parameters)) {
            if (!opencv_imgcodecs.imencode(extension, mat, buffer, options)) {
                throw new IllegalStateException("cannot encode " + extension);
            }
            byte[] encoded = new byte[(int) buffer.limit()];
            buffer.get(encoded);
            return encoded;
        }
    }

    static byte[] jpeg(int width, int height, long seed) {
        return encode(".jpg", width, height, seed, opencv_imgcodecs.IMWRITE_JPEG_QUALITY, 90);
    }

    static byte[] progressiveJpeg(int width, int height, long seed) {
        return encode(
                ".jpg",
                width,
                height,
                seed,
                opencv_imgcodecs.IMWRITE_JPEG_QUALITY,
                90,
                opencv_imgcodecs.IMWRITE_JPEG_PROGRESSIVE,
                1);
    }

    static byte[] cut(byte[] encoded, int length) {
        return Arrays.copyOf(encoded, length);
    }

    static byte[] append(byte[] encoded, int... more) {
        byte[] longer = Arrays.copyOf(encoded, encoded.length + more.length);
        for (int i = 0; i < more.length; i++) {
            longer[encoded.length + i] = (byte) more[i];
        }
        return longer;
    }

    /** The pixels of a decoded frame, BGR bytes. */
    static byte[] pixels(DecodedFrame frame) {
        byte[] pixels = new byte[frame.width() * frame.height() * 3];
        frame.pixels().data().get(pixels);
        return pixels;
    }
}

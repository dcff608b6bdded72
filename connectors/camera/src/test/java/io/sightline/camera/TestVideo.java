// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.bytedeco.opencv.global.opencv_imgcodecs.IMREAD_GRAYSCALE;
import static org.bytedeco.opencv.global.opencv_imgcodecs.imdecode;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.bytedeco.ffmpeg.global.avcodec;
import org.bytedeco.ffmpeg.global.avutil;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacv.FFmpegFrameRecorder;
import org.bytedeco.javacv.Frame;
import org.bytedeco.opencv.opencv_core.Mat;

/** Small videos whose pictures carry their number, as eight bars that are black or white. */
final class TestVideo {

    private static final int BARS = 8;
    private static final int BAR_WIDTH = 16;
    static final int WIDTH = BARS * BAR_WIDTH;
    static final int HEIGHT = 48;

    private TestVideo() {}

    /** Writes an MPEG-4 video of so many pictures, numbered from {@code first}. */
    static Path write(Path file, int first, int count, double frameRate) throws Exception {
        return write(file, "mp4", avcodec.AV_CODEC_ID_MPEG4, first, count, frameRate);
    }

    /**
     * The same as bytes that tell no length, as cameras send it; fewer than ten are not recognised.
     */
    static byte[] stream(Path folder, int first, int count) throws Exception {
        Path file = folder.resolve("stream");
        return Files.readAllBytes(
                write(file, "mpegts", avcodec.AV_CODEC_ID_MPEG2VIDEO, first, count, 25));
    }

    private static Path write(
            Path file, String format, int codec, int first, int count, double frameRate)
            throws Exception {
        try (FFmpegFrameRecorder recorder =
                        new FFmpegFrameRecorder(file.toFile(), WIDTH, HEIGHT, 0);
                Frame picture = new Frame(WIDTH, HEIGHT, Frame.DEPTH_UBYTE, 3)) {
            recorder.setFormat(format);
            recorder.setVideoCodec(codec);
            recorder.setPixelFormat(avutil.AV_PIX_FMT_YUV420P);
            recorder.setFrameRate(frameRate);
            recorder.setVideoQuality(2);
            recorder.start();
            for (int number = first; number < first + count; number++) {
                paint((ByteBuffer) picture.image[0], picture.imageStride, number);
                recorder.record(picture);
            }
        }
        return file;
    }

    /** The number a picture carries. */
    static int number(byte[] jpeg) {
        try (BytePointer bytes = new BytePointer(jpeg);
                Mat encoded = new Mat(bytes, false);
                Mat gray = imdecode(encoded, IMREAD_GRAYSCALE)) {
            if (gray.cols() != WIDTH || gray.rows() != HEIGHT) {
                throw new AssertionError("picture of " + gray.cols() + "x" + gray.rows());
            }
            int number = 0;
            for (int bar = 0; bar < BARS; bar++) {
                int value = gray.ptr(HEIGHT / 2, bar * BAR_WIDTH + BAR_WIDTH / 2).get() & 0xff;
                number |= (value > 127 ? 1 : 0) << bar;
            }
            return number;
        }
    }

    private static void paint(ByteBuffer pixels, int stride, int number) {
        for (int y = 0; y < HEIGHT; y++) {
            for (int x = 0; x < WIDTH; x++) {
                byte value = (byte) ((number >> (x / BAR_WIDTH) & 1) == 1 ? 255 : 0);
                int at = y * stride + 3 * x;
                pixels.put(at, value).put(at + 1, value).put(at + 2, value);
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;

/**
 * Decodes JPEG, PNG and WebP with OpenCV, on the calling thread. Whatever a picture holds comes out
 * as 8-bit BGR: gray is spread, CMYK converted, 16 bits cut to 8, transparency ignored. EXIF
 * orientation is ignored too: boxes are in the pixels as stored.
 *
 * <p>Truncated pictures are rejected, at whatever byte they were cut; a JPEG that lacks only its
 * end marker is accepted and says so. What cannot be told: a baseline JPEG cut within its very last
 * block group (at most 32 × 32 pixels at the bottom right) and then closed with an end marker, a
 * lossy WebP whose container was rewritten to match its last few missing bytes, and damage that is
 * still valid code. Codecs may write one line about a corrupt picture to the standard error stream.
 *
 * <p>For one thread at a time. Owns its memory: one buffer for encoded bytes and one for pixels,
 * which grow to the largest frame and are counted by {@link NativeMemory#allocatedBytes()}. A
 * buffer that {@value #SMALL_FRAMES} frames in a row used less than a quarter of is made smaller.
 */
public final class OpenCvFrameDecoder implements FrameDecoder {

    private static final int FLAGS =
            opencv_imgcodecs.IMREAD_COLOR_BGR | opencv_imgcodecs.IMREAD_IGNORE_ORIENTATION;

    private static final int CHANNELS = 3;

    /** OpenCV refuses wider or higher pictures. */
    private static final int MAX_SIDE = 1 << 20;

    /** Room for the end marker that some JPEGs lack. */
    private static final int END_MARKER_BYTES = 2;

    private static final int SMALL_FRAMES = 256;
    private static final int MARKED_BYTES = 64;
    private static final byte[] MARKS = {0x55, (byte) 0xaa};

    private final FrameLimits limits;
    private final Buffer encodedBuffer = new Buffer();
    private final Buffer pixelBuffer = new Buffer();
    private Mat encodedMat;
    private Mat pixelMat;
    private DecodedFrame current;
    private boolean closed;

    public OpenCvFrameDecoder(FrameLimits limits) {
        OpenCv.load();
        this.limits = limits;
    }

    /**
     * The most that a decoder with these limits allocates through JavaCPP, and keeps: what counts
     * against {@link NativeMemory#maxBytes()}.
     */
    public static long maxBufferBytes(FrameLimits limits) {
        return (long) limits.maxFrameBytes()
                + END_MARKER_BYTES
                + (long) limits.maxFramePixels() * CHANNELS;
    }

    @Override
    public DecodedFrame decode(byte[] encoded) throws FrameRejectedException {
        if (closed) {
            throw new IllegalStateException("the decoder is closed");
        }
        if (current != null) {
            current.release();
            current = null;
        }
        if (encoded.length > limits.maxFrameBytes()) {
            throw new FrameRejectedException(
                    Rejection.FRAME_TOO_LARGE,
                    "the frame has "
                            + encoded.length
                            + " bytes: expected at most max-frame-bytes "
                            + limits.maxFrameBytes());
        }
        Picture picture = Picture.read(encoded);
        if ((long) picture.width() * picture.height() > limits.maxFramePixels()
                || Math.max(picture.width(), picture.height()) > MAX_SIDE) {
            throw new FrameRejectedException(
                    Rejection.PICTURE_TOO_LARGE,
                    "the picture is "
                            + picture.width()
                            + "x"
                            + picture.height()
                            + ": expected at most max-frame-pixels "
                            + limits.maxFramePixels());
        }
        boolean endMarkerMissing = picture.requireComplete();
        copyEncoded(encoded, endMarkerMissing);
        preparePixels(picture);
        decodePixels(picture);
        int last = pixelBytes(picture) - CHANNELS;
        picture.requireDecodedToTheEnd(
                pixelBuffer.view.get(last) & 0xff,
                pixelBuffer.view.get(last + 1) & 0xff,
                pixelBuffer.view.get(last + 2) & 0xff);
        current = new DecodedFrame(pixelMat, endMarkerMissing);
        return current;
    }

    @Override
    public void close() {
        closed = true;
        if (current != null) {
            current.release();
            current = null;
        }
        closeMat(encodedMat);
        encodedMat = null;
        closeMat(pixelMat);
        pixelMat = null;
        encodedBuffer.close();
        pixelBuffer.close();
    }

    private void copyEncoded(byte[] encoded, boolean endMarkerMissing) {
        int length = encoded.length + (endMarkerMissing ? END_MARKER_BYTES : 0);
        // Sizes of frames vary all the time: half as much again keeps the buffer from following.
        long roomy = encoded.length + encoded.length / 2L;
        long capacity = Math.min(roomy, limits.maxFrameBytes()) + END_MARKER_BYTES;
        if (encodedBuffer.reserve(encoded.length + END_MARKER_BYTES, capacity)) {
            closeMat(encodedMat);
            encodedMat = new Mat(1, length, opencv_core.CV_8UC1, encodedBuffer.memory);
        }
        encodedBuffer.memory.put(encoded, 0, encoded.length);
        if (endMarkerMissing) {
            encodedBuffer.memory.put(encoded.length, (byte) 0xff);
            encodedBuffer.memory.put(encoded.length + 1L, (byte) JpegMarkers.EOI);
        }
        encodedMat.cols(length);
    }

    private void preparePixels(Picture picture) {
        int bytes = pixelBytes(picture);
        int width = picture.width();
        int height = picture.height();
        boolean moved = pixelBuffer.reserve(bytes, bytes);
        if (moved || pixelMat == null || pixelMat.cols() != width || pixelMat.rows() != height) {
            closeMat(pixelMat);
            pixelMat = new Mat(height, width, opencv_core.CV_8UC3, pixelBuffer.memory);
        }
    }

    private void decodePixels(Picture picture) throws FrameRejectedException {
        int end = pixelBytes(picture);
        int start = Math.max(0, end - MARKED_BYTES);
        // The buffer still holds an earlier frame. Codecs that stop early should say so; this
        // holds them to it. A picture that happens to end like one mark does not like the other.
        for (byte mark : MARKS) {
            for (int i = start; i < end; i++) {
                pixelBuffer.view.put(i, mark);
            }
            decodeOnce();
            for (int i = start; i < end; i++) {
                if (pixelBuffer.view.get(i) != mark) {
                    return;
                }
            }
        }
        throw new FrameRejectedException(
                Rejection.TRUNCATED, "the decoder did not reach the end of the picture");
    }

    private void decodeOnce() throws FrameRejectedException {
        try (Mat result = opencv_imgcodecs.imdecode(encodedMat, FLAGS, pixelMat)) {
            // OpenCV allocates anew where its idea of the size differs from the header's.
            if (result.empty() || pixelMat.data().address() != pixelBuffer.memory.address()) {
                throw undecodable("the decoder refused it");
            }
        } catch (RuntimeException e) {
            throw undecodable(String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
    }

    private FrameRejectedException undecodable(String reason) {
        // Whatever OpenCV left in the header, the next frame gets a new one.
        closeMat(pixelMat);
        pixelMat = null;
        return new FrameRejectedException(
                Rejection.CORRUPT, "the picture cannot be decoded: " + reason);
    }

    /** Fits an int: the limits say so. */
    private static int pixelBytes(Picture picture) {
        return picture.width() * picture.height() * CHANNELS;
    }

    private static void closeMat(Mat mat) {
        if (mat != null) {
            mat.close();
        }
    }

    /** Native memory that grows when it must and shrinks when it long could. */
    private static final class Buffer {
        private BytePointer memory;
        private ByteBuffer view;
        private int smallFrames;

        /**
         * @param bytes needed now
         * @param capacity to allocate if it must be allocated
         * @return whether the memory is another than before
         */
        boolean reserve(long bytes, long capacity) {
            long present = memory == null ? 0 : memory.capacity();
            smallFrames = bytes * 4 < present ? smallFrames + 1 : 0;
            if (bytes <= present && smallFrames < SMALL_FRAMES) {
                return false;
            }
            close();
            memory = new BytePointer(capacity);
            view = memory.asByteBuffer();
            return true;
        }

        void close() {
            smallFrames = 0;
            if (memory != null) {
                memory.close();
                memory = null;
                view = null;
            }
        }
    }
}

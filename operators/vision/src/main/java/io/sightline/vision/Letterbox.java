// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.ModelSpec;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Size;

/**
 * Resizes decoded frames straight into the slots of a batch and fills what is left of them with the
 * model's gray; {@link LetterboxGeometry} says where. For one thread at a time.
 */
public final class Letterbox implements AutoCloseable {

    private static final int CHANNELS = 3;

    private final int inputWidth;
    private final int inputHeight;
    private final int border;
    private final Interpolation interpolation;

    /** As long as the longest stretch to fill: all of a slot but one pixel. */
    private final byte[] gray;

    // Native headers, aimed at each frame's place anew so that no frame allocates any.
    private final Mat target;
    private final Size targetSize;
    private boolean closed;

    /**
     * @param spec of the model that the slots belong to: input size, border and fill
     */
    public Letterbox(ModelSpec spec, Interpolation interpolation) {
        OpenCv.load();
        inputWidth = spec.inputWidth();
        inputHeight = spec.inputHeight();
        border = spec.border();
        this.interpolation = interpolation;
        gray = new byte[spec.slotBytes()];
        Arrays.fill(gray, (byte) spec.fill());
        targetSize = new Size();
        // Two rows of one pixel make a header of rows apart. It never looks at, or owns, this byte.
        try (BytePointer any = new BytePointer(1)) {
            target = new Mat(2, 1, opencv_core.CV_8UC3, any, (long) inputWidth * CHANNELS);
        }
    }

    /**
     * Writes all of the slot, and nothing else.
     *
     * @param slot uint8 [inputHeight, inputWidth, 3], direct; its position and limit are not looked
     *     at
     * @return where the frame lies in it
     * @throws IllegalArgumentException if the slot is not one of this model
     * @throws IllegalStateException if the frame's decoder has gone on to another
     */
    public LetterboxGeometry write(DecodedFrame frame, ByteBuffer slot) {
        if (closed) {
            throw new IllegalStateException("the letterbox is closed");
        }
        if (!slot.isDirect() || slot.capacity() != gray.length) {
            throw new IllegalArgumentException(
                    "slot of "
                            + slot.capacity()
                            + (slot.isDirect() ? " direct" : " heap")
                            + " bytes: expected "
                            + gray.length
                            + " direct, for "
                            + inputWidth
                            + "x"
                            + inputHeight
                            + "x3");
        }
        Mat source = frame.pixels();
        LetterboxGeometry geometry =
                LetterboxGeometry.of(
                        frame.width(), frame.height(), inputWidth, inputHeight, border);
        try (BytePointer pixels = new BytePointer(slot)) {
            target.rows(geometry.resizedHeight());
            target.cols(geometry.resizedWidth());
            target.data(pixels.position(offset(geometry.left(), geometry.top())));
            targetSize.width(geometry.resizedWidth()).height(geometry.resizedHeight());
            opencv_imgproc.resize(source, target, targetSize, 0, 0, interpolation(geometry));
        }
        fill(slot, geometry);
        return geometry;
    }

    /** Idempotent. */
    @Override
    public void close() {
        closed = true;
        target.close();
        targetSize.close();
    }

    private int interpolation(LetterboxGeometry geometry) {
        return interpolation == Interpolation.YOLOV6 && geometry.shrinks()
                ? opencv_imgproc.INTER_AREA
                : opencv_imgproc.INTER_LINEAR;
    }

    /** One stretch of gray from each row of the image to the next, and one at either end. */
    private void fill(ByteBuffer slot, LetterboxGeometry geometry) {
        int from = 0;
        for (int y = geometry.top(); y < geometry.top() + geometry.resizedHeight(); y++) {
            slot.put(from, gray, 0, offset(geometry.left(), y) - from);
            from = offset(geometry.left() + geometry.resizedWidth(), y);
        }
        slot.put(from, gray, 0, gray.length - from);
    }

    private int offset(int x, int y) {
        return (y * inputWidth + x) * CHANNELS;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.sightline.inference.ModelSpec;
import java.nio.ByteBuffer;
import java.util.Random;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.Rect;
import org.bytedeco.opencv.opencv_core.Scalar;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LetterboxTest {

    private static final int GRAY = 114;
    private static final byte CANARY = 0x77;
    private static final int CANARIES = 4096;

    /** A slot amid bytes that must stay as they are. */
    private static final class GuardedSlot {
        final ByteBuffer all;
        final ByteBuffer slot;

        GuardedSlot(ModelSpec spec) {
            all = ByteBuffer.allocateDirect(spec.slotBytes() + 2 * CANARIES);
            for (int i = 0; i < all.capacity(); i++) {
                all.put(i, CANARY);
            }
            slot = all.slice(CANARIES, spec.slotBytes());
        }

        void check() {
            for (int i = 0; i < CANARIES; i++) {
                assertThat(all.get(i)).isEqualTo(CANARY);
                assertThat(all.get(all.capacity() - 1 - i)).isEqualTo(CANARY);
            }
        }
    }

    /**
     * Paints a white rectangle on black, and finds its edges by the light in the letterboxed rows
     * and columns: the interpolation keeps the sum, so edges between pixels are found too.
     */
    @Property(tries = 150)
    void shouldKeepARectangleWhereItIs(
            @ForAll @IntRange(min = 1, max = 10_000) int imageWidth,
            @ForAll @IntRange(min = 1, max = 3_000) int otherSide,
            @ForAll boolean upright,
            @ForAll @IntRange(min = 32, max = 640) int inputWidth,
            @ForAll @IntRange(min = 32, max = 640) int inputHeight,
            @ForAll @IntRange(max = 8) int border,
            @ForAll Interpolation interpolation,
            @ForAll long seed) {
        int imageHeight = Math.min(otherSide, 8_000_000 / imageWidth);
        checkRectangle(
                upright ? imageHeight : imageWidth,
                upright ? imageWidth : imageHeight,
                inputWidth,
                inputHeight,
                border,
                interpolation,
                new Random(seed));
    }

    @Example
    void shouldKeepARectangleInExtremeShapes() {
        int[][] sizes = {{10_000, 1}, {1, 10_000}, {1, 1}, {2, 2}, {10_000, 7}, {3, 9_999}};
        for (int[] size : sizes) {
            for (Interpolation interpolation : Interpolation.values()) {
                for (int seed = 0; seed < 5; seed++) {
                    checkRectangle(size[0], size[1], 640, 384, 3, interpolation, new Random(seed));
                }
            }
        }
    }

    private static void checkRectangle(
            int imageWidth,
            int imageHeight,
            int inputWidth,
            int inputHeight,
            int border,
            Interpolation interpolation,
            Random random) {
        ModelSpec spec = TestModels.input(inputWidth, inputHeight, border);
        GuardedSlot guarded = new GuardedSlot(spec);
        int x1 = random.nextInt(imageWidth);
        int y1 = random.nextInt(imageHeight);
        int x2 = x1 + 1 + random.nextInt(imageWidth - x1);
        int y2 = y1 + 1 + random.nextInt(imageHeight - y1);
        LetterboxGeometry geometry;
        try (Mat image = new Mat(imageHeight, imageWidth, opencv_core.CV_8UC3, Scalar.BLACK);
                Rect area = new Rect(x1, y1, x2 - x1, y2 - y1);
                Mat rectangle = new Mat(image, area);
                Letterbox letterbox = new Letterbox(spec, interpolation)) {
            rectangle.put(Scalar.WHITE);
            geometry = letterbox.write(new DecodedFrame(image, false), guarded.slot);
        }
        guarded.check();
        assertThat(geometry)
                .isEqualTo(
                        LetterboxGeometry.of(
                                imageWidth, imageHeight, inputWidth, inputHeight, border));
        checkGray(guarded.slot, geometry, inputWidth, inputHeight);

        double[] columns = new double[geometry.resizedWidth()];
        double[] rows = new double[geometry.resizedHeight()];
        for (int y = 0; y < rows.length; y++) {
            for (int x = 0; x < columns.length; x++) {
                int place = ((geometry.top() + y) * inputWidth + geometry.left() + x) * 3;
                double light = (guarded.slot.get(place) & 0xff) / 255.0;
                columns[x] = Math.max(columns[x], light);
                rows[y] = Math.max(rows[y], light);
            }
        }
        checkEdges(columns, imageWidth, x1, x2, interpolation, geometry, true);
        checkEdges(rows, imageHeight, y1, y2, interpolation, geometry, false);
    }

    /**
     * @param light of each column or row, 0..1 where the other axis is fully inside the rectangle
     */
    private static void checkEdges(
            double[] light,
            int size,
            int from,
            int to,
            Interpolation interpolation,
            LetterboxGeometry geometry,
            boolean horizontal) {
        double gain = light.length / (double) size;
        double brightest = 0;
        for (double value : light) {
            brightest = Math.max(brightest, value);
        }
        // Edges are well defined where something is fully lit: not where the rectangle is thinner
        // than a pixel of the input, or the point sampling of LINEAR jumps over it.
        if (brightest < 0.999) {
            return;
        }
        int first = 0;
        while (light[first] < 0.999) {
            first++;
        }
        int last = light.length - 1;
        while (light[last] < 0.999) {
            last--;
        }
        double start = first;
        for (int i = 0; i < first; i++) {
            start -= light[i];
        }
        double end = last + 1.0;
        for (int i = last + 1; i < light.length; i++) {
            end += light[i];
        }
        int offset = horizontal ? geometry.left() : geometry.top();
        double foundFrom =
                horizontal ? geometry.toImageX(offset + start) : geometry.toImageY(offset + start);
        double foundTo =
                horizontal ? geometry.toImageX(offset + end) : geometry.toImageY(offset + end);
        // LINEAR looks at two source pixels around each centre, however far centres are apart: an
        // edge between two centres is then known to half their distance, and no better.
        boolean samplesPoints =
                interpolation == Interpolation.LINEAR || (gain > 1 && !geometry.shrinks());
        double tolerance = samplesPoints ? Math.max(1, 0.5 / gain + 0.5) : 1;
        assertThat(foundFrom).isCloseTo(from, within(tolerance));
        assertThat(foundTo).isCloseTo(to, within(tolerance));
    }

    private static void checkGray(
            ByteBuffer slot, LetterboxGeometry geometry, int inputWidth, int inputHeight) {
        for (int y = 0; y < inputHeight; y++) {
            boolean outside = y < geometry.top() || y >= geometry.top() + geometry.resizedHeight();
            for (int x = 0; x < inputWidth; x++) {
                if (!outside && x == geometry.left()) {
                    x += geometry.resizedWidth();
                    if (x >= inputWidth) {
                        break;
                    }
                }
                int place = (y * inputWidth + x) * 3;
                if (slot.get(place) != GRAY
                        || slot.get(place + 1) != GRAY
                        || slot.get(place + 2) != GRAY) {
                    throw new AssertionError(
                            "column " + x + ", row " + y + " is not gray in " + geometry);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldCopyAnImageThatFitsUnchanged(Interpolation interpolation) {
        ModelSpec spec = TestModels.input(70, 50, 0);
        GuardedSlot guarded = new GuardedSlot(spec);
        byte[] pixels = TestPictures.pixels(70, 50, 1);
        try (Mat image = TestPictures.mat(70, 50, opencv_core.CV_8UC3, pixels);
                Letterbox letterbox = new Letterbox(spec, interpolation)) {
            letterbox.write(new DecodedFrame(image, false), guarded.slot);
        }

        byte[] written = new byte[pixels.length];
        guarded.slot.get(0, written);
        assertThat(written).isEqualTo(pixels);
    }

    @Example
    void shouldLeaveNothingOfTheFrameBefore() throws Exception {
        ModelSpec spec = TestModels.input(64, 64, 3);
        ByteBuffer slot = ByteBuffer.allocateDirect(spec.slotBytes());
        try (OpenCvFrameDecoder decoder =
                        new OpenCvFrameDecoder(new FrameLimits(100_000, 100_000));
                Letterbox letterbox = new Letterbox(spec, Interpolation.LINEAR)) {
            letterbox.write(decoder.decode(TestPictures.jpeg(60, 60, 1)), slot);
            LetterboxGeometry wide =
                    letterbox.write(decoder.decode(TestPictures.jpeg(200, 20, 2)), slot);

            checkGray(slot, wide, 64, 64);
        }
    }

    @Example
    void shouldAllocateNothingFromFrameToFrame() throws Exception {
        ModelSpec spec = TestModels.input(64, 64, 3);
        ByteBuffer slot = ByteBuffer.allocateDirect(spec.slotBytes());
        long before = NativeMemory.allocatedBytes();
        try (OpenCvFrameDecoder decoder =
                        new OpenCvFrameDecoder(new FrameLimits(100_000, 100_000));
                Letterbox letterbox = new Letterbox(spec, Interpolation.YOLOV6)) {
            DecodedFrame frame = decoder.decode(TestPictures.jpeg(200, 100, 1));
            letterbox.write(frame, slot);
            long warm = NativeMemory.allocatedBytes();
            for (int i = 0; i < 100; i++) {
                letterbox.write(frame, slot);
            }
            assertThat(NativeMemory.allocatedBytes()).isEqualTo(warm);
        }
        assertThat(NativeMemory.allocatedBytes()).isEqualTo(before);
    }

    @Example
    void shouldRefuseASlotOfAnotherModel() {
        ModelSpec spec = TestModels.input(64, 64, 3);
        try (Mat image = new Mat(10, 10, opencv_core.CV_8UC3, Scalar.BLACK);
                Letterbox letterbox = new Letterbox(spec, Interpolation.LINEAR)) {
            DecodedFrame frame = new DecodedFrame(image, false);

            assertThatIllegalArgumentException()
                    .isThrownBy(() -> letterbox.write(frame, ByteBuffer.allocateDirect(100)))
                    .withMessageContaining("expected 12288 direct");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> letterbox.write(frame, ByteBuffer.allocate(12288)));
        }
    }

    @Example
    void shouldRefuseToWorkOnceClosed() {
        ModelSpec spec = TestModels.input(64, 64, 3);
        Letterbox letterbox = new Letterbox(spec, Interpolation.LINEAR);
        letterbox.close();
        letterbox.close();
        try (Mat image = new Mat(10, 10, opencv_core.CV_8UC3, Scalar.BLACK)) {
            DecodedFrame frame = new DecodedFrame(image, false);

            assertThatIllegalStateException()
                    .isThrownBy(
                            () ->
                                    letterbox.write(
                                            frame, ByteBuffer.allocateDirect(spec.slotBytes())));
        }
    }
}

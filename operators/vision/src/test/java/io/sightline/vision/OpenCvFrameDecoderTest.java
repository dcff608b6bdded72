// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;
import io.sightline.events.testing.SharedFiles;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgcodecs;
import org.bytedeco.opencv.opencv_core.Mat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class OpenCvFrameDecoderTest {

    private static final FrameLimits LIMITS = new FrameLimits(4 << 20, 8_000_000);
    private static final int WIDTH = 70;
    private static final int HEIGHT = 50;
    private static final int EOI = 0xd9;

    private final OpenCvFrameDecoder decoder = new OpenCvFrameDecoder(LIMITS);

    @AfterEach
    void close() {
        decoder.close();
    }

    static List<Arguments> encodings() {
        int quality = opencv_imgcodecs.IMWRITE_JPEG_QUALITY;
        int sampling = opencv_imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR;
        int restart = opencv_imgcodecs.IMWRITE_JPEG_RST_INTERVAL;
        int progressive = opencv_imgcodecs.IMWRITE_JPEG_PROGRESSIVE;
        int full = opencv_imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR_444;
        int wide = opencv_imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR_411;
        return List.of(
                encoding("baseline JPEG", ".jpg", quality, 90),
                encoding("baseline 4:4:4 JPEG", ".jpg", quality, 90, sampling, full),
                encoding("baseline 4:1:1 JPEG", ".jpg", quality, 80, sampling, wide),
                encoding("JPEG with restarts", ".jpg", quality, 90, restart, 2),
                encoding("progressive JPEG", ".jpg", quality, 90, progressive, 1),
                encoding(
                        "progressive 4:4:4 JPEG",
                        ".jpg",
                        quality,
                        97,
                        progressive,
                        1,
                        sampling,
                        full,
                        restart,
                        7),
                encoding("PNG", ".png"),
                encoding("lossy WebP", ".webp", opencv_imgcodecs.IMWRITE_WEBP_QUALITY, 80),
                encoding("lossless WebP", ".webp", opencv_imgcodecs.IMWRITE_WEBP_QUALITY, 101));
    }

    private static Arguments encoding(String name, String extension, int... parameters) {
        byte[] encoded = TestPictures.encode(extension, WIDTH, HEIGHT, 1, parameters);
        return Arguments.of(name, encoded);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("encodings")
    void shouldDecodeWhatWasEncoded(String name, byte[] encoded) throws Exception {
        DecodedFrame frame = decoder.decode(encoded);

        assertThat(frame.width()).isEqualTo(WIDTH);
        assertThat(frame.height()).isEqualTo(HEIGHT);
        assertThat(frame.endMarkerMissing()).isFalse();
        assertThat(meanDifference(frame, TestPictures.pixels(WIDTH, HEIGHT, 1)))
                .isLessThan(name.contains("JPEG") || name.contains("lossy") ? 12 : 1e-9);
    }

    @ParameterizedTest
    @ValueSource(strings = {"jpg", "png"})
    void shouldDecodeAsImageIoDoes(String format) throws Exception {
        byte[] encoded = TestPictures.encode("." + format, 123, 77, 3);
        BufferedImage expected = ImageIO.read(new ByteArrayInputStream(encoded));

        DecodedFrame frame = decoder.decode(encoded);

        assertThat(meanDifference(frame, bgr(expected))).isLessThan(1.5);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("encodings")
    void shouldRejectAPictureCutAnywhere(String name, byte[] encoded) throws Exception {
        byte[] other = TestPictures.encode(".png", WIDTH, HEIGHT, 2);
        List<Integer> accepted = new ArrayList<>();
        for (int length = 0; length < encoded.length; length++) {
            decoder.decode(other);
            try {
                DecodedFrame frame = decoder.decode(TestPictures.cut(encoded, length));
                assertThat(frame.endMarkerMissing()).isTrue();
                assertThat(TestPictures.pixels(frame))
                        .isEqualTo(TestPictures.pixels(decoder.decode(encoded)));
                accepted.add(length);
            } catch (FrameRejectedException e) {
                assertThat(e.reason())
                        .isIn(
                                length < 30
                                        ? List.of(Rejection.UNKNOWN_FORMAT, Rejection.TRUNCATED)
                                        : List.of(Rejection.TRUNCATED));
            }
        }
        assertThat(accepted)
                .isEqualTo(
                        name.contains("JPEG")
                                ? List.of(encoded.length - 2, encoded.length - 1)
                                : List.of());
    }

    @ParameterizedTest
    @CsvSource({
        // width, height, sampling as OpenCV numbers it, block group, restart interval
        "70, 50, 0x221111, 16, 16, 0",
        "65, 49, 0x221111, 16, 16, 0",
        "17, 33, 0x221111, 16, 16, 0",
        "64, 64, 0x221111, 16, 16, 0",
        "65, 49, 0x111111,  8,  8, 0",
        "65, 49, 0x211111, 16,  8, 0",
        "65, 49, 0x121111,  8, 16, 0",
        "65, 49, 0x411111, 32,  8, 0",
        "65, 49, 0x221111, 16, 16, 3",
        " 9,  5, 0x221111, 16, 16, 0",
    })
    void shouldRejectAJpegThatWasCutAndThenClosed(
            int width, int height, String sampling, int groupWidth, int groupHeight, int restart)
            throws Exception {
        byte[] encoded =
                TestPictures.encode(
                        ".jpg",
                        width,
                        height,
                        1,
                        opencv_imgcodecs.IMWRITE_JPEG_SAMPLING_FACTOR,
                        Integer.decode(sampling),
                        opencv_imgcodecs.IMWRITE_JPEG_RST_INTERVAL,
                        restart);
        byte[] whole = TestPictures.pixels(decoder.decode(encoded));
        // Upsampled chroma reaches one sample beyond its group.
        int x = (width - 1) / groupWidth * groupWidth - groupWidth / 8;
        int y = (height - 1) / groupHeight * groupHeight - groupHeight / 8;
        // Every place near the end, where it is hard to tell; libjpeg prints a line for each cut.
        for (int length = encoded.length - 3;
                length > 2;
                length -= encoded.length - length < 100 ? 1 : 41) {
            byte[] closed = TestPictures.append(TestPictures.cut(encoded, length), 0xff, EOI);
            try {
                byte[] pixels = TestPictures.pixels(decoder.decode(closed));
                // The documented exception: only the last group is damaged.
                for (int i = 0; i < pixels.length; i++) {
                    if (i / 3 % width < x || i / 3 / width < y) {
                        assertThat(pixels[i]).isEqualTo(whole[i]);
                    }
                }
            } catch (FrameRejectedException e) {
                assertThat(e.reason()).isIn(Rejection.TRUNCATED, Rejection.CORRUPT);
            }
        }
    }

    @Test
    void shouldRejectAProgressiveJpegThatWasCutAndThenClosed() {
        byte[] encoded = TestPictures.progressiveJpeg(WIDTH, HEIGHT, 1);
        for (int length = encoded.length - 3; length > 2; length--) {
            byte[] closed = TestPictures.append(TestPictures.cut(encoded, length), 0xff, EOI);
            assertThatExceptionOfType(FrameRejectedException.class)
                    .isThrownBy(() -> decoder.decode(closed))
                    .satisfies(
                            e ->
                                    assertThat(e.reason())
                                            .isIn(Rejection.TRUNCATED, Rejection.CORRUPT));
        }
    }

    @Test
    void shouldAcceptAGrayPictureThatIsComplete() throws Exception {
        byte[] pixels = new byte[WIDTH * HEIGHT * 3];
        Arrays.fill(pixels, (byte) 128);
        try (Mat gray = TestPictures.mat(WIDTH, HEIGHT, opencv_core.CV_8UC3, pixels)) {
            byte[] encoded = TestPictures.encode(".jpg", gray);

            assertThat(TestPictures.pixels(decoder.decode(encoded))).isEqualTo(pixels);
            assertThat(decoder.decode(TestPictures.cut(encoded, encoded.length - 2)).width())
                    .isEqualTo(WIDTH);
            for (int length = encoded.length - 3; length > 2; length -= 5) {
                byte[] cut = TestPictures.append(TestPictures.cut(encoded, length), 0xff, EOI);
                assertThatExceptionOfType(FrameRejectedException.class)
                        .isThrownBy(() -> decoder.decode(cut));
            }
        }
    }

    @Test
    void shouldNotTakePaddingForAMissingEndMarker() throws Exception {
        byte[] encoded = TestPictures.jpeg(WIDTH, HEIGHT, 1);

        assertThat(decoder.decode(TestPictures.append(encoded, 0, 0, 0)).endMarkerMissing())
                .isFalse();
        assertThat(decoder.decode(TestPictures.append(encoded, 1, 2, 3)).endMarkerMissing())
                .isFalse();
    }

    /** MJPEG leaves the standard's tables out. */
    @Test
    void shouldDecodeAndWalkAJpegWithoutHuffmanTables() throws Exception {
        byte[] encoded = withoutSegments(TestPictures.jpeg(WIDTH, HEIGHT, 1), JpegMarkers.DHT);

        assertThat(meanDifference(decoder.decode(encoded), TestPictures.pixels(WIDTH, HEIGHT, 1)))
                .isLessThan(12);
        assertThat(decoder.decode(TestPictures.cut(encoded, encoded.length - 2)).endMarkerMissing())
                .isTrue();
        assertRejected(TestPictures.cut(encoded, encoded.length - 3), Rejection.TRUNCATED);
    }

    @ParameterizedTest
    @CsvSource({"false, 8", "true, 8", "false, 1", "true, 33"})
    void shouldDecodeGrayJpegs(boolean progressive, int size) throws Exception {
        byte[] pixels = Arrays.copyOf(TestPictures.pixels(size, size, 5), size * size);
        try (Mat gray = TestPictures.mat(size, size, opencv_core.CV_8UC1, pixels)) {
            byte[] encoded =
                    TestPictures.encode(
                            ".jpg",
                            gray,
                            opencv_imgcodecs.IMWRITE_JPEG_QUALITY,
                            100,
                            opencv_imgcodecs.IMWRITE_JPEG_PROGRESSIVE,
                            progressive ? 1 : 0);
            byte[] spread = new byte[3 * pixels.length];
            for (int i = 0; i < spread.length; i++) {
                spread[i] = pixels[i / 3];
            }

            assertThat(meanDifference(decoder.decode(encoded), spread)).isLessThan(2);
            assertThat(
                            decoder.decode(TestPictures.cut(encoded, encoded.length - 2))
                                    .endMarkerMissing())
                    .isTrue();
            assertRejected(TestPictures.cut(encoded, encoded.length - 3), Rejection.TRUNCATED);
        }
    }

    @Test
    void shouldConvertCmykJpegs() throws Exception {
        byte[] encoded = cmykJpeg();

        DecodedFrame frame = decoder.decode(encoded);

        assertThat(frame.width()).isEqualTo(40);
        assertThat(frame.pixels().channels()).isEqualTo(3);
        assertRejected(TestPictures.cut(encoded, encoded.length - 5), Rejection.TRUNCATED);
    }

    @Test
    void shouldBringPngsOfEveryKindToEightBitBgr() throws Exception {
        byte[] pixels = {10, 20, 30, (byte) 255, 40, 50, 60, 0};
        try (Mat alpha = TestPictures.mat(2, 1, opencv_core.CV_8UC4, pixels)) {
            assertThat(TestPictures.pixels(decoder.decode(TestPictures.encode(".png", alpha))))
                    .containsExactly(10, 20, 30, 40, 50, 60);
        }
        try (Mat gray = TestPictures.mat(2, 1, opencv_core.CV_8UC1, new byte[] {7, 9})) {
            assertThat(TestPictures.pixels(decoder.decode(TestPictures.encode(".png", gray))))
                    .containsExactly(7, 7, 7, 9, 9, 9);
        }
        byte[] sixteen = {0, 10, 0, 20, 0, 30, 0, 40, 0, 50, 0, 60};
        try (Mat deep = TestPictures.mat(2, 1, opencv_core.CV_16UC3, sixteen)) {
            assertThat(TestPictures.pixels(decoder.decode(TestPictures.encode(".png", deep))))
                    .containsExactly(10, 20, 30, 40, 50, 60);
        }
    }

    @Test
    void shouldIgnoreExifOrientation() throws Exception {
        byte[] encoded = TestPictures.jpeg(WIDTH, HEIGHT, 1);
        byte[] exif = {
            (byte) 0xff,
            (byte) 0xe1,
            0,
            34,
            'E',
            'x',
            'i',
            'f',
            0,
            0, // APP1
            'M',
            'M',
            0,
            42,
            0,
            0,
            0,
            8, // TIFF header
            0,
            1,
            0x01,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            6,
            0,
            0, // one entry: turned by 90 degrees
            0,
            0,
            0,
            0
        };
        byte[] turned = new byte[encoded.length + exif.length];
        System.arraycopy(encoded, 0, turned, 0, 2);
        System.arraycopy(exif, 0, turned, 2, exif.length);
        System.arraycopy(encoded, 2, turned, 2 + exif.length, encoded.length - 2);

        DecodedFrame frame = decoder.decode(turned);

        assertThat(frame.width()).isEqualTo(WIDTH);
        assertThat(frame.height()).isEqualTo(HEIGHT);
    }

    @Test
    void shouldRejectWhatIsNoPicture() {
        assertRejected(new byte[0], Rejection.UNKNOWN_FORMAT);
        assertRejected(new byte[] {(byte) 0xff}, Rejection.UNKNOWN_FORMAT);
        assertRejected(
                "GIF89a, and more".getBytes(StandardCharsets.US_ASCII), Rejection.UNKNOWN_FORMAT);
        assertRejected(
                "RIFF....WAVEfmt ".getBytes(StandardCharsets.US_ASCII), Rejection.UNKNOWN_FORMAT);
    }

    @Test
    void shouldRejectFramesOverTheByteLimit() {
        assertRejected(new byte[LIMITS.maxFrameBytes() + 1], Rejection.FRAME_TOO_LARGE);
    }

    @Test
    void shouldRejectHeaderBombsBeforeTheyCostAnything() throws Exception {
        long before = NativeMemory.allocatedBytes();

        assertRejected(jpegWithSize(TestPictures.jpeg(64, 64, 1)), Rejection.PICTURE_TOO_LARGE);
        assertRejected(
                jpegWithSize(TestPictures.progressiveJpeg(64, 64, 1)), Rejection.PICTURE_TOO_LARGE);
        byte[] png = TestPictures.encode(".png", 64, 64, 1);
        ByteBuffer.wrap(png).putInt(16, 20_000).putInt(20, 20_000);
        sealPngHeader(png);
        assertRejected(png, Rejection.PICTURE_TOO_LARGE);
        ByteBuffer.wrap(png).putInt(16, Integer.MAX_VALUE).putInt(20, Integer.MAX_VALUE);
        sealPngHeader(png);
        assertRejected(png, Rejection.PICTURE_TOO_LARGE);
        ByteBuffer.wrap(png).putInt(16, 3_000_000).putInt(20, 1);
        sealPngHeader(png);
        assertRejected(png, Rejection.PICTURE_TOO_LARGE);
        byte[] webp = TestPictures.encode(".webp", 64, 64, 1);
        ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN).putInt(21, 0x0fffffff);
        assertRejected(webp, Rejection.PICTURE_TOO_LARGE);
        byte[] lossy =
                TestPictures.encode(".webp", 64, 64, 1, opencv_imgcodecs.IMWRITE_WEBP_QUALITY, 80);
        ByteBuffer.wrap(lossy).order(ByteOrder.LITTLE_ENDIAN).putInt(26, 0x3fff3fff);
        assertRejected(lossy, Rejection.PICTURE_TOO_LARGE);

        assertThat(NativeMemory.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void shouldRejectUnsupportedProcessesAndAnimations() {
        byte[] arithmetic = TestPictures.jpeg(16, 16, 1);
        arithmetic[indexOfMarker(arithmetic, 0xc0)] = (byte) 0xc9;
        assertRejected(arithmetic, Rejection.UNKNOWN_FORMAT);

        byte[] png = TestPictures.encode(".png", 16, 16, 1);
        ByteBuffer animated = ByteBuffer.allocate(png.length + 20);
        animated.put(png, 0, 33).putInt(8);
        byte[] control = {'a', 'c', 'T', 'L', 0, 0, 0, 2, 0, 0, 0, 0};
        CRC32 checksum = new CRC32();
        checksum.update(control);
        animated.put(control).putInt((int) checksum.getValue()).put(png, 33, png.length - 33);
        assertRejected(animated.array(), Rejection.UNKNOWN_FORMAT);
    }

    @Test
    void shouldRejectThousandsOfScans() {
        byte[] encoded = TestPictures.progressiveJpeg(16, 16, 1);
        int start = indexOfMarker(encoded, JpegMarkers.SOS) - 1;
        int end = start + 2;
        while ((encoded[end] & 0xff) != 0xff || encoded[end + 1] == 0) {
            end++;
        }
        ByteArrayOutputStream bomb = new ByteArrayOutputStream();
        bomb.write(encoded, 0, start);
        for (int i = 0; i < 3000; i++) {
            bomb.write(encoded, start, end - start);
        }
        bomb.write(encoded, end, encoded.length - end);

        assertRejected(bomb.toByteArray(), Rejection.CORRUPT);
    }

    @Test
    void shouldRejectAPngWhoseDataEndEarlyInsideWholeChunks() throws Exception {
        byte[] png = TestPictures.encode(".png", WIDTH, HEIGHT, 1);
        ByteBuffer bytes = ByteBuffer.wrap(png);
        int data = 33;
        while (!Picture.hasTag(png, data + 4, "IDAT")) {
            data += 12 + bytes.getInt(data);
        }
        int length = bytes.getInt(data) / 2;
        ByteBuffer shorter = ByteBuffer.allocate(data + 12 + length + 12);
        shorter.put(png, 0, data).putInt(length).put(png, data + 4, 4 + length);
        CRC32 checksum = new CRC32();
        checksum.update(png, data + 4, 4 + length);
        shorter.putInt((int) checksum.getValue()).put(png, png.length - 12, 12);

        decoder.decode(TestPictures.encode(".png", WIDTH, HEIGHT, 2));
        assertRejected(shorter.array(), Rejection.CORRUPT);
    }

    @ParameterizedTest
    @ValueSource(ints = {80, 101})
    void shouldRejectAWebpWhoseContainerHidesTheCut(int quality) throws Exception {
        byte[] webp =
                TestPictures.encode(
                        ".webp", WIDTH, HEIGHT, 1, opencv_imgcodecs.IMWRITE_WEBP_QUALITY, quality);
        for (int length = 32; length < webp.length - 20; length += 2) {
            byte[] cut = TestPictures.cut(webp, length);
            ByteBuffer.wrap(cut)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putInt(4, length - 8)
                    .putInt(16, length - 20);
            assertRejected(cut, Rejection.CORRUPT);
        }
    }

    @Test
    void shouldNeverShowAnEarlierFrameUnderTheNameOfATruncatedOne() throws Exception {
        byte[] first = TestPictures.jpeg(WIDTH, HEIGHT, 1);
        byte[] second = TestPictures.jpeg(WIDTH, HEIGHT, 2);
        DecodedFrame frame = decoder.decode(first);

        assertRejected(TestPictures.cut(second, second.length / 2), Rejection.TRUNCATED);

        assertThatIllegalStateException().isThrownBy(frame::pixels);
        assertThat(TestPictures.pixels(decoder.decode(second)))
                .isNotEqualTo(TestPictures.pixels(decoder.decode(first)));
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "3, 2", "400, 1", "1, 300"})
    void shouldDecodePicturesThatEndLikeTheDecodersMark(int width, int height) throws Exception {
        for (int value : new int[] {0x55, 0xaa}) {
            byte[] pixels = new byte[width * height * 3];
            Arrays.fill(pixels, (byte) value);
            try (Mat mat = TestPictures.mat(width, height, opencv_core.CV_8UC3, pixels)) {
                assertThat(TestPictures.pixels(decoder.decode(TestPictures.encode(".png", mat))))
                        .isEqualTo(pixels);
            }
        }
    }

    @Test
    void shouldKeepItsBuffersWithinTheStatedMemory() throws Exception {
        long before = NativeMemory.allocatedBytes();
        FrameLimits limits = new FrameLimits(100_000, 250 * 200);
        try (OpenCvFrameDecoder small = new OpenCvFrameDecoder(limits)) {
            for (int size = 10; size <= 200; size += 10) {
                small.decode(TestPictures.jpeg(size, size, size));
                small.decode(TestPictures.encode(".png", 250, 200, size));
                // Mat headers are counted as well.
                assertThat(NativeMemory.allocatedBytes() - before)
                        .isLessThan(OpenCvFrameDecoder.maxBufferBytes(limits) + 1000);
            }
        }
        assertThat(NativeMemory.allocatedBytes()).isEqualTo(before);
    }

    @Test
    void shouldGiveBackTheMemoryOfAHugePictureAfterManySmallOnes() throws Exception {
        decoder.decode(TestPictures.jpeg(1600, 1200, 1));
        long huge = NativeMemory.allocatedBytes();
        byte[] small = TestPictures.jpeg(160, 120, 1);
        for (int i = 0; i < 300; i++) {
            decoder.decode(small);
        }

        assertThat(huge - NativeMemory.allocatedBytes()).isGreaterThan(5_000_000);
        assertThat(meanDifference(decoder.decode(small), TestPictures.pixels(160, 120, 1)))
                .isCloseTo(0, within(12.0));
    }

    @Test
    void shouldRefuseToWorkOnceClosed() throws Exception {
        DecodedFrame frame = decoder.decode(TestPictures.jpeg(16, 16, 1));
        decoder.close();
        decoder.close();

        assertThatIllegalStateException().isThrownBy(frame::pixels);
        assertThatIllegalStateException().isThrownBy(() -> decoder.decode(new byte[1]));
    }

    @Test
    void shouldSurviveHostileInputWithoutGrowing() throws Exception {
        long seed = new Random().nextLong();
        System.out.println("hostile input seed " + seed);
        Random random = new Random(seed);
        List<byte[]> good = new ArrayList<>();
        for (Arguments encoding : encodings()) {
            good.add((byte[]) encoding.get()[1]);
        }
        Map<Rejection, Integer> outcomes = new TreeMap<>();
        FrameLimits limits = new FrameLimits(64 << 10, 100_000);
        try (OpenCvFrameDecoder target = new OpenCvFrameDecoder(limits)) {
            long allocated = NativeMemory.allocatedBytes();
            hostile(target, random, good, 2_000, outcomes);
            long physical = NativeMemory.physicalBytes();

            hostile(target, random, good, 10_000, outcomes);

            System.out.println("hostile input outcomes " + outcomes);
            assertThat(NativeMemory.allocatedBytes() - allocated)
                    .isLessThan(OpenCvFrameDecoder.maxBufferBytes(limits) + 1000);
            // Room for what the heap itself may take meanwhile.
            assertThat(NativeMemory.physicalBytes() - physical).isLessThan(100_000_000);
            assertThat(
                            meanDifference(
                                    target.decode(good.get(0)),
                                    TestPictures.pixels(WIDTH, HEIGHT, 1)))
                    .isLessThan(12);
        }
        assertThat(outcomes.keySet())
                .contains(
                        Rejection.CORRUPT,
                        Rejection.TRUNCATED,
                        Rejection.UNKNOWN_FORMAT,
                        Rejection.PICTURE_TOO_LARGE);
    }

    private static void hostile(
            FrameDecoder target,
            Random random,
            List<byte[]> good,
            int count,
            Map<Rejection, Integer> outcomes) {
        for (int i = 0; i < count; i++) {
            byte[] bytes = good.get(random.nextInt(good.size())).clone();
            switch (random.nextInt(12)) {
                case 0, 1, 2 -> {
                    bytes = new byte[random.nextInt(2000)];
                    random.nextBytes(bytes);
                }
                case 3, 4, 5, 6, 7 -> bytes = TestPictures.cut(bytes, random.nextInt(bytes.length));
                case 8 -> {
                    // Looks right, then is random.
                    int start = random.nextInt(Math.min(bytes.length, 200));
                    byte[] noise = new byte[bytes.length - start];
                    random.nextBytes(noise);
                    System.arraycopy(noise, 0, bytes, start, noise.length);
                }
                case 9 -> {
                    for (int k = 1 + random.nextInt(8); k > 0; k--) {
                        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                    }
                }
                case 10 -> bytes = jpegWithSize(good.get(0).clone());
                default ->
                        bytes =
                                TestPictures.append(
                                        TestPictures.cut(bytes, random.nextInt(bytes.length)),
                                        0xff,
                                        EOI);
            }
            try {
                target.decode(bytes);
            } catch (FrameRejectedException e) {
                outcomes.merge(e.reason(), 1, Integer::sum);
            }
        }
    }

    @Test
    void shouldDecodeEveryRealPicture() throws Exception {
        Path folder = SharedFiles.require("data/coco-val-dev/images");
        int decoded = 0;
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : (Iterable<Path>) files::iterator) {
                byte[] encoded = Files.readAllBytes(file);
                DecodedFrame frame = decoder.decode(encoded);
                assertThat(frame.endMarkerMissing()).isFalse();
                assertThat(frame.width() * frame.height()).isGreaterThan(10_000);
                // The walk agrees with real encoders, too.
                JpegPicture picture = JpegPicture.read(encoded);
                assertThat(new JpegScans(picture).walk()).isFalse();
                byte[] unmarked = TestPictures.cut(encoded, encoded.length - 2);
                assertThat(new JpegScans(JpegPicture.read(unmarked)).walk()).isTrue();
                assertRejected(TestPictures.cut(encoded, encoded.length - 3), Rejection.TRUNCATED);
                decoded++;
            }
        }
        assertThat(decoded).isGreaterThan(100);
    }

    private void assertRejected(byte[] encoded, Rejection reason) {
        assertThatExceptionOfType(FrameRejectedException.class)
                .isThrownBy(() -> decoder.decode(encoded))
                .satisfies(
                        e -> assertThat(e.reason()).describedAs(e.getMessage()).isEqualTo(reason));
    }

    private static double meanDifference(DecodedFrame frame, byte[] expected) {
        byte[] pixels = TestPictures.pixels(frame);
        assertThat(pixels).hasSameSizeAs(expected);
        double sum = 0;
        for (int i = 0; i < pixels.length; i++) {
            sum += Math.abs((pixels[i] & 0xff) - (expected[i] & 0xff));
        }
        return sum / pixels.length;
    }

    private static byte[] bgr(BufferedImage image) {
        byte[] pixels = new byte[image.getWidth() * image.getHeight() * 3];
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                int rgb = image.getRGB(x, y);
                int place = (y * image.getWidth() + x) * 3;
                pixels[place] = (byte) rgb;
                pixels[place + 1] = (byte) (rgb >> 8);
                pixels[place + 2] = (byte) (rgb >> 16);
            }
        }
        return pixels;
    }

    private static int indexOfMarker(byte[] jpeg, int marker) {
        for (int i = 2; i < jpeg.length; i++) {
            if ((jpeg[i - 1] & 0xff) == 0xff && (jpeg[i] & 0xff) == marker) {
                return i;
            }
        }
        throw new IllegalArgumentException(String.format(Locale.ROOT, "no marker %02x", marker));
    }

    private static byte[] jpegWithSize(byte[] jpeg) {
        int frameHeader;
        try {
            frameHeader = indexOfMarker(jpeg, 0xc0);
        } catch (IllegalArgumentException e) {
            frameHeader = indexOfMarker(jpeg, 0xc2);
        }
        ByteBuffer.wrap(jpeg)
                .putShort(frameHeader + 4, (short) 20_000)
                .putShort(frameHeader + 6, (short) 20_000);
        return jpeg;
    }

    private static byte[] withoutSegments(byte[] jpeg, int marker) {
        ByteArrayOutputStream rest = new ByteArrayOutputStream();
        rest.write(jpeg, 0, 2);
        int position = 2;
        while ((jpeg[position + 1] & 0xff) != JpegMarkers.SOS) {
            int length = 2 + ByteBuffer.wrap(jpeg).getShort(position + 2);
            if ((jpeg[position + 1] & 0xff) != marker) {
                rest.write(jpeg, position, length);
            }
            position += length;
        }
        rest.write(jpeg, position, jpeg.length - position);
        return rest.toByteArray();
    }

    private static void sealPngHeader(byte[] png) {
        CRC32 checksum = new CRC32();
        checksum.update(png, 12, 17);
        ByteBuffer.wrap(png).putInt(29, (int) checksum.getValue());
    }

    private static byte[] cmykJpeg() throws IOException {
        java.awt.image.WritableRaster raster =
                java.awt.image.Raster.createInterleavedRaster(
                        java.awt.image.DataBuffer.TYPE_BYTE, 40, 30, 4, null);
        for (int y = 0; y < 30; y++) {
            for (int x = 0; x < 40; x++) {
                raster.setPixel(x, y, new int[] {3 * x, 4 * y, 2 * (x + y), 90});
            }
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(bytes)) {
            writer.setOutput(stream);
            writer.write(new IIOImage(raster, null, null));
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}

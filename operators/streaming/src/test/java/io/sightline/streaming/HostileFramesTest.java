// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DeadLetter;
import io.sightline.events.DetectionEvent;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.events.Rejection;
import io.sightline.vision.Interpolation;
import io.sightline.vision.NativeMemory;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.zip.CRC32;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whatever arrives: each bad record is one dead letter with its reason, and the rest goes on. */
@Timeout(180)
class HostileFramesTest {

    private static final int MAX_FRAME_BYTES = 64 * 1024;
    private static final long CAPTURED = 1_700_000_000_123L;
    private static final byte[] CAMERA = "cam-1".getBytes(StandardCharsets.UTF_8);
    private static final FrameRecord.Header[] NO_HEADERS = {};

    /** Of the pictures and of the network's input: no gray border. */
    private static final int SIZE = 256;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private DetectHarness harness;

    /** A record that no event may come of. */
    private record Hostile(
            String what,
            byte[] key,
            byte[] value,
            long timestamp,
            FrameRecord.Header[] headers,
            Rejection... expected) {

        Hostile(String what, byte[] value, Rejection... expected) {
            this(what, CAMERA, value, CAPTURED, NO_HEADERS, expected);
        }

        FrameRecord at(long offset) {
            return new FrameRecord("camera-frames", 0, offset, timestamp, key, value, headers);
        }
    }

    @BeforeEach
    void open() throws Exception {
        System.out.println("HostileFramesTest seed " + seed);
        harness =
                new DetectHarness(
                        new DetectSettings(
                                FakeBackendFactory.create(SIZE, SIZE, 4, run -> false, null),
                                2,
                                2,
                                Duration.ZERO,
                                null,
                                null,
                                Interpolation.LINEAR,
                                MAX_FRAME_BYTES,
                                4 << 20,
                                4,
                                1 << 20,
                                10,
                                OverloadSettings.PROCESS_ALL,
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(5)));
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void shouldAnswerEachWithOneDeadLetterAndKeepTheFramesBetweenThem() throws Exception {
        List<Hostile> hostile = hostile();
        long offset = 0;
        for (Hostile bad : hostile) {
            harness.process(good(offset++));
            harness.process(bad.at(offset++));
        }
        harness.process(good(offset++));
        harness.endInput();

        // A record without a camera has no place among the frames of one.
        List<DeadLetter> letters =
                harness.deadLetters().stream()
                        .sorted(Comparator.comparingLong(letter -> letter.record().offset()))
                        .toList();
        assertThat(letters).hasSameSizeAs(hostile);
        for (int i = 0; i < hostile.size(); i++) {
            DeadLetter letter = letters.get(i);
            Hostile bad = hostile.get(i);
            assertThat(letter.record().offset()).isEqualTo(2L * i + 1);
            assertThat(letter.record().value()).isEqualTo(bad.value());
            assertThat(letter.reason()).as(bad.what()).isIn((Object[]) bad.expected());
            assertThat(letter.message()).as(bad.what()).isNotBlank().doesNotContain("\n");
        }
        List<DetectionEvent> events = harness.events();
        assertThat(events.stream().map(event -> event.source().offset()))
                .containsExactlyElementsOf(
                        LongStream.rangeClosed(0, hostile.size()).mapToObj(i -> 2 * i).toList());
        events.forEach(HostileFramesTest::assertOwnContent);
    }

    @Test
    void shouldRejectAJpegCutAtAnyPoint() throws Exception {
        long offset = 0;
        int cuts = 0;
        for (byte[] whole : List.of(jpeg(77, false), jpeg(77, true))) {
            // All of the last and the first bytes, and some between.
            for (int length = 1; length < whole.length - 2; length++) {
                if (length < 700 || length > whole.length - 300 || length % 31 == 0) {
                    harness.process(record(offset++, Arrays.copyOf(whole, length)));
                    cuts++;
                }
            }
            // Without its end marker it is whole all the same.
            harness.process(good(offset, Arrays.copyOf(whole, whole.length - 2)));
            offset++;
        }
        harness.endInput();
        assertThat(harness.events()).hasSize(2);
        assertThat(harness.deadLetters()).hasSize(cuts);
        assertThat(harness.deadLetters().stream().map(DeadLetter::reason).distinct())
                .isSubsetOf(Rejection.TRUNCATED, Rejection.UNKNOWN_FORMAT);
    }

    @Test
    void shouldShowNothingOfOneFrameUnderTheNameOfAnother() throws Exception {
        // The first pixel is what the fake engine's box tells; the rows at the bottom, which a cut
        // leaves out, come from the frame before if they are not looked after.
        byte[] bright = jpeg(200, false);
        byte[] dark = jpeg(10, false);
        for (int i = 0; i < 20; i++) {
            harness.process(good(3L * i, bright));
            int length = dark.length / 2 + random.nextInt(dark.length / 2 - 2);
            harness.process(record(3L * i + 1, Arrays.copyOf(dark, length)));
            harness.process(good(3L * i + 2, dark));
        }
        harness.endInput();
        assertThat(harness.deadLetters().stream().map(letter -> letter.record().offset()))
                .containsExactlyElementsOf(
                        LongStream.range(0, 20).mapToObj(i -> 3 * i + 1).toList());
        assertThat(harness.events()).hasSize(40);
        for (DetectionEvent event : harness.events()) {
            double gray = event.source().offset() % 3 == 0 ? 200 : 10;
            assertThat(gray(event)).isBetween(gray - 3, gray + 3);
        }
    }

    @Test
    void shouldNotGrowOverThousandsOfThem() throws Exception {
        List<Hostile> hostile = hostile();
        for (int length = 3; length < 60; length += 3) {
            hostile.add(new Hostile("cut", cut(length / 60.0), Rejection.TRUNCATED));
        }
        process(hostile, 2_000);
        long native0 = NativeMemory.allocatedBytes();
        long resident0 = residentBeyondTheHeap();

        process(hostile, 10_000);

        long nativeGrowth = NativeMemory.allocatedBytes() - native0;
        long residentGrowth = residentBeyondTheHeap() - resident0;
        System.out.printf(
                "10000 hostile frames: native memory %+d bytes, resident %+d KiB%n",
                nativeGrowth, residentGrowth >> 10);
        // Its buffers hold the largest frame: nothing comes on top of them.
        assertThat(nativeGrowth).isLessThanOrEqualTo(0);
        // The pixels of a picture, leaked with each, would be 2 GB.
        assertThat(residentGrowth).isLessThan(128L << 20);
    }

    private void process(List<Hostile> hostile, int count) throws Exception {
        for (int i = 0; i < count; i++) {
            harness.process(hostile.get(i % hostile.size()).at(i));
            if (i % 100 == 99) {
                harness.process(good(i));
            }
            if (i % 1000 == 999) {
                harness.prepareSnapshotPreBarrier(i);
                assertThat(harness.deadLetters()).hasSize(1000);
                assertThat(harness.events()).hasSize(10);
                harness.getOutput().clear();
                harness.getSideOutput(DetectOperator.DEAD_LETTERS).clear();
            }
        }
    }

    /** Resident bytes without the Java heap, which comes and goes as it likes. */
    private static long residentBeyondTheHeap() throws IOException {
        long pages =
                Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split("\\s+", -1)[1]);
        return pages * 4096
                - ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getCommitted();
    }

    private List<Hostile> hostile() {
        byte[] jpeg = jpeg(33, false);
        List<Hostile> hostile = new ArrayList<>();
        hostile.add(new Hostile("null", null, Rejection.MISSING_VALUE));
        hostile.add(new Hostile("empty", new byte[0], Rejection.MISSING_VALUE));
        for (int length : List.of(1, 2, 3, 11, 100, 5_000, MAX_FRAME_BYTES)) {
            byte[] bytes = new byte[length];
            random.nextBytes(bytes);
            // No picture begins like this.
            bytes[0] = 'x';
            hostile.add(new Hostile("random " + length, bytes, Rejection.UNKNOWN_FORMAT));
        }
        for (int i = 0; i < 20; i++) {
            byte[] bytes = new byte[2_000];
            random.nextBytes(bytes);
            bytes[0] = (byte) 0xff;
            bytes[1] = (byte) 0xd8;
            bytes[2] = (byte) 0xff;
            hostile.add(new Hostile("random after a JPEG's start", bytes, decodeStage()));
        }
        hostile.add(new Hostile("half", cut(0.5), Rejection.TRUNCATED));
        hostile.add(
                new Hostile(
                        "half, then an end marker",
                        withEndMarker(cut(0.5)),
                        Rejection.TRUNCATED,
                        Rejection.CORRUPT));
        hostile.add(
                new Hostile("JPEG bomb", jpegOfSize(jpeg, 20_000), Rejection.PICTURE_TOO_LARGE));
        hostile.add(new Hostile("JPEG of no size", jpegOfSize(jpeg, 0), Rejection.CORRUPT));
        hostile.add(new Hostile("PNG bomb", pngOfSize(20_000), Rejection.PICTURE_TOO_LARGE));
        hostile.add(new Hostile("WebP bomb", webpOfSize(20_000), Rejection.PICTURE_TOO_LARGE));
        hostile.add(
                new Hostile(
                        "over the limit",
                        Arrays.copyOf(jpeg, MAX_FRAME_BYTES + 1),
                        Rejection.FRAME_TOO_LARGE));
        hostile.add(
                new Hostile(
                        "text",
                        "<html>503</html>".getBytes(StandardCharsets.UTF_8),
                        Rejection.UNKNOWN_FORMAT));
        for (byte[] key : List.of(new byte[0], new byte[] {(byte) 0xc3, 0x28}, new byte[300])) {
            hostile.add(
                    new Hostile(
                            "key " + Arrays.toString(key),
                            key,
                            jpeg,
                            CAPTURED,
                            NO_HEADERS,
                            key.length == 0 ? Rejection.MISSING_KEY : Rejection.INVALID_KEY));
        }
        hostile.add(new Hostile("no key", null, jpeg, CAPTURED, NO_HEADERS, Rejection.MISSING_KEY));
        hostile.add(
                new Hostile("no time", CAMERA, jpeg, -1, NO_HEADERS, Rejection.MISSING_TIMESTAMP));
        for (String type : List.of("video/h264", "video/h265", "text/html", "image/\u0007")) {
            hostile.add(
                    new Hostile(
                            type,
                            CAMERA,
                            jpeg,
                            CAPTURED,
                            new FrameHeaders().contentType(type).toArray(),
                            Rejection.UNSUPPORTED_CONTENT_TYPE));
        }
        return hostile;
    }

    private static Rejection[] decodeStage() {
        return Arrays.stream(Rejection.values())
                .filter(reason -> reason.stage() == Rejection.Stage.DECODE)
                .toArray(Rejection[]::new);
    }

    private static byte[] cut(double part) {
        byte[] jpeg = jpeg(33, false);
        return Arrays.copyOf(jpeg, (int) (jpeg.length * part));
    }

    private static byte[] withEndMarker(byte[] cut) {
        byte[] closed = Arrays.copyOf(cut, cut.length + 2);
        closed[cut.length] = (byte) 0xff;
        closed[cut.length + 1] = (byte) 0xd9;
        return closed;
    }

    /** The same picture, whose header claims this width and height. */
    private static byte[] jpegOfSize(byte[] jpeg, int side) {
        byte[] bomb = jpeg.clone();
        for (int at = 2; ; at += 2 + Short.toUnsignedInt(ByteBuffer.wrap(bomb).getShort(at + 2))) {
            if ((bomb[at + 1] & 0xff) == 0xc0) {
                ByteBuffer.wrap(bomb).putShort(at + 5, (short) side).putShort(at + 7, (short) side);
                return bomb;
            }
        }
    }

    private static byte[] pngOfSize(int side) {
        ByteBuffer png = ByteBuffer.allocate(33);
        png.put(new byte[] {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'});
        png.putInt(13).put("IHDR".getBytes(StandardCharsets.US_ASCII));
        png.putInt(side).putInt(side).put(new byte[] {8, 2, 0, 0, 0});
        CRC32 crc = new CRC32();
        crc.update(png.array(), 12, 17);
        return png.putInt((int) crc.getValue()).array();
    }

    /** An extended WebP: its canvas, and nothing on it. */
    private static byte[] webpOfSize(int side) {
        ByteBuffer webp = ByteBuffer.allocate(30);
        webp.put("RIFF".getBytes(StandardCharsets.US_ASCII));
        webp.putInt(Integer.reverseBytes(22));
        webp.put("WEBPVP8X".getBytes(StandardCharsets.US_ASCII));
        webp.putInt(Integer.reverseBytes(10)).putInt(0);
        for (int i = 0; i < 2; i++) {
            webp.putShort(Short.reverseBytes((short) (side - 1))).put((byte) ((side - 1) >> 16));
        }
        return webp.array();
    }

    private static FrameRecord record(long offset, byte[] value) {
        return new Hostile("", value).at(offset);
    }

    private static FrameRecord good(long offset, byte[] jpeg) {
        return record(offset, jpeg);
    }

    /** Its gray tells its offset. */
    private static FrameRecord good(long offset) {
        return record(offset, jpeg(grayOf(offset), false));
    }

    private static int grayOf(long offset) {
        return (int) (20 + offset % 10 * 20);
    }

    private static void assertOwnContent(DetectionEvent event) {
        int gray = grayOf(event.source().offset());
        assertThat(event.image()).isEqualTo(new DetectionEvent.Image(SIZE, SIZE));
        assertThat(gray(event)).isBetween(gray - 3.0, gray + 3.0);
    }

    /** The fake engine puts the first pixel's blue into the box's left edge. */
    private static double gray(DetectionEvent event) {
        assertThat(event.objects()).hasSize(1);
        return event.objects().get(0).bbox().x();
    }

    /** Gray at the top, noise below: tens of kilobytes of code. */
    private static byte[] jpeg(int gray, boolean progressive) {
        BufferedImage image = new BufferedImage(SIZE, SIZE, BufferedImage.TYPE_3BYTE_BGR);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(new Color(gray, gray, gray));
        graphics.fillRect(0, 0, SIZE, SIZE);
        graphics.dispose();
        Random noise = new Random(gray);
        for (int y = SIZE / 2; y < SIZE; y++) {
            for (int x = 0; x < SIZE; x++) {
                image.setRGB(x, y, noise.nextInt(1 << 24) & 0x3f3f3f);
            }
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ImageWriteParam parameters = writer.getDefaultWriteParam();
        if (progressive) {
            parameters.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream output = ImageIO.createImageOutputStream(bytes)) {
            writer.setOutput(output);
            writer.write(null, new IIOImage(image, null, null), parameters);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.events.FrameHeaders;
import io.sightline.events.Rejection;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.ImageIO;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * A record that no event may come of.
 *
 * @param contentType null for none
 * @param reason what the job calls it
 */
record BadFrame(byte[] key, byte[] value, String contentType, Rejection reason) {

    private static final byte[] PICTURE = encodePicture();
    private static final int SIDE_OF_BOMB = 20_000;

    /** One that would be good, with enough in it to be cut in half. */
    static byte[] goodPicture() {
        return PICTURE.clone();
    }

    /**
     * One of any sort.
     *
     * @param camera the key of good ones
     * @param maxFrameBytes the job's limit
     */
    static BadFrame any(Random random, byte[] camera, int maxFrameBytes) {
        int some = random.nextInt(100);
        return switch (random.nextInt(8)) {
            case 0 -> new BadFrame(null, PICTURE, null, Rejection.MISSING_KEY);
            case 1 ->
                    new BadFrame(
                            new byte[] {(byte) 0xc3, 0x28, (byte) some},
                            PICTURE,
                            null,
                            Rejection.INVALID_KEY);
            case 2 -> new BadFrame(camera, null, null, Rejection.MISSING_VALUE);
            case 3 -> new BadFrame(camera, noise(random), null, Rejection.UNKNOWN_FORMAT);
            case 4 ->
                    new BadFrame(
                            camera,
                            Arrays.copyOf(PICTURE, PICTURE.length / 2 + some),
                            null,
                            Rejection.TRUNCATED);
            case 5 ->
                    new BadFrame(
                            camera,
                            Arrays.copyOf(PICTURE, maxFrameBytes + 1 + some),
                            null,
                            Rejection.FRAME_TOO_LARGE);
            case 6 ->
                    new BadFrame(camera, PICTURE, "video/h264", Rejection.UNSUPPORTED_CONTENT_TYPE);
            default -> new BadFrame(camera, bomb(), null, Rejection.PICTURE_TOO_LARGE);
        };
    }

    ProducerRecord<byte[], byte[]> record(String topic, int partition, Long timestamp) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic, partition, timestamp, key, value);
        if (contentType != null) {
            record.headers()
                    .add(
                            FrameHeaders.CONTENT_TYPE,
                            contentType.getBytes(StandardCharsets.US_ASCII));
        }
        return record;
    }

    private static byte[] noise(Random random) {
        byte[] noise = new byte[5_000];
        random.nextBytes(noise);
        noise[0] = 'x';
        return noise;
    }

    /** A JPEG whose header promises more pixels than anybody would want to hold. */
    private static byte[] bomb() {
        byte[] bomb = PICTURE.clone();
        ByteBuffer bytes = ByteBuffer.wrap(bomb);
        int at = 2;
        while ((bomb[at + 1] & 0xff) != 0xc0) {
            at += 2 + Short.toUnsignedInt(bytes.getShort(at + 2));
        }
        bytes.putShort(at + 5, (short) SIDE_OF_BOMB).putShort(at + 7, (short) SIDE_OF_BOMB);
        return bomb;
    }

    private static byte[] encodePicture() {
        BufferedImage image = new BufferedImage(160, 120, BufferedImage.TYPE_3BYTE_BGR);
        Graphics2D graphics = image.createGraphics();
        for (int x = 0; x < 160; x += 4) {
            graphics.setColor(new Color(x, 255 - x, x / 2));
            graphics.fillOval(x, x / 2, 30, 30);
        }
        graphics.dispose();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "jpeg", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}

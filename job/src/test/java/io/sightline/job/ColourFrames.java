// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.imageio.ImageIO;

/**
 * Pictures of one colour that tells camera and frame number, for {@link
 * io.sightline.inference.testing.TestModels#colourDetector}: whether an event's objects belong to
 * the frame whose name it bears shows in the event itself. Up to 8 cameras; pictures repeat after
 * 256 frames.
 */
final class ColourFrames {

    static final int WIDTH = 64;
    static final int HEIGHT = 48;

    /** Input of the detector. */
    static final int INPUT = 64;

    static final int CAMERAS = 8;

    /** Distance of two colours, many times what JPEG does to one. */
    private static final int STEP = 16;

    private static final int STEPS = 256 / STEP;

    private static final Map<Integer, byte[]> PICTURES = new ConcurrentHashMap<>();

    private ColourFrames() {}

    static String camera(int number) {
        return "cam-" + number;
    }

    /** The JPEG of a camera's frame. */
    static byte[] jpeg(int camera, int seq) {
        return PICTURES.computeIfAbsent(
                camera * STEPS * STEPS + seq % (STEPS * STEPS),
                picture ->
                        encode(
                                new Color(
                                        level(seq % STEPS),
                                        level(seq / STEPS % STEPS),
                                        blue(camera))));
    }

    private static int level(int step) {
        return step * STEP + STEP / 2;
    }

    /** The middle of the blues that the detector takes for class {@code camera}. */
    private static int blue(int camera) {
        return camera * 32 + 16;
    }

    private static byte[] encode(Color colour) {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(colour);
        graphics.fillRect(0, 0, WIDTH, HEIGHT);
        graphics.dispose();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "jpeg", out);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** The event's objects are those of the frame that its camera and number name. */
    static void assertShowsItsFrame(DetectionEvent event) {
        int camera = Integer.parseInt(event.cameraId().substring("cam-".length()));
        int seq = Math.toIntExact(event.seq());
        assertThat(event.objects()).as("objects of %s", event).hasSize(1);
        DetectedObject object = event.objects().get(0);
        assertThat(object.classId()).as("class in %s", event).isEqualTo(camera);
        // A frame as wide as the input is not resized: the detector's pixels are the frame's.
        assertThat(step(object.bbox().width())).as("red in %s", event).isEqualTo(seq % STEPS);
        assertThat(step(object.bbox().height()))
                .as("green in %s", event)
                .isEqualTo(seq / STEPS % STEPS);
    }

    private static int step(double boxSize) {
        return (int) ((boxSize * 256 * 2 / INPUT - 1) / STEP);
    }
}

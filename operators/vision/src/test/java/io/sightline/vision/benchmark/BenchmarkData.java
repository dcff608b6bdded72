// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision.benchmark;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.RawOutput;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/** Made-up pictures and outputs, the same in every run. */
final class BenchmarkData {

    private static final int CLASSES = 80;
    private static final int ANCHORS = 8400;
    private static final int PAIRS = 300;
    private static final int OBJECTS = 50;
    private static final int ANCHORS_PER_OBJECT = 12;

    private BenchmarkData() {}

    static void run(Class<?> benchmark, String... args) throws RunnerException {
        try {
            new Runner(
                            new OptionsBuilder()
                                    .parent(new CommandLineOptions(args))
                                    .include(benchmark.getSimpleName())
                                    .build())
                    .run();
        } catch (CommandLineOptionException e) {
            throw new IllegalArgumentException(e.getMessage(), e);
        }
    }

    /** Shapes and a little noise, quality 0.9: about as large as a camera's frame. */
    static byte[] jpeg(String size, boolean progressive) {
        int width = Integer.parseInt(size.substring(0, size.indexOf('x')));
        int height = Integer.parseInt(size.substring(size.indexOf('x') + 1));
        Random random = new Random(1);
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_3BYTE_BGR);
        Graphics2D graphics = image.createGraphics();
        for (int i = 0; i < 300; i++) {
            graphics.setColor(new Color(random.nextInt(1 << 24)));
            graphics.fillOval(
                    random.nextInt(width),
                    random.nextInt(height),
                    width / (4 + random.nextInt(20)),
                    height / (4 + random.nextInt(20)));
        }
        graphics.dispose();
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, image.getRGB(x, y) ^ 0x010101 * random.nextInt(8));
            }
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ImageWriteParam parameters = writer.getDefaultWriteParam();
        parameters.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
        parameters.setCompressionQuality(0.9f);
        parameters.setProgressiveMode(
                progressive ? ImageWriteParam.MODE_DEFAULT : ImageWriteParam.MODE_DISABLED);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(bytes)) {
            writer.setOutput(stream);
            writer.write(null, new IIOImage(image, null, null), parameters);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return bytes.toByteArray();
    }

    static ModelSpec model(int side) {
        return spec(side, OutputLayout.PAIRS);
    }

    static ModelSpec model(OutputLayout layout) {
        return spec(640, layout);
    }

    private static ModelSpec spec(int side, OutputLayout layout) {
        List<String> labels = IntStream.range(0, CLASSES).mapToObj(i -> "class-" + i).toList();
        return new ModelSpec(
                "benchmark",
                "0".repeat(64),
                side,
                side,
                ModelSpec.InputFormat.BYTES_NHWC_BGR,
                1,
                false,
                3,
                114,
                labels,
                layout,
                true,
                0.4f,
                0.45f,
                "fp32",
                "",
                "");
    }

    /** Objects amid anchors that see nothing: class scores near 0.001, and some up to 0.1. */
    static RawOutput output(OutputLayout layout) {
        Random random = new Random(1);
        float[][] rows = new float[ANCHORS][5 + CLASSES];
        for (float[] row : rows) {
            for (int i = 0; i < 4; i++) {
                row[i] = random.nextFloat() * (i < 2 ? 640 : 100);
            }
            row[4] = 1;
            for (int i = 5; i < row.length; i++) {
                row[i] = random.nextFloat() * 0.002f;
            }
            if (random.nextInt(20) == 0) {
                row[5 + random.nextInt(CLASSES)] = random.nextFloat() * 0.1f;
            }
        }
        for (int object = 0; object < OBJECTS; object++) {
            float[] centre = {
                random.nextInt(600), random.nextInt(600), 20 + random.nextInt(90), 60
            };
            int classId = random.nextInt(CLASSES);
            for (int i = 0; i < ANCHORS_PER_OBJECT; i++) {
                float[] row = rows[random.nextInt(ANCHORS)];
                for (int k = 0; k < 4; k++) {
                    row[k] = centre[k] + random.nextFloat() * 4;
                }
                row[5 + classId] = 0.3f + random.nextFloat() * 0.6f;
            }
        }
        return switch (layout) {
            case ANCHORS_OBJ -> {
                FloatBuffer values = floats(ANCHORS * (5 + CLASSES));
                for (float[] row : rows) {
                    values.put(row);
                }
                yield tensor(values, 1, ANCHORS, 5 + CLASSES);
            }
            case CHANNELS_FIRST -> {
                FloatBuffer values = floats(ANCHORS * (4 + CLASSES));
                for (int k = 0; k < 4 + CLASSES; k++) {
                    for (float[] row : rows) {
                        values.put(row[k < 4 ? k : k + 1]);
                    }
                }
                yield tensor(values, 1, 4 + CLASSES, ANCHORS);
            }
            case PAIRS -> {
                FloatBuffer values = floats(PAIRS * 6);
                for (int i = 0; i < PAIRS; i++) {
                    float x = random.nextInt(600);
                    float y = random.nextInt(600);
                    float score = i < OBJECTS ? 0.5f + 0.4f / (1 + i) : 0.3f / (1 + i - OBJECTS);
                    values.put(new float[] {x, y, x + 40, y + 60, score, i % CLASSES});
                }
                yield tensor(values, 1, PAIRS, 6);
            }
            case END2END -> throw new IllegalArgumentException("nothing is left to measure");
        };
    }

    private static FloatBuffer floats(int count) {
        return ByteBuffer.allocateDirect(count * Float.BYTES)
                .order(ByteOrder.nativeOrder())
                .asFloatBuffer();
    }

    private static RawOutput tensor(FloatBuffer values, int... shape) {
        return new RawOutput(
                List.of(new RawOutput.Tensor("output", shape, values.position(0), null)));
    }
}

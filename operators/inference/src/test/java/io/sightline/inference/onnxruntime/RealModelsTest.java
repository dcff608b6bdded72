// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.testing.SharedFiles;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.RawOutput;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Other people's exports, as they come: no JSON beside them. */
final class RealModelsTest {

    private static final int BUS = 5;

    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "yolov6-lite-s-320,          320, anchors-obj,    true,  fp32, 2125, 85",
        "yolov6-lite-m-320,          320, anchors-obj,    true,  fp32, 2125, 85",
        "yolov6-lite-l-320,          320, anchors-obj,    true,  fp32, 2125, 85",
        "yolov6-lite-l-640,          640, anchors-obj,    true,  fp32, 8500, 85",
        "yolov5n-640,                640, anchors-obj,    true,  fp32, 25200, 85",
        "yolov8n-320-qdq-int8,       320, channels-first, true,  int8, 84, 2100",
        "yolov10n-640-dynamic-int8,  640, pairs,          false, int8, 300, 6",
    })
    void shouldOpenAndRun(
            String name,
            int side,
            String layout,
            boolean suppress,
            String precision,
            int middle,
            int last) {
        Path model = SharedFiles.require("models/" + name + ".onnx");
        try (OnnxRuntimeBackend backend = OnnxRuntimeBackend.open(model, ModelOptions.NONE, 4, 1);
                BatchBuffer buffer = backend.newBuffer()) {
            ModelSpec spec = backend.spec();
            assertThat(spec.name()).isEqualTo(name);
            assertThat(spec.layout().label()).isEqualTo(layout);
            assertThat(spec.suppress()).isEqualTo(suppress);
            assertThat(spec.precision()).isEqualTo(precision);
            assertThat(spec.labels()).hasSize(80);
            assertThat(spec.inputFormat()).isEqualTo(InputFormat.FLOAT_NCHW_RGB);
            assertThat(spec.inputWidth()).isEqualTo(side);
            assertThat(spec.inputHeight()).isEqualTo(side);
            assertThat(spec.maxBatch()).isEqualTo(1);
            assertThat(spec.border()).isZero();
            backend.submit(buffer, 1);
            assertThat(backend.await(buffer).tensors().get(0).shape())
                    .containsExactly(1, middle, last);
        }
    }

    @Test
    void shouldSeeTheBusAndThePeople() throws IOException {
        Path model = SharedFiles.require("models/yolov5n-640.onnx");
        BufferedImage image = ImageIO.read(SharedFiles.require("data/images/bus.jpg").toFile());
        try (OnnxRuntimeBackend backend = OnnxRuntimeBackend.open(model, ModelOptions.NONE, 1, 2);
                BatchBuffer buffer = backend.newBuffer()) {
            letterbox(image, backend.spec(), buffer.slot(0));
            backend.submit(buffer, 1);
            RawOutput.Tensor tensor = backend.await(buffer).tensors().get(0);
            FloatBuffer values = tensor.floats();
            Set<Integer> seen = new HashSet<>();
            for (int row = 0; row < tensor.shape()[1]; row++) {
                for (int c = 0; c < 80; c++) {
                    if (values.get(row * 85 + 4) * values.get(row * 85 + 5 + c) > 0.5f) {
                        seen.add(c);
                    }
                }
            }
            assertThat(seen).containsExactlyInAnyOrder(0, BUS);
        }
    }

    /** Near enough for a bus: the exact letterbox is another module's. */
    private static void letterbox(BufferedImage image, ModelSpec spec, ByteBuffer slot) {
        int side = spec.inputWidth();
        double scale = (double) side / Math.max(image.getWidth(), image.getHeight());
        int width = (int) (image.getWidth() * scale);
        int height = (int) (image.getHeight() * scale);
        BufferedImage input = new BufferedImage(side, side, BufferedImage.TYPE_3BYTE_BGR);
        Graphics2D graphics = input.createGraphics();
        graphics.setColor(new Color(spec.fill(), spec.fill(), spec.fill()));
        graphics.fillRect(0, 0, side, side);
        graphics.setRenderingHint(
                RenderingHints.KEY_INTERPOLATION, RenderingHints.VALUE_INTERPOLATION_BILINEAR);
        graphics.drawImage(image, (side - width) / 2, (side - height) / 2, width, height, null);
        graphics.dispose();
        for (int y = 0, at = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int rgb = input.getRGB(x, y);
                slot.put(at++, (byte) rgb);
                slot.put(at++, (byte) (rgb >> 8));
                slot.put(at++, (byte) (rgb >> 16));
            }
        }
    }
}

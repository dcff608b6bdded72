// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import io.sightline.job.ModelChoice;
import io.sightline.job.OptionTypes;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** On a CPU, where the engine is not to be had without copies: the rest is the same. */
@Timeout(120)
class EngineTimingTest {

    @TempDir Path folder;

    @Test
    void shouldTimeEveryWayToTheEngineForEveryBatch() throws Exception {
        Path onnx =
                TestModels.colourDetector(
                        folder, 64, 64, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR);
        ModelChoice model = new ModelChoice();
        OptionTypes.register(new CommandLine(model)).parseArgs("--model", onnx.toString());
        ByteArrayOutputStream printed = new ByteArrayOutputStream();

        List<EngineTiming.Row> rows =
                new EngineTiming(model, List.of(jpeg()), 2, 0.2)
                        .run(List.of(1, 4), new PrintStream(printed, true, StandardCharsets.UTF_8));

        assertThat(rows).extracting(EngineTiming.Row::batch).containsExactly(1, 4);
        assertThat(rows)
                .allSatisfy(
                        row -> {
                            assertThat(row.alone()).isEmpty();
                            assertThat(row.copies()).isPositive();
                            assertThat(row.bytes()).isPositive();
                            assertThat(row.jpegs()).isPositive();
                            assertThat(row.ratio())
                                    .isEqualTo(row.bytes() / row.lanes() / row.copies());
                        });
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .hasSize(5)
                .first()
                .isEqualTo("colour-detector 64x64, fp32, onnxruntime; 2 threads fill, images/s");
    }

    private static byte[] jpeg() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(80, 60, BufferedImage.TYPE_INT_RGB), "jpg", bytes);
        return bytes.toByteArray();
    }
}

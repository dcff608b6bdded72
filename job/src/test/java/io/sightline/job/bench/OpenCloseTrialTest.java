// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import io.sightline.job.ModelChoice;
import io.sightline.job.OptionTypes;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class OpenCloseTrialTest {

    @TempDir Path folder;
    private final ByteArrayOutputStream printed = new ByteArrayOutputStream();

    private void run(Path onnx) throws Exception {
        ModelChoice model = new ModelChoice();
        OptionTypes.register(new CommandLine(model)).parseArgs("--model", onnx.toString());
        new OpenCloseTrial(model, 5, 3).run(new PrintStream(printed, true, StandardCharsets.UTF_8));
    }

    @Test
    void shouldOpenAndCloseLetLoadsFailAndLookAtMemory() throws Exception {
        run(
                TestModels.anchorDetector(
                        folder, 96, 96, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR));
        assertThat(printed.toString(StandardCharsets.UTF_8).lines())
                .hasSize(3)
                .satisfiesExactly(
                        line ->
                                assertThat(line)
                                        .isEqualTo(
                                                "onnxruntime: a lane opened and closed 5 times, 3 failed loads"),
                        line ->
                                assertThat(line)
                                        .matches(
                                                "host memory: ([\\d.]+ MiB before, [\\d.]+ MiB half-way, [\\d.]+ MiB after, grown by -?[\\d.]+ MiB in the second half|not told here)"),
                        line -> assertThat(line).isEqualTo("GPU memory: not told here"));
    }

    /** Else it would count as failed loads what were none. */
    @Test
    void shouldNotTakeALoadForAFailedOne() {
        assertThatThrownBy(
                        () ->
                                run(
                                        TestModels.colourDetector(
                                                folder, 64, 64, 1, InputFormat.BYTES_NHWC_BGR)))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("was loaded");
    }
}

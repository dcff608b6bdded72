// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A Flink task manager's JVM has a command line of several KiB. There are releases of ONNX Runtime
 * (1.29.0) that read it, and kill the JVM without a word where it is that long.
 */
@Timeout(120)
class LongCommandLineTest {

    private static final int COMMAND_LINE_BYTES = 64 << 10;

    @TempDir Path folder;

    /** What runs in a JVM of its own: opens a session on the model. */
    static final class Open {
        public static void main(String[] args) {
            try (OnnxRuntimeBackend backend =
                    OnnxRuntimeBackend.open(Path.of(args[0]), ModelOptions.NONE, 1, 1)) {
                System.out.println("opened " + backend.spec().name());
            }
        }
    }

    @Test
    void shouldOpenASessionInAJvmWithALongCommandLine() throws Exception {
        Path model = TestModels.colourDetector(folder, 64, 64, 1, InputFormat.BYTES_NHWC_BGR);
        Path output = folder.resolve("output");
        ProcessBuilder builder =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-Xmx128m",
                                "-XX:-CreateCoredumpOnCrash",
                                "-Dpadding=" + "x".repeat(COMMAND_LINE_BYTES),
                                Open.class.getName(),
                                model.toString())
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .directory(folder.toFile());
        builder.environment().put("CLASSPATH", System.getProperty("java.class.path"));
        // As on a cluster that nobody told about it.
        builder.environment().remove("ORT_DISABLE_TELEMETRY");
        Process jvm = builder.start();
        try {
            assertThat(jvm.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            jvm.destroyForcibly();
        }
        assertThat(jvm.exitValue()).as(Files.readString(output)).isZero();
        assertThat(Files.readString(output)).contains("opened ");
    }
}

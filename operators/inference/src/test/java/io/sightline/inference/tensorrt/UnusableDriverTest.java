// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.sightline.inference.InferenceException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** A driver's library that is none, in a process of its own: only there can it end the JVM. */
class UnusableDriverTest {

    @TempDir Path folder;

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldSayInOneLineThatItIsOfNoUseAndLiveOn() throws Exception {
        assumeFalse(Files.exists(Path.of("/dev/nvidiactl")), "there is an NVIDIA driver here");
        Files.writeString(folder.resolve("libcuda.so.1"), "no library");
        ProcessBuilder command =
                new ProcessBuilder(
                                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                                "-XX:TieredStopAtLevel=1",
                                "-cp",
                                System.getProperty("java.class.path"),
                                Ask.class.getName())
                        .redirectErrorStream(true);
        command.environment().put("LD_LIBRARY_PATH", folder.toString());
        Process process = command.start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        List<String> answers =
                output.lines().filter(line -> line.startsWith("answer: ")).distinct().toList();
        assertThat(answers).as(output).hasSize(1);
        assertThat(answers.get(0))
                .startsWith("answer: TensorRT needs an NVIDIA GPU: ")
                .doesNotContain("no NVIDIA driver is installed here")
                .endsWith("; --backend onnxruntime needs none");
        assertThat(output).contains("alive");
    }

    /** Asks twice, as two jobs would. */
    static final class Ask {
        public static void main(String[] args) {
            for (int i = 0; i < 2; i++) {
                try {
                    System.out.println("answer: " + GpuProbe.ofThisMachine().require(0));
                } catch (InferenceException e) {
                    System.out.println("answer: " + e.getMessage());
                }
            }
            System.out.println("alive");
        }
    }
}

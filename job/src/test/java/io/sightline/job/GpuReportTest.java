// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The table of docker/gpu-report.sh, put together from what the commands would print on a GPU. */
@EnabledOnOs(OS.LINUX)
class GpuReportTest {

    /** Prints as the commands do, and fails for a model whose name says so. */
    private static final String SIGHTLINE =
            """
            #!/usr/bin/env bash
            echo "$*" >>"$(dirname "$0")/calls"
            case $2 in
                build) echo "50 of 52 quantised convolutions read int8" ;;
                bench)
                    case "$*" in
                        *broken*) echo "sightline model bench: no memory" >&2; exit 1 ;;
                        *open-close*) echo "host memory: 7.0 MiB before, 8.0 MiB after" ;;
                        *)
                            echo "GPU 0 (Tesla T4, sm_75), TensorRT 10.6.0.26"
                            echo "| batch | lanes | engine alone |"
                            echo "|---|---|---|"
                            echo "| 1 | 1 | 500.0 | 0.933 |"
                            echo "| 32 | 1 | 900.0 | 0.978 |"
                            ;;
                    esac
                    ;;
                evaluate)
                    echo "  1  m  m.onnx  fp32  onnxruntime  3  linear  0.3328  0.5"
                    echo "  2  m  m.onnx  fp16  tensorrt  3  linear  0.3320  0.5"
                    echo "  2  -0.0008  [-0.0010, +0.0020]  does not move"
                    echo "  2  matched 0.9911  669 of 675"
                    ;;
            esac
            """;

    @TempDir Path folder;

    @BeforeEach
    void install() throws IOException {
        Path script = folder.resolve("gpu-report.sh");
        Files.copy(Path.of("../docker/gpu-report.sh"), script);
        Path sightline = Files.writeString(folder.resolve("sightline"), SIGHTLINE);
        for (Path file : List.of(script, sightline)) {
            Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
        }
        Files.createDirectories(folder.resolve("data/images"));
        Files.createDirectories(folder.resolve("data/labels"));
        Files.createDirectories(folder.resolve("models/tensorrt"));
        for (String name : List.of("s-int8", "s-float", "broken-int8")) {
            Files.createFile(folder.resolve("models/tensorrt/" + name + ".onnx"));
        }
    }

    private record Run(int status, String output) {}

    private Run report(String... options) throws Exception {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                "./gpu-report.sh",
                                "--models",
                                "models",
                                "--images",
                                "data",
                                "--out",
                                "report"));
        command.addAll(List.of(options));
        Process process =
                new ProcessBuilder(command)
                        .directory(folder.toFile())
                        .redirectErrorStream(true)
                        .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Run(process.waitFor(), output);
    }

    private List<String> calls() throws IOException {
        Path calls = folder.resolve("calls");
        return Files.exists(calls) ? Files.readAllLines(calls) : List.of();
    }

    @Test
    void shouldPutTheTableTogetherAndNameWhatFailed() throws Exception {
        Run run = report();
        assertThat(run.status()).as(run.output()).isEqualTo(1);
        assertThat(run.output()).contains("gpu-report: failed: broken-int8: see report/raw");
        List<String> lines = Files.readAllLines(folder.resolve("report/report.md"));
        assertThat(lines)
                .contains(
                        "GPU 0 (Tesla T4, sm_75), TensorRT 10.6.0.26",
                        "| s | int8 | 1 | 1 | 500.0 | 0.933 | 0.3328 | 0.3320 | 0.9911 (675) |",
                        "| s | fp32 | 32 | 1 | 900.0 | 0.978 | 0.3328 | 0.3320 | 0.9911 (675) |",
                        "- s-int8: 50 of 52 quantised convolutions read int8",
                        "- host memory: 7.0 MiB before, 8.0 MiB after")
                .anyMatch(line -> line.matches("\\| broken \\| int8 \\|.*not measured.*"));
        assertThat(calls())
                .contains(
                        "model build --onnx models/tensorrt/s-float.onnx --max-batch 32 --precision fp16 --engine-cache report/engines")
                .anyMatch(
                        call ->
                                call.startsWith("model evaluate")
                                        && call.contains("--backend onnxruntime,tensorrt"));
    }

    @Test
    void shouldGoOnWhereItWasCutShort() throws Exception {
        Run early = report("--minutes", "0");
        assertThat(early.status()).isEqualTo(1);
        assertThat(early.output()).contains("left for the next time: broken-int8 s-int8 s-fp16");
        assertThat(calls()).isEmpty();
        assertThat(report("--only", "s-int8").status()).isZero();
        int done = calls().size();
        assertThat(done).isEqualTo(3);
        assertThat(report("--only", "s-*").status()).isZero();
        assertThat(calls().subList(done, calls().size()))
                .noneMatch(call -> call.contains("s-int8"))
                .hasSize(6);
    }

    @Test
    void shouldSayWhatIsMissing() throws Exception {
        Run none = report("--backend", "onnxruntime");
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.output().strip())
                .isEqualTo(
                        "gpu-report: --models models: found no folder onnxruntime in it: make one with gpu-report.sh models");
    }
}

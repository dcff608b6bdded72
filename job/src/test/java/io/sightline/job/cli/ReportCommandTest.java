// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportCommandTest {

    @TempDir Path folder;
    private Path json;

    @BeforeEach
    void writeReport() throws Exception {
        json =
                Files.writeString(
                        folder.resolve("report.json"),
                        """
                        {"created": "2026-01-01T00:00:00Z",
                         "model": {"name": "m", "file": "m.onnx", "layout": "pairs"},
                         "targets": [{"target": "tensorrt", "weight_bits": 8, "kept": "float",
                           "int8_share": 0.5,
                           "gates": [{"what": "loss, at most", "value": 0.2, "limit": 0.1, "passed": false}],
                           "passed": false}],
                         "passed": false}
                        """);
    }

    @Test
    void shouldPrintTheSummaryAndDrawThePage() throws Exception {
        CommandLineRun run = CommandLineRun.of("model", "report", json.toString());
        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isZero();
        Path page = folder.resolve("report.html");
        assertThat(run.outLines())
                .contains(
                        "tensorrt: float",
                        "  FAILED         loss, at most 0.1: found 0.2",
                        "failed",
                        "report: " + page);
        assertThat(page).content().startsWith("<!DOCTYPE html>").contains("loss, at most");
        Path other = folder.resolve("other.html");
        assertThat(
                        CommandLineRun.of(
                                        "model",
                                        "report",
                                        json.toString(),
                                        "--html",
                                        other.toString())
                                .status())
                .isZero();
        assertThat(other).hasSameTextualContentAs(page);
    }

    @Test
    void shouldNameWhatIsWrongInOneLine() throws Exception {
        CommandLineRun none = CommandLineRun.of("model", "report", "none.json");
        assertThat(none.status()).isEqualTo(1);
        assertThat(none.errLines())
                .containsExactly("sightline model report: report none.json: no such file");
        Files.writeString(json, "not JSON");
        CommandLineRun broken = CommandLineRun.of("model", "report", json.toString());
        assertThat(broken.status()).isEqualTo(1);
        assertThat(broken.errLines()).hasSize(1);
        assertThat(broken.err()).contains("is not the report.json of a quantisation");
    }
}

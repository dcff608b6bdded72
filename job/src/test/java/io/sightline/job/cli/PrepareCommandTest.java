// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code model prepare} and {@code model check} as a user calls them. */
class PrepareCommandTest {

    @TempDir Path folder;

    private String model;
    private String out;

    @BeforeEach
    void writeModel() {
        model = TestModels.colourDetector(folder, 64, 64, 1, InputFormat.FLOAT_NCHW_RGB).toString();
        out = folder.resolve("prepared.onnx").toString();
    }

    @Test
    void shouldPrepareAndSayWhatWasDone() throws Exception {
        CommandLineRun run =
                CommandLineRun.of(
                        "model",
                        "prepare",
                        "--model",
                        model,
                        "--out",
                        out,
                        "--target",
                        "onnxruntime");

        assertThat(run.err()).isEmpty();
        assertThat(run.status()).isZero();
        assertThat(run.outLines())
                .anyMatch(line -> line.startsWith("input takes bytes, uint8 NHWC BGR"))
                .anyMatch(line -> line.startsWith("proven: "))
                .contains("written: " + out);
        JsonNode spec = new ObjectMapper().readTree(folder.resolve("prepared.json").toFile());
        assertThat(spec.get("target").asText()).isEqualTo("onnxruntime");

        CommandLineRun check = CommandLineRun.of("model", "check", out);
        assertThat(check.status()).isZero();
        assertThat(check.outLines()).anyMatch(line -> line.startsWith("detector    pairs, 64x64"));
        CommandLineRun json = CommandLineRun.of("model", "check", "--json", out);
        assertThat(
                        new ObjectMapper()
                                .readTree(json.out())
                                .get("detector")
                                .get("bytes_in")
                                .asBoolean())
                .isTrue();
    }

    @Test
    void shouldSayWhatIsWrongInOneLine() throws Exception {
        assertThat(
                        problem(
                                "prepare",
                                "--model",
                                model,
                                "--out",
                                out,
                                "--target",
                                "onnxruntime",
                                "--batch",
                                "many"))
                .contains("--batch many: expected a number or symbolic");
        assertThat(
                        problem(
                                "prepare",
                                "--model",
                                model,
                                "--out",
                                out,
                                "--target",
                                "onnxruntime",
                                "--top-k",
                                "4000"))
                .contains("top K 4000: expected 1 to 3840, or 0 for none");
        assertThat(problem("prepare", "--model", model, "--out", out, "--target", "openvino"))
                .contains("unknown target 'openvino': expected onnxruntime or tensorrt");
        Path text = Files.writeString(folder.resolve("text.onnx"), "not a model");
        assertThat(problem("check", text.toString())).contains(text.toString());
        assertThat(folder.resolve("prepared.onnx")).doesNotExist();
    }

    private static String problem(String... args) {
        String[] all = new String[args.length + 1];
        all[0] = "model";
        System.arraycopy(args, 0, all, 1, args.length);
        CommandLineRun run = CommandLineRun.of(all);
        assertThat(run.status()).isNotZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.errLines()).as(run.err()).hasSize(1);
        return run.err();
    }
}

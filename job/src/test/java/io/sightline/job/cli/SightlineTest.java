// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever a user gets wrong: a status that is not 0, and one line that says what and what now. */
@Timeout(120)
class SightlineTest {

    /** Nobody listens there. */
    private static final String NOWHERE = "127.0.0.1:1";

    @TempDir Path folder;
    private String text;
    private String model;

    @BeforeEach
    void writeFiles() throws Exception {
        text = Files.writeString(folder.resolve("text"), "not what you think\n").toString();
        model = TestModels.colourDetector(folder, 64, 64, 1, InputFormat.BYTES_NHWC_BGR).toString();
    }

    /** Runs it and returns its one line. */
    private static String oneLine(String... args) {
        CommandLineRun run = CommandLineRun.of(args);
        assertThat(run.status()).isNotZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.errLines()).as(run.err()).hasSize(1);
        assertThat(run.err()).doesNotContain("Exception").doesNotContain("\tat ");
        return run.errLines().get(0);
    }

    @Test
    void shouldSayWhichCommandsThereAre() {
        CommandLineRun run = CommandLineRun.of();
        assertThat(run.status()).isEqualTo(2);
        assertThat(run.out()).isEmpty();
        assertThat(run.err())
                .startsWith("Usage: sightline")
                .contains("demo", "run", "replay", "detect", "bench", "model");
        assertThat(CommandLineRun.of("--help").status()).isZero();
        assertThat(CommandLineRun.of("--help").out()).isEqualTo(run.err());
        assertThat(CommandLineRun.of("--version").out()).startsWith("sightline ");
    }

    @Test
    void shouldNameWhatItDoesNotKnow() {
        assertThat(oneLine("repaly"))
                .isEqualTo(
                        "sightline: unknown: 'repaly': did you mean replay? (see 'sightline --help')");
        assertThat(oneLine("dmo"))
                .as("the nearest first")
                .isEqualTo(
                        "sightline: unknown: 'dmo': did you mean demo or model? (see 'sightline --help')");
        assertThat(oneLine("run", "--bootstrap-srevers", NOWHERE))
                .startsWith("sightline run: ")
                .contains("Missing required option", "unknown: '--bootstrap-srevers'")
                .endsWith("(see 'sightline run --help')");
        assertThat(oneLine("detect", "--model", model, "--jsonn", "a.jpg"))
                .contains("unknown: '--jsonn'", "did you mean --json");
    }

    @ParameterizedTest
    @CsvSource({
        "run, --bootstrap-servers=HOST:PORT",
        "replay, --video=FILE|URL",
        "detect, IMAGE",
    })
    void shouldNameWhatIsMissing(String command, String missing) {
        assertThat(oneLine(command))
                .startsWith("sightline " + command + ": Missing required")
                .contains(missing)
                .endsWith("(see 'sightline " + command + " --help')");
    }

    @Test
    void shouldNameAFileThatIsNotThere() {
        assertThat(oneLine("detect", "a.jpg", "--model", "none.onnx"))
                .isEqualTo("sightline detect: --model none.onnx: no such file");
        assertThat(oneLine("demo", "--video", text, "--model", "none.onnx"))
                .isEqualTo("sightline demo: --model none.onnx: no such file");
        assertThat(oneLine("bench", "--video", text, "--model", "none.onnx"))
                .isEqualTo("sightline bench: --model none.onnx: no such file");
        assertThat(oneLine("run", "--bootstrap-servers", NOWHERE, "--model", "none.onnx"))
                .isEqualTo("sightline run: --model none.onnx: no such file");
        assertThat(oneLine("detect", "none.jpg", "--model", model))
                .isEqualTo("sightline detect: none.jpg: no such file");
        assertThat(oneLine("demo", "--video", "none.mp4", "--model", model))
                .isEqualTo("sightline demo: video none.mp4: no such file");
        assertThat(oneLine("bench", "--video", "none.mp4", "--model", model))
                .isEqualTo("sightline bench: video none.mp4: no such file");
        assertThat(oneLine("replay", "--video", "none.mp4", "--bootstrap-servers", NOWHERE))
                .isEqualTo("sightline replay: video none.mp4: no such file");
        assertThat(oneLine("run", "--options", "none.properties"))
                .isEqualTo("sightline run: --options none.properties: no such file");
    }

    @Test
    void shouldNameAFileThatIsSomethingElse() {
        String notOnnx = "model " + text + ": is not a complete ONNX file";
        assertThat(oneLine("detect", text, "--model", text))
                .startsWith("sightline detect: " + notOnnx);
        assertThat(oneLine("demo", "--video", text, "--model", text))
                .startsWith("sightline demo: " + notOnnx);
        // Before any broker is asked: a job would be restarted for ever.
        assertThat(oneLine("run", "--bootstrap-servers", NOWHERE, "--model", text))
                .startsWith("sightline run: " + notOnnx);
        assertThat(oneLine("detect", text, "--model", model))
                .startsWith("sightline detect: " + text + ": ")
                .contains("expected JPEG, PNG or WebP");
        assertThat(oneLine("demo", "--video", text, "--model", model))
                .startsWith("sightline demo: video " + text + ": cannot be opened");
        assertThat(oneLine("replay", "--video", text, "--bootstrap-servers", NOWHERE))
                .startsWith("sightline replay: video " + text + ": cannot be opened");
    }

    @Test
    void shouldNameAValueThatIsNone() {
        assertThat(run("--from", "yesterday"))
                .contains("'yesterday'", "committed, latest, earliest");
        assertThat(run("--until", "later")).contains("'later'");
        assertThat(run("--checkpoint-interval", "soon"))
                .contains("'--checkpoint-interval'", "'soon' is not a duration", "500ms, 10s");
        assertThat(run("--max-frame-bytes", "much")).contains("'much' is not a size", "512kb");
        assertThat(run("--delivery", "perhaps")).contains("at-least-once, exactly-once");
        assertThat(run("--layout", "odd")).contains("odd", "anchors-obj");
        assertThat(run("--input-size", "640")).contains("'640' is not a size", "640x384");
        assertThat(run("--input-size", "640x360"))
                .contains("'640x360' is no size for a detector", "multiples of 32 such as 640x352");
        assertThat(run("--input-size", "128x128"))
                .contains("[1,64,64,3] has a fixed size, which --input-size cannot change");
        assertThat(run("--lanes", "-1", "--confidence", "2"))
                .contains("--lanes is -1, expected at least 0", "--confidence is 2.0");
        assertThat(oneLine("demo", "--video", text, "--model", model, "--duration", "10parsecs"))
                .contains("'--duration'", "'10parsecs' is not a duration");
        assertThat(oneLine("demo", "--video", text, "--model", model, "--fps", "0"))
                .isEqualTo("sightline demo: frame rate 0.0: expected a number above 0");
        assertThat(oneLine("demo", "--video", text, "--model", model, "--cameras", "none"))
                .contains("'--cameras'", "'none'");
        assertThat(oneLine("demo", "--video", text, "--model", model, "--jpeg-quality", "101"))
                .contains("JPEG quality 101: expected 1 to 100");
        assertThat(oneLine("demo", "--model", model, "--jpeg-quality", "101"))
                .contains("JPEG quality 101: expected 1 to 100");
        assertThat(oneLine("demo", "--model", model, "--cameras", "0"))
                .isEqualTo("sightline demo: --cameras is 0, expected more than 0");
        assertThat(oneLine("demo", "--model", model, "--fps", "-1"))
                .isEqualTo("sightline demo: --fps is -1.0, expected more than 0");
        assertThat(oneLine("demo", "--model", model, "--duration", "0s"))
                .isEqualTo("sightline demo: --duration is PT0S, expected more than 0");
        String nowhere = folder.resolve("none/out.jsonl").toString();
        assertThat(oneLine("demo", "--model", model, "--events", nowhere))
                .startsWith("sightline demo: --events " + nowhere + " cannot be written");
        assertThat(oneLine(simulate("--truth", nowhere)))
                .isEqualTo("sightline simulate: " + nowhere + ": no such file or folder");
        assertThat(oneLine(simulate("--max-frame-bytes", "4gb")))
                .startsWith(
                        "sightline simulate: --max-frame-bytes is 4 gb, expected at most 1023 mb");
        assertThat(oneLine("detect", model, model, "--model", model, "--annotate", nowhere))
                .startsWith(
                        "sightline detect: "
                                + model
                                + " and "
                                + model
                                + " would both be drawn to ");
        assertThat(oneLine("demo", "--model", model, "--truth", nowhere))
                .startsWith("sightline demo: --truth " + nowhere + " cannot be written");
        assertThat(oneLine("demo", "--video", text, "--model", model, "--seed", "7"))
                .isEqualTo(
                        "sightline demo: --seed and --truth are for simulated cameras, --video for others: leave one out");
    }

    /** On machines without one: where there is a GPU, these commands work. */
    @Test
    void shouldSayWhatAGpuIsMissingAndNeverFallBack() {
        assumeFalse(Files.exists(Path.of("/dev/nvidiactl")), "there is an NVIDIA driver here");
        String line = "TensorRT needs an NVIDIA GPU: no NVIDIA driver is installed here";
        String[] gpu = {"--backend", "tensorrt", "--model", model};
        assertThat(oneLine(append(gpu, "detect", text))).startsWith("sightline detect: " + line);
        assertThat(oneLine("detect", text, "--backend", "tensorrt"))
                .startsWith("sightline detect: " + line);
        assertThat(oneLine(append(gpu, "demo"))).startsWith("sightline demo: " + line);
        assertThat(oneLine(append(gpu, "bench"))).startsWith("sightline bench: " + line);
        assertThat(oneLine(append(gpu, "model", "bench")))
                .startsWith("sightline model bench: " + line);
        assertThat(oneLine(append(gpu, "run", "--bootstrap-servers", NOWHERE)))
                .startsWith("sightline run: " + line)
                .endsWith("--backend onnxruntime needs none");
        assertThat(oneLine("model", "build", "--onnx", model))
                .startsWith("sightline model build: " + line);
    }

    private static String[] append(String[] last, String... first) {
        String[] all = Arrays.copyOf(first, first.length + last.length);
        System.arraycopy(last, 0, all, first.length, last.length);
        return all;
    }

    @Test
    void shouldKeepTheOptionsOfTheTwoBackendsApart() {
        assertThat(run("--gpu-device", "1"))
                .isEqualTo(
                        "--precision, --gpu-device and --engine-cache are for --backend tensorrt: leave them out");
        assertThat(run("--backend", "tensorrt", "--gpu-device", "-1"))
                .isEqualTo("--gpu-device is -1, expected at least 0");
        assertThat(run("--backend", "tensorrt", "--precision", "int4"))
                .contains("'int4' is none of fp32, fp16, int8");
        assertThat(oneLine("model", "build", "--onnx", model, "--precision", "int8"))
                .contains("has no Q/DQ pairs to compute in int8 by");
        assertThat(oneLine("model", "build", "--model", "none.onnx"))
                .isEqualTo(
                        "sightline model build: model none.onnx: no such file: expected an ONNX file");
        assertThat(oneLine("model", "build", "--onnx", model, "--max-batch", "0"))
                .isEqualTo("sightline model build: --max-batch is 0, expected at least 1");
    }

    private static String[] simulate(String option, String value) {
        return new String[] {"simulate", "--bootstrap-servers", "127.0.0.1:9", option, value};
    }

    private String run(String... options) {
        String[] args = new String[options.length + 5];
        args[0] = "run";
        args[1] = "--bootstrap-servers";
        args[2] = NOWHERE;
        args[3] = "--model";
        args[4] = model;
        System.arraycopy(options, 0, args, 5, options.length);
        String line = oneLine(args);
        assertThat(line).startsWith("sightline run: ");
        return line.substring("sightline run: ".length());
    }

    @Test
    void shouldTakeOptionsOfTheJobFromAFile() throws Exception {
        Path file = folder.resolve("job.properties");
        Files.writeString(
                file, "bootstrap-servers=" + NOWHERE + "\nmodel=" + model + "\nlanes=-7\n");
        assertThat(oneLine("run", "--options", file.toString()))
                .isEqualTo("sightline run: --lanes is -7, expected at least 0");
        Files.writeString(file, "line=1\n");
        assertThat(oneLine("run", "--options=" + file))
                .isEqualTo("sightline run: --options " + file + ": 'line' is not an option");
    }

    @Test
    void shouldSayThatNoBrokerAnswers() {
        assertThat(run())
                .startsWith("no Kafka broker answers at " + NOWHERE + " within 15000 ms: ");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "run",
                "replay",
                "audit",
                "detect",
                "bench",
                "model build",
                "model bench"
            })
    void shouldExplainEveryOption(String command) {
        CommandLineRun run = CommandLineRun.of((command + " --help").split(" ", -1));
        assertThat(run.status()).isZero();
        assertThat(run.err()).isEmpty();
        List<String> lines = run.outLines();
        assertThat(lines.get(0)).startsWith("Usage: sightline " + command);
        assertThat(run.out()).doesNotContain("null").doesNotContain("${");
        assertThat(lines).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80));
        // An option's line begins with it and goes on with what it is for.
        assertThat(lines.stream().filter(line -> line.matches(" {2,6}(-\\w, )?--.*")))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).matches(" {2,6}(-\\w, )?--\\S+ +\\S.*"));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.quantize.QuantizeSettings;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.Gate;
import io.sightline.toolchain.quantize.QuantizeSettings.LayerRule;
import io.sightline.toolchain.quantize.QuantizeSettings.Partial;
import io.sightline.toolchain.report.QuantizeReport.Layer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

class QuantizeCommandTest {

    private static final Path DOCS = Path.of("..", "docs", "quantize.md");

    @TempDir Path folder;

    private static QuantizeSettings settings(String... args) {
        QuantizeCommand command = new QuantizeCommand();
        Sightline.register(new CommandLine(command)).parseArgs(args);
        return command.flags.settings();
    }

    private static String problem(String... args) {
        return problemOf("quantize", args);
    }

    private static String problemOf(String command, String... args) {
        String[] all = new String[args.length + 2];
        all[0] = "model";
        all[1] = command;
        System.arraycopy(args, 0, all, 2, args.length);
        CommandLineRun run = CommandLineRun.of(all);
        assertThat(run.status()).isNotZero();
        assertThat(run.errLines()).as(run.err()).hasSize(1);
        String prefix = "sightline model " + command + ": ";
        assertThat(run.err()).startsWith(prefix).doesNotContain("Exception");
        return run.errLines().get(0).substring(prefix.length());
    }

    @Test
    void shouldDoWithFlagsAlone() {
        QuantizeSettings least = settings("--model", "m.onnx", "--images", "data", "--out", "o");
        assertThat(least)
                .isEqualTo(
                        QuantizeSettings.builder()
                                .model(Path.of("m.onnx"))
                                .images(Path.of("data"), Optional.empty())
                                .output(Path.of("o"))
                                .build());
        QuantizeSettings all =
                settings(
                        ("--model m --images i --labels l --out o --target avx2,tensorrt --layout pairs"
                                        + " --border 3 --method percentile --percentile 99.9"
                                        + " --float-layers head.*,stem --float-layers x --partial 3"
                                        + " --max-loss 0.02 --min-speedup 1.5 --min-int8-share 0.8"
                                        + " --seed 5 --calibrate-count 40 --select-count 20"
                                        + " --no-variants --low-bits none --rounds 9")
                                .split(" "));
        assertThat(all.engines()).containsExactly(Engine.AVX2, Engine.TENSORRT);
        assertThat(all.border()).hasValue(3);
        assertThat(all.images().report().labels()).contains(Path.of("l"));
        assertThat(all.images().calibrate().count()).hasValue(40);
        assertThat(all.images().select().count()).hasValue(20);
        assertThat(all.images().seed()).isEqualTo(5);
        assertThat(all.calibration().method())
                .isEqualTo(new RangeMethod(RangeMethod.Kind.PERCENTILE, 99.9));
        assertThat(all.layers())
                .containsExactly(
                        LayerRule.floating("head.*"),
                        LayerRule.floating("stem"),
                        LayerRule.floating("x"));
        assertThat(all.partial()).isEqualTo(new Partial(false, 3));
        assertThat(all.gate()).isEqualTo(new Gate(0.02, 1.5, 0.8));
        assertThat(all.variants()).isFalse();
        assertThat(all.lowBits()).isEmpty();
        assertThat(all.speedRounds()).isEqualTo(9);
        assertThat(settings("--model=m", "--images=i", "--out=o", "--low-bits", "5").lowBits())
                .containsExactly(5);
    }

    @Test
    void shouldLetFlagsWinOverTheFile() throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("q.yaml"),
                        """
                        model: m.onnx
                        output: out
                        images: {seed: 3, report: {path: data}}
                        gate: {max_loss: 0.5, min_speedup: 2}
                        layers: [{name: a, precision: float}]
                        """);
        QuantizeSettings settings =
                settings(
                        "--config=" + file,
                        "--max-loss=0.1",
                        "--float-layers=b",
                        "--out=elsewhere");
        assertThat(settings.model()).isEqualTo(folder.resolve("m.onnx"));
        assertThat(settings.output()).isEqualTo(Path.of("elsewhere"));
        assertThat(settings.gate()).isEqualTo(new Gate(0.1, 2, 0));
        assertThat(settings.layers())
                .containsExactly(LayerRule.floating("a"), LayerRule.floating("b"));
        assertThat(settings.images().seed()).isEqualTo(3);
    }

    @Test
    void shouldNameWhatIsWrongInOneLine() throws Exception {
        assertThat(problem())
                .isEqualTo(
                        "model: missing, expected an ONNX file: give it with --model or in the settings file");
        assertThat(problem("--model", "m.onnx", "--out", "o"))
                .startsWith("images.report: missing, expected labelled images");
        assertThat(problem("--labels", "l"))
                .isEqualTo("--labels is for --images, which is missing");
        assertThat(problem("--config", "none.yaml")).isEqualTo("settings none.yaml: no such file");
        assertThat(problem("--target", "gpu"))
                .contains("'gpu' is none of onnxruntime, tensorrt, avx2");
        assertThat(problem("--method", "minmax"))
                .contains("'minmax' is none of max, percentile, mse, entropy");
        assertThat(problem("--partial", "some"))
                .isEqualTo("partial: found some, expected auto, none or a number of layers");
        assertThat(problem("--max-loss", "7"))
                .isEqualTo("gate.max_loss: found 7.0, expected 0 to 1");
        assertThat(problem("--low-bits", "x")).startsWith("--low-bits x: expected widths");
        Path file = Files.writeString(folder.resolve("q.yaml"), "modle: m\n");
        assertThat(problem("--config", file.toString()))
                .isEqualTo("settings " + file + ": modle: no such key: did you mean model?");
        for (String command : List.of("calibrate", "sensitivity", "quantize")) {
            assertThat(
                            problemOf(
                                    command,
                                    "--model",
                                    folder.resolve("none.onnx").toString(),
                                    "--images",
                                    folder.toString(),
                                    "--out",
                                    folder.resolve("out").toString()))
                    .isEqualTo("model " + folder.resolve("none.onnx") + ": no such file");
        }
    }

    @Test
    void shouldKeepTheColumnsOfTheSensitivityTableWhateverTheNames() {
        String longName = "/model.22/cv3.2/a.very.deep.module/of.a.long.name/conv/Conv";
        List<String> lines =
                SensitivityCommand.table(
                        List.of(
                                layer(longName, "3x3/2 3→16 at 320x320", 1e-12, 51.25),
                                layer("b", "1x1/1 64→255 at 20x20", null, null)));
        assertThat(lines).hasSize(3);
        assertThat(lines).extracting(String::length).containsOnly(lines.get(0).length());
        assertThat(lines.get(0)).startsWith("layer ").contains(" shape ").endsWith(" AP");
        assertThat(lines.get(1))
                .startsWith(longName + "  3x3/2 3→16 at 320x320 ")
                .contains(" 1.00e-12 ", " 51.3 ", " 12.5% ");
        assertThat(lines.get(2)).startsWith("b ").endsWith(" -");
        int shape = longName.length() + 2;
        assertThat(lines.get(0).indexOf("shape")).isEqualTo(shape);
        assertThat(lines.get(2).indexOf("1x1/1")).isEqualTo(shape);
    }

    private static Layer layer(String name, String shape, Double mse, Double snr) {
        return new Layer(
                name,
                shape,
                8,
                0.125,
                "uint8",
                "uint8",
                "QLinearConv",
                mse,
                snr,
                null,
                null,
                null,
                null,
                null,
                null,
                "int8");
    }

    @Test
    void shouldExplainEveryFlagWithinALine() {
        for (String command : List.of("calibrate", "sensitivity", "quantize", "report")) {
            CommandLineRun run = CommandLineRun.of("model", command, "--help");
            assertThat(run.status()).isZero();
            assertThat(run.outLines())
                    .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80));
            assertThat(run.out()).startsWith("Usage: sightline model " + command);
        }
    }

    @Test
    void shouldBeDocumentedKeyByKeyAndFlagByFlag() throws Exception {
        String docs = Files.readString(DOCS);
        for (OptionSpec option :
                new CommandLine(new QuantizeCommand()).getCommandSpec().options()) {
            if (!Arrays.asList(option.names()).contains("--help")
                    && !Arrays.asList(option.names()).contains("--version")) {
                assertThat(docs).contains("`" + option.longestName());
            }
        }
        String yaml = docs.substring(docs.indexOf("```yaml\n") + 8);
        Path file =
                Files.writeString(
                        folder.resolve("docs.yaml"), yaml.substring(0, yaml.indexOf("```")));
        QuantizeSettings documented = QuantizeSettings.read(file).build();
        QuantizeSettings defaults =
                QuantizeSettings.builder()
                        .model(documented.model())
                        .output(documented.output())
                        .report(documented.images().report())
                        .build();
        for (Map.Entry<String, Object> key : defaults.asMap().entrySet()) {
            assertThat(docs).contains("`" + key.getKey());
            if (!List.of("images", "calibration", "layers", "prepare").contains(key.getKey())) {
                assertThat(documented.asMap()).contains(key);
            }
        }
        assertThat(documented.images().seed()).isEqualTo(defaults.images().seed());
        assertThat(documented.images().calibrate().count())
                .isEqualTo(defaults.images().calibrate().count());
        assertThat(documented.images().select().count())
                .isEqualTo(defaults.images().select().count());
        assertThat(documented.calibration().method()).isEqualTo(defaults.calibration().method());
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Plain pictures with the truth that a detector of colours finds in them, so that every number is
 * known.
 */
class EvaluateCommandTest {

    private static final int SIDE = 64;
    private static final int IMAGES = 12;

    /** File, precision and engine. */
    private static final String RUN = "\\S+\\.onnx +fp32 +onnxruntime +";

    @TempDir Path folder;
    private String model;

    @BeforeEach
    void writePictures() throws Exception {
        model =
                TestModels.colourDetector(folder, SIDE, SIDE, 1, InputFormat.BYTES_NHWC_BGR)
                        .toString();
        Files.createDirectory(folder.resolve("images"));
        Files.createDirectory(folder.resolve("labels"));
        for (int i = 0; i < IMAGES; i++) {
            Color colour = new Color(255 - i, 255, 32 * (i % 2) + 10);
            BufferedImage picture = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_3BYTE_BGR);
            Graphics2D graphics = picture.createGraphics();
            graphics.setColor(colour);
            graphics.fillRect(0, 0, SIDE, SIDE);
            graphics.dispose();
            ImageIO.write(picture, "png", folder.resolve("images/" + i + ".png").toFile());
            float[] row =
                    TestModels.colourRow(
                            SIDE, SIDE, colour.getBlue(), colour.getGreen(), colour.getRed());
            Files.writeString(
                    folder.resolve("labels/" + i + ".txt"),
                    String.format(
                            Locale.ROOT,
                            "%d %f %f %f %f%n",
                            (int) row[5],
                            (row[0] + row[2]) / 2 / SIDE,
                            (row[1] + row[3]) / 2 / SIDE,
                            (row[2] - row[0]) / SIDE,
                            (row[3] - row[1]) / SIDE));
        }
    }

    private CommandLineRun evaluate(String... options) {
        String[] args = new String[options.length + 4];
        args[0] = "model";
        args[1] = "evaluate";
        args[2] = "--images";
        args[3] = folder.toString();
        System.arraycopy(options, 0, args, 4, options.length);
        return CommandLineRun.of(args);
    }

    private String oneLine(String... options) {
        CommandLineRun run = evaluate(options);
        assertThat(run.status()).isNotZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.errLines()).as(run.err()).hasSize(1);
        return run.errLines().get(0);
    }

    @Test
    void shouldCompareEveryCombinationWithTheFirst() {
        CommandLineRun run =
                evaluate("--model", model, "--border", "0,24", "--interpolation", "linear,yolov6");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.outLines().get(0)).isEqualTo("12 images, 12 objects of 2 classes");
        List<String> lines =
                run.outLines().stream().filter(line -> line.matches(" +\\d .*")).toList();
        assertThat(lines).hasSize(10);
        assertThat(lines.get(0))
                .matches(" +1 +colour-detector +" + RUN + "0 +linear( +1\\.0000){3} +1.*");
        assertThat(lines.get(1))
                .matches(" +2 +colour-detector +" + RUN + "0 +yolov6( +1\\.0000){3} +1.*");
        assertThat(lines.get(2))
                .matches(" +3 +colour-detector +" + RUN + "24 +linear( +0\\.0000){3} +0.*");
        assertThat(lines.get(4)).matches(" +2 +\\+0\\.0000 .*does not move: at most 0\\.003");
        assertThat(lines.get(5))
                .matches(" +3 +-1\\.0000 +\\[-1\\.0000, -1\\.0000].*loss: .* below 0");
        assertThat(lines.get(7)).isEqualTo("  2  matched 1.0000  24 of 24");
        assertThat(lines.get(8)).isEqualTo("  3  matched 0.0000  0 of 24");
        assertThat(lines).allSatisfy(line -> assertThat(line).doesNotContain("NaN"));
    }

    @Test
    void shouldPrintTheClasses() {
        CommandLineRun run = evaluate("--model", model, "--per-class");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.outLines())
                .anyMatch(line -> line.matches("shade-0 +6 +1\\.0000 +1\\.0000"))
                .anyMatch(line -> line.matches("shade-1 +6 +1\\.0000 +1\\.0000"));
    }

    @Test
    void shouldSayHowClassesWereMatched() throws Exception {
        String first = "{\"id\": 0, \"name\": \"%s\"}, {\"id\": 1, \"name\": \"%s\"}";
        StringBuilder more = new StringBuilder();
        for (int i = 2; i < 8; i++) {
            more.append(", {\"id\": %d, \"name\": \"other-%d\"}".formatted(i, i));
        }
        assertThat(withCoco(first.formatted("shade-0", "shade-1") + more).outLines())
                .contains("classes by their names");
        assertThat(withCoco(first.formatted("grey", "shade-1") + more).outLines())
                .contains("classes by their order: colour-detector knows no grey");
    }

    private CommandLineRun withCoco(String categories) throws Exception {
        Path file =
                Files.writeString(
                        folder.resolve("coco.json"),
                        """
                        {"categories": [%s],
                         "images": [{"id": 1, "file_name": "0.png", "width": 64, "height": 64}],
                         "annotations": [{"id": 1, "image_id": 1, "category_id": 0, "bbox": [0, 0, 9, 9]}]}
                        """
                                .formatted(categories));
        return evaluate("--model", model, "--labels", file.toString());
    }

    @Test
    void shouldPrintJson() throws Exception {
        CommandLineRun run = evaluate("--model", model, "--model", model, "--json");
        assertThat(run.status()).as(run.err()).isZero();
        JsonNode document = new ObjectMapper().readTree(run.out());
        assertThat(document.get("images").asInt()).isEqualTo(IMAGES);
        assertThat(document.get("rows")).hasSize(2);
        JsonNode first = document.get("rows").get(0);
        JsonNode second = document.get("rows").get(1);
        assertThat(first.get("model").asText()).isEqualTo("colour-detector");
        assertThat(first.get("backend").asText()).isEqualTo("onnxruntime");
        assertThat(first.get("sha256").asText()).hasSize(64);
        assertThat(first.get("map").asDouble()).isEqualTo(1);
        assertThat(first.get("map_large").isNull()).isTrue();
        assertThat(first.get("against_first").isNull()).isTrue();
        assertThat(second.get("against_first").get("delta").asDouble()).isZero();
        assertThat(second.get("against_first").get("verdict").asText()).isEqualTo("not-moved");
        assertThat(second.get("against_first").get("detections").asInt()).isEqualTo(2 * IMAGES);
        assertThat(second.get("against_first").get("matched").asInt()).isEqualTo(2 * IMAGES);
        assertThat(second.get("classes").get(1).get("label").asText()).isEqualTo("shade-1");
    }

    /** To see what TensorRT is to give, where ONNX Runtime itself would not serve it. */
    @Test
    void shouldRunAFileForAnotherEngineAsOnnxDefinesIt() throws Exception {
        Path other = Files.copy(Path.of(model), folder.resolve("other.onnx"));
        Path json = Path.of(model.replace(".onnx", ".json"));
        String spec = Files.exists(json) ? Files.readString(json).strip() : "{ }";
        Files.writeString(
                folder.resolve("other.json"),
                spec.substring(0, spec.length() - 1)
                        + (spec.contains(":") ? "," : "")
                        + "\"target\": \"tensorrt\"}");
        CommandLineRun run = evaluate("--model", model, "--model", other.toString());
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.outLines()).contains("  2  matched 1.0000  24 of 24");
    }

    @Test
    void shouldSayInOneLineWhatIsWrong() throws Exception {
        assertThat(oneLine("--model", "none.onnx"))
                .isEqualTo("sightline model evaluate: --model none.onnx: no such file");
        assertThat(oneLine("--model", model, "--border", "-1"))
                .isEqualTo("sightline model evaluate: --border is -1, expected at least 0");
        assertThat(oneLine("--model", model, "--border", "32"))
                .contains("border 32 leaves nothing");
        assertThat(oneLine("--model", model, "--interpolation", "cubic"))
                .contains("'cubic' is none of linear, yolov6");
        assertThat(oneLine("--model", model, "--labels", "none")).contains("none: no such file");
        assertThat(oneLine()).contains("--model");
        Files.writeString(folder.resolve("labels/3.txt"), "9 0.5 0.5 0.5 0.5\n");
        assertThat(oneLine("--model", model)).contains("class 9, but the model has 8 classes");
        Files.writeString(folder.resolve("labels/3.txt"), "0 0.5 0.5\n");
        assertThat(oneLine("--model", model)).contains("3.txt: line 1: found 3 fields");
        Files.writeString(folder.resolve("labels/3.txt"), "");
        Files.writeString(folder.resolve("images/3.png"), "no picture");
        assertThat(oneLine("--model", model)).contains("3.png: ", "expected JPEG, PNG or WebP");
    }

    @Test
    void shouldExplainEveryOption() {
        CommandLineRun run = CommandLineRun.of("model", "evaluate", "--help");
        assertThat(run.status()).isZero();
        assertThat(run.out()).doesNotContain("null").doesNotContain("${");
        assertThat(run.outLines())
                .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80))
                .filteredOn(line -> line.matches(" {2,6}(-\\w, )?--.*"))
                .isNotEmpty()
                .allSatisfy(line -> assertThat(line).matches(" {2,6}(-\\w, )?--\\S+ +\\S.*"));
    }

    @Test
    void shouldWriteOverOneLineOfATerminalNowAndThen() {
        assertThat(progress(true, 50, 150, 160, 249, 251))
                .isEqualTo("\r\u001b[Kreading: 1 of 5\r\u001b[Kreading: 4 of 5\r\u001b[K");
        assertThat(progress(true, 50)).isEmpty();
        assertThat(progress(false, 9_000, 10_000, 19_000, 21_000))
                .isEqualTo("reading: 1 of 4%nreading: 3 of 4%n".formatted());
    }

    /** What is written when a step is done at each of these milliseconds. */
    private static String progress(boolean terminal, long... millis) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        AtomicLong nanos = new AtomicLong(-7);
        long start = nanos.get();
        try (ProgressLine line =
                new ProgressLine(
                        new PrintStream(bytes, true, StandardCharsets.UTF_8),
                        terminal,
                        nanos::get)) {
            for (int i = 0; i < millis.length; i++) {
                nanos.set(start + millis[i] * 1_000_000);
                line.step("reading", i, millis.length);
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}

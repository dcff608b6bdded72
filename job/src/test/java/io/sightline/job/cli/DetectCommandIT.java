// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.events.testing.SharedFiles;
import io.sightline.toolchain.evaluate.Box;
import java.awt.image.BufferedImage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Real networks on a picture for which others have published what they find. */
class DetectCommandIT {

    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir Path folder;
    private Path image;
    private JsonNode published;

    private record Found(String label, Box box) {}

    @BeforeEach
    void read() throws Exception {
        image = SharedFiles.require("data/images/rknn_bus_640.jpg");
        published =
                MAPPER.readTree(
                        Files.readAllBytes(
                                SharedFiles.require("data/images/bus-640-published.json")));
    }

    private List<Found> published(String model) {
        List<Found> objects = new ArrayList<>();
        for (JsonNode object : published.get(model)) {
            JsonNode box = object.get("box");
            objects.add(
                    new Found(
                            object.get("label").asText(),
                            new Box(
                                    box.get(0).asDouble(),
                                    box.get(1).asDouble(),
                                    box.get(2).asDouble(),
                                    box.get(3).asDouble())));
        }
        return objects;
    }

    private List<Found> detect(String model) throws Exception {
        CommandLineRun run =
                CommandLineRun.of(
                        "detect",
                        image.toString(),
                        "--model",
                        SharedFiles.require("models/" + model + ".onnx").toString(),
                        "--json");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.outLines()).hasSize(1);
        JsonNode result = MAPPER.readTree(run.out());
        assertThat(result.get("file").asText()).isEqualTo(image.toString());
        assertThat(result.get("model").asText()).isEqualTo(model);
        assertThat(result.get("width").asInt()).isEqualTo(640);
        assertThat(result.get("height").asInt()).isEqualTo(640);
        List<Found> objects = new ArrayList<>();
        for (JsonNode object : result.get("objects")) {
            JsonNode box = object.get("bbox");
            double x = box.get("x").asDouble();
            double y = box.get("y").asDouble();
            objects.add(
                    new Found(
                            object.get("label").asText(),
                            new Box(
                                    x,
                                    y,
                                    x + box.get("width").asDouble(),
                                    y + box.get("height").asDouble())));
        }
        return objects;
    }

    private static double bestIou(Found wanted, List<Found> found) {
        return found.stream()
                .filter(object -> object.label().equals(wanted.label()))
                .mapToDouble(object -> object.box().iou(wanted.box()))
                .max()
                .orElse(0);
    }

    @Test
    void shouldFindWhatIsPublishedForYolov10() throws Exception {
        List<Found> found = detect("yolov10n-640-dynamic-int8");
        List<Found> wanted = published("yolov10");
        assertThat(wanted).hasSize(5);
        assertThat(found).hasSameSizeAs(wanted);
        for (Found object : wanted) {
            double iou = bestIou(object, found);
            System.out.println("yolov10n " + object.label() + ": IoU " + iou);
            assertThat(iou).as(object.toString()).isGreaterThanOrEqualTo(0.85);
        }
    }

    @Test
    void shouldFindTheBusAndTheLargePersonsWithYolov5() throws Exception {
        List<Found> found = detect("yolov5n-640");
        // The fifth is a person cut off by the picture's edge.
        List<Found> wanted = published("yolov5").subList(0, 4);
        for (Found object : wanted) {
            double iou = bestIou(object, found);
            System.out.println("yolov5n " + object.label() + ": IoU " + iou);
            assertThat(iou).as(object.toString()).isGreaterThanOrEqualTo(0.70);
        }
    }

    @Test
    void shouldPrintALineForEachObjectAndDrawThemIntoACopy() throws Exception {
        Path drawn = folder.resolve("new/folder");
        CommandLineRun run =
                CommandLineRun.of(
                        "detect",
                        image.toString(),
                        "--model",
                        SharedFiles.require("models/yolov6-lite-l-320.onnx").toString(),
                        "--annotate",
                        drawn.toString());
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.outLines().get(0)).startsWith(image + "  640x640  ").endsWith(" objects");
        assertThat(run.outLines().subList(1, run.outLines().size()))
                .hasSizeGreaterThanOrEqualTo(4)
                .allMatch(
                        line ->
                                line.matches(
                                        "  [a-z ]+ +0\\.\\d{3}  x .* y .* width .* height .*"));
        try (var files = Files.list(drawn)) {
            assertThat(files).containsExactly(drawn.resolve("rknn_bus_640.jpg"));
        }
        BufferedImage before = ImageIO.read(image.toFile());
        BufferedImage after = ImageIO.read(drawn.resolve("rknn_bus_640.jpg").toFile());
        assertThat(after.getWidth()).isEqualTo(before.getWidth());
        assertThat(after.getHeight()).isEqualTo(before.getHeight());
        // Some pixels are drawn over, most are as they were but for their encoding.
        int changed = 0;
        for (int y = 0; y < after.getHeight(); y++) {
            for (int x = 0; x < after.getWidth(); x++) {
                int green = (before.getRGB(x, y) >> 8) & 0xff;
                changed += Math.abs(green - ((after.getRGB(x, y) >> 8) & 0xff)) > 40 ? 1 : 0;
            }
        }
        assertThat(changed).isBetween(2_000, 40_000);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.camera.simulated.Light;
import io.sightline.camera.simulated.ObjectClass;
import io.sightline.camera.simulated.Scene;
import io.sightline.camera.simulated.SceneSettings;
import io.sightline.camera.simulated.TrueObject;
import io.sightline.events.testing.SharedFiles;
import io.sightline.toolchain.evaluate.Box;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A network that has only ever seen photographs finds what simulated cameras show. */
class SceneRealismIT {

    private static final int WIDTH = 1280;
    private static final int HEIGHT = 720;
    private static final int SCENES = 60;
    private static final double MIN_RECALL = 0.6;
    private static final double MIN_IOU = 0.5;

    @TempDir Path folder;
    private Path model;

    private final List<List<TrueObject>> truths = new ArrayList<>();
    private final List<String> pictures = new ArrayList<>();

    @BeforeEach
    void renderScenesByDay() throws Exception {
        model = SharedFiles.require("models/yolov5n-640.onnx");
        for (int seed = 1; pictures.size() < SCENES; seed++) {
            SceneSettings settings = SceneSettings.ofSeed(seed, WIDTH, HEIGHT);
            if (settings.light() != Light.DAY) {
                continue;
            }
            try (Scene scene = new Scene(settings)) {
                scene.render(0);
                Path picture = folder.resolve(seed + ".jpg");
                Files.write(picture, scene.jpeg(90));
                pictures.add(picture.toString());
                truths.add(scene.truth());
            }
        }
    }

    @Test
    void shouldLookLikePhotographsToADetector() throws Exception {
        List<String> args = new ArrayList<>(List.of("detect", "--json", "--confidence", "0.25"));
        args.addAll(List.of("--model", model.toString()));
        args.addAll(pictures);
        CommandLineRun run = CommandLineRun.of(args.toArray(new String[0]));
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.outLines()).hasSize(SCENES);
        assertThat(recall(ObjectClass.PERSON, run.outLines())).isGreaterThanOrEqualTo(MIN_RECALL);
        assertThat(recall(ObjectClass.CAR, run.outLines())).isGreaterThanOrEqualTo(MIN_RECALL);
    }

    private double recall(ObjectClass objectClass, List<String> results) throws Exception {
        int found = 0;
        int all = 0;
        for (int i = 0; i < SCENES; i++) {
            List<Box> boxes = boxes(results.get(i), objectClass.label());
            for (TrueObject object : truths.get(i)) {
                if (object.objectClass() == objectClass && object.counts(640.0 / WIDTH)) {
                    all++;
                    found += takeBest(boxes, object) ? 1 : 0;
                }
            }
        }
        double recall = (double) found / all;
        System.out.printf("%s: %d of %d, recall %.3f%n", objectClass.label(), found, all, recall);
        return recall;
    }

    /** Whether a detection fits; each detection is for one object only. */
    private static boolean takeBest(List<Box> boxes, TrueObject object) {
        Box wanted = new Box(object.x1(), object.y1(), object.x2(), object.y2());
        Box best = null;
        for (Box box : boxes) {
            if (box.iou(wanted) >= MIN_IOU
                    && (best == null || box.iou(wanted) > best.iou(wanted))) {
                best = box;
            }
        }
        return boxes.remove(best);
    }

    private static List<Box> boxes(String result, String label) throws Exception {
        List<Box> boxes = new ArrayList<>();
        for (JsonNode object : new ObjectMapper().readTree(result).get("objects")) {
            if (object.get("label").asText().equals(label)) {
                JsonNode box = object.get("bbox");
                double x = box.get("x").asDouble();
                double y = box.get("y").asDouble();
                boxes.add(
                        new Box(
                                x,
                                y,
                                x + box.get("width").asDouble(),
                                y + box.get("height").asDouble()));
            }
        }
        return boxes;
    }
}

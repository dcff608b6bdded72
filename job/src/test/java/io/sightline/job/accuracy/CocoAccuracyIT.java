// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.accuracy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.testing.SharedFiles;
import io.sightline.vision.Interpolation;
import io.sightline.vision.NmsSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/**
 * Mean average precision of the job's own decode, letterbox, engine, parser and suppression, on 173
 * images of COCO, against what an independent evaluator found for the same model and images.
 */
class CocoAccuracyIT {

    /** Every class of every box that has a chance at all: as the independent evaluator does. */
    private static final NmsSettings NMS = new NmsSettings(0.001f, 0.65f, 30_000, 300, true);

    private static final int COUNTED = 100;

    /** A letterbox that truncates where theirs rounds moves boxes by a fraction of a pixel. */
    private static final double TOLERANCE = 0.01;

    @Test
    void shouldReachTheMeanAveragePrecisionOfAnIndependentEvaluator() throws Exception {
        MeanAveragePrecision map = evaluate("yolov6-lite-s-320", 0, Interpolation.LINEAR);
        assertThat(map.mean()).isCloseTo(0.2955, within(TOLERANCE));
        assertThat(map.at50()).isCloseTo(0.4231, within(TOLERANCE));
    }

    /**
     * What the choices of the letterbox cost: run by hand, with {@code
     * -Dsightline.letterbox-table=model,model}.
     */
    @Test
    @EnabledIfSystemProperty(named = "sightline.letterbox-table", matches = ".+")
    void shouldPrintWhatTheChoicesOfTheLetterboxCost() throws Exception {
        for (String model : System.getProperty("sightline.letterbox-table").split(",", -1)) {
            for (int border : List.of(0, 3)) {
                for (Interpolation interpolation : Interpolation.values()) {
                    assertThat(evaluate(model, border, interpolation).mean()).isPositive();
                }
            }
        }
    }

    private static MeanAveragePrecision evaluate(
            String model, int border, Interpolation interpolation) throws Exception {
        Path onnx = SharedFiles.require("models/" + model + ".onnx");
        Path data = SharedFiles.require("data/coco-val-dev");
        MeanAveragePrecision map = new MeanAveragePrecision(COUNTED);
        int images = 0;
        try (PictureDetector detector = new PictureDetector(onnx, border, interpolation, NMS);
                Stream<Path> files = Files.list(data.resolve("images"))) {
            for (Path image : files.sorted().toList()) {
                PictureDetector.Result found = detector.detect(Files.readAllBytes(image));
                String label = image.getFileName().toString().replaceFirst("\\.[^.]*$", ".txt");
                map.add(
                        truth(data.resolve("labels").resolve(label), found.width(), found.height()),
                        found.objects());
                images++;
            }
        }
        assertThat(images).isEqualTo(173);
        System.out.printf(
                Locale.ROOT,
                "mAP of %s, border %d, %s: %.4f (at 0.50: %.4f)%n",
                model,
                border,
                interpolation,
                map.mean(),
                map.at50());
        return map;
    }

    /** Lines {@code class cx cy width height}, relative to the image's size. */
    private static Map<Integer, List<Box>> truth(Path labels, int width, int height)
            throws Exception {
        Map<Integer, List<Box>> boxes = new HashMap<>();
        for (String line : Files.readAllLines(labels)) {
            String[] fields = line.strip().split("\\s+", -1);
            double x = Double.parseDouble(fields[1]) * width;
            double y = Double.parseDouble(fields[2]) * height;
            double halfWidth = Double.parseDouble(fields[3]) * width / 2;
            double halfHeight = Double.parseDouble(fields[4]) * height / 2;
            boxes.computeIfAbsent(Integer.parseInt(fields[0]), id -> new ArrayList<>())
                    .add(new Box(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight));
        }
        return boxes;
    }
}

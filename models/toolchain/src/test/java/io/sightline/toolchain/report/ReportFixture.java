// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.report;

import io.sightline.toolchain.Sha256;
import io.sightline.toolchain.quantize.QuantizeSettings;
import io.sightline.toolchain.report.QuantizeReport.Accuracy;
import io.sightline.toolchain.report.QuantizeReport.Difference;
import io.sightline.toolchain.report.QuantizeReport.FloatLayer;
import io.sightline.toolchain.report.QuantizeReport.Gate;
import io.sightline.toolchain.report.QuantizeReport.ImageSet;
import io.sightline.toolchain.report.QuantizeReport.Layer;
import io.sightline.toolchain.report.QuantizeReport.Machine;
import io.sightline.toolchain.report.QuantizeReport.Model;
import io.sightline.toolchain.report.QuantizeReport.RunNode;
import io.sightline.toolchain.report.QuantizeReport.Speed;
import io.sightline.toolchain.report.QuantizeReport.TargetResult;
import io.sightline.toolchain.report.QuantizeReport.Variant;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** A report as a quantisation of a small detector writes it: made-up numbers of likely size. */
final class ReportFixture {

    private static final int LAYERS = 60;

    private static final List<String> CLASSES =
            List.of(
                    "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant, stop sign, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe, backpack, umbrella, handbag, tie, suitcase, skis, kite, bottle, wine glass, cup, fork, knife, spoon, bowl, banana, pizza, chair"
                            .split(", "));

    private final Random chance = new Random(5);

    private ReportFixture() {}

    /** One engine passes, one fails; TensorRT is not timed. */
    static QuantizeReport report() {
        return new ReportFixture().make();
    }

    /** Names that want to be more than text, and values that are missing or no number. */
    static QuantizeReport hostile() {
        String evil =
                "</script><script>document.title='x'</script><img src=x onerror=alert(1)>\"'&amp;`${1}\u2028\u2029\\ <!-- \0 é 猫 \uD83D\uDC08 /*REPORT*/ /*STYLE*/";
        return new QuantizeReport(
                evil,
                new Model(evil, evil, evil, 1, evil, 64, 64, 0, 1, Double.NaN, List.of(evil)),
                Map.of(evil, evil),
                new Machine(evil, evil, 1, evil, evil),
                List.of(new ImageSet(evil, evil, Map.of(evil, evil), List.of(evil))),
                new Accuracy(0, 0, 0, null, null, null, Map.of(evil, 0.5)),
                List.of(
                        new TargetResult(
                                evil,
                                evil,
                                null,
                                null,
                                evil,
                                8,
                                false,
                                null,
                                null,
                                0,
                                List.of(new FloatLayer(evil, evil)),
                                null,
                                List.of(new Gate(evil, Double.NaN, 0, false)),
                                false,
                                evil)),
                List.of(
                        new Layer(
                                evil,
                                evil,
                                1,
                                1,
                                null,
                                null,
                                null,
                                0.0,
                                Double.POSITIVE_INFINITY,
                                null,
                                null,
                                null,
                                null,
                                null,
                                null,
                                evil)),
                List.of(new Variant(evil, evil, null, null, null)),
                List.of(),
                List.of(new RunNode(evil, evil, evil, 1)),
                List.of(evil),
                false);
    }

    /** As little as a run can find out. */
    static QuantizeReport bare() {
        return new QuantizeReport(
                "2026-01-01T00:00:00Z",
                new Model("m", "m.onnx", "0", 1, "pairs", 64, 64, 0, 1, 1, List.of()),
                Map.of(),
                new Machine("a CPU", "none", 1, "17", "1"),
                List.of(),
                null,
                List.of(
                        new TargetResult(
                                "onnxruntime",
                                null,
                                null,
                                null,
                                null,
                                8,
                                false,
                                null,
                                null,
                                0,
                                List.of(),
                                null,
                                List.of(),
                                true,
                                "float is kept")),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                true);
    }

    private QuantizeReport make() {
        List<Layer> layers = layers();
        QuantizeSettings settings =
                QuantizeSettings.builder()
                        .model(Path.of("/models/yolov5n-640.onnx"))
                        .output(Path.of("/models/quantized"))
                        .images(Path.of("/data/coco-val"), Optional.empty())
                        .layer(QuantizeSettings.LayerRule.floating("/model.24/*"))
                        .minSpeedup(1.3)
                        .minInt8Share(0.85)
                        .build();
        Accuracy floats = accuracy(0.3379, 0);
        return new QuantizeReport(
                "2026-03-14T15:09:26Z",
                new Model(
                        "yolov5n-640",
                        "/models/yolov5n-640.onnx",
                        sha("model"),
                        7_538_421,
                        "anchors-obj",
                        640,
                        640,
                        0,
                        1_867_405,
                        4.52,
                        List.of(
                                "input: uint8 [batch, 640, 640, 3] BGR, channel order folded into /model.0/conv/Conv",
                                "batch: symbolic; 2 frames equal two single runs (largest difference 0)",
                                "output: left as it is, [batch, 25200, 85]")),
                settings.asMap(),
                new Machine(
                        "Intel Xeon Processor (Sapphire Rapids)",
                        "AVX-512 VNNI",
                        2,
                        "17.0.15+6 (Debian)",
                        "1.29.0"),
                List.of(
                        images(
                                "calibrate",
                                64,
                                List.of(
                                        "2 nearly the same as another, used all the same: 000000039551.jpg ~ 000000038048.jpg, 000000500663.jpg ~ 000000289343.jpg")),
                        images("select", 32, List.of()),
                        images("report", 109, List.of())),
                floats,
                List.of(
                        new TargetResult(
                                "onnxruntime",
                                "/models/quantized/yolov5n-640.onnxruntime.int8.onnx",
                                sha("ort"),
                                2_204_118L,
                                "mse",
                                8,
                                true,
                                accuracy(0.3333, -0.0046),
                                new Difference(-0.0046, -0.0122, 0.0031),
                                0.951,
                                floatLayers(layers),
                                new Speed(26.31, 25.94, 19.02, 1.364, 30),
                                List.of(
                                        new Gate("loss of mAP 50-95, at most", 0.0046, 0.010, true),
                                        new Gate("times float, at least", 1.364, 1.3, true),
                                        new Gate(
                                                "share of MACs in INT8, at least",
                                                0.951,
                                                0.85,
                                                true)),
                                true,
                                "INT8 is to be deployed: 1.36 times float for 0.0046 mAP, which the pictures do not tell from none"),
                        new TargetResult(
                                "tensorrt",
                                "/models/quantized/yolov5n-640.tensorrt.int8.onnx",
                                sha("trt"),
                                2_198_770L,
                                "mse",
                                8,
                                false,
                                accuracy(0.3262, -0.0117),
                                new Difference(-0.0117, -0.0198, -0.0032),
                                0.978,
                                floatLayers(layers).subList(0, 1),
                                null,
                                List.of(
                                        new Gate(
                                                "loss of mAP 50-95, at most", 0.0117, 0.010, false),
                                        new Gate(
                                                "share of MACs in INT8, at least",
                                                0.978,
                                                0.85,
                                                true)),
                                false,
                                "float is to be kept: INT8 loses 0.0117 mAP, more than 0.0100")),
                layers,
                List.of(
                        new Variant(
                                "heads float",
                                "every convolution but the three that predict",
                                0.3350,
                                new Difference(-0.0029, -0.0101, 0.0042),
                                0.934),
                        new Variant(
                                "naive",
                                "every convolution up to the predictions, largest value seen, decode float",
                                0.3278,
                                new Difference(-0.0101, -0.0189, -0.0017),
                                1.0),
                        new Variant(
                                "percentile 99.99",
                                "the same with all but 0.01 % of values",
                                0.3338,
                                new Difference(-0.0041, -0.0121, 0.0036),
                                1.0),
                        new Variant(
                                "box decode quantised",
                                "a trap: coordinates and scores share one scale behind their concatenation",
                                0.0,
                                new Difference(-0.3379, -0.3701, -0.3052),
                                1.0)),
                List.of(
                        new Variant(
                                "4 bits",
                                "weights and activations; first and last layers 8",
                                0.2113,
                                new Difference(-0.1266, -0.1451, -0.1082),
                                null),
                        new Variant(
                                "4 bits, corrected",
                                "the same with a scale and a shift for each output channel",
                                0.2604,
                                new Difference(-0.0775, -0.0911, -0.0643),
                                null),
                        new Variant(
                                "3 bits",
                                "weights and activations; first and last layers 8",
                                0.0312,
                                new Difference(-0.3067, -0.3344, -0.2791),
                                null),
                        new Variant(
                                "3 bits, corrected",
                                "the same with a scale and a shift for each output channel",
                                null,
                                null,
                                null)),
                nodes(layers),
                List.of(
                        "109 pictures in the report set: the interval is wider than the limit; more pictures tell more",
                        "the TensorRT file was evaluated on the CPU with graph optimisation off, not by TensorRT"),
                false);
    }

    private static String sha(String of) {
        return Sha256.of(of.getBytes(StandardCharsets.UTF_8));
    }

    private static ImageSet images(String purpose, int count, List<String> problems) {
        Map<String, String> pictures = new LinkedHashMap<>();
        for (int i = 0; i < count; i++) {
            pictures.put("%012d.jpg".formatted(139 + 4241L * i), sha(purpose + i));
        }
        return new ImageSet(purpose, "/data/coco-val", pictures, problems);
    }

    private Accuracy accuracy(double map, double shift) {
        Map<String, Double> classes = new LinkedHashMap<>();
        Random same = new Random(9);
        for (String name : CLASSES) {
            double ap = 0.05 + 0.7 * same.nextDouble();
            classes.put(name, ap + shift * (1 + 6 * (chance.nextDouble() - 0.4)));
        }
        return new Accuracy(
                map, map * 1.56, map * 1.05, map * 0.42, map * 1.09, map * 1.4, classes);
    }

    private List<Layer> layers() {
        List<Layer> layers = new ArrayList<>();
        double left = 1;
        for (int i = 0; i < LAYERS; i++) {
            boolean head = i >= LAYERS - 3;
            String name =
                    head
                            ? "/model.24/m.%d/Conv".formatted(i - LAYERS + 3)
                            : i % 3 == 0
                                    ? "/model.%d/conv/Conv".formatted(i / 2)
                                    : "/model.%d/m/m.%d/cv%d/conv/Conv"
                                            .formatted(i / 2, i % 2, i % 3);
            int channels = 16 << Math.min(4, i / 9);
            int kernel = i % 2 == 0 ? 3 : 1;
            double share =
                    i == LAYERS - 1 ? left : Math.min(left, 0.006 + 0.0215 * chance.nextDouble());
            left -= share;
            double snr = i < 2 ? 14 + 4 * i : 24 + 14 * chance.nextDouble() - (head ? 4 : 0);
            double noise = Math.pow(10, -snr / 10);
            double floatMillis = 0.12 + 18 * share * (0.7 + 0.6 * chance.nextDouble());
            double int8Millis = floatMillis * (i < 2 ? 1.15 : 0.45 + 0.4 * chance.nextDouble());
            String decision =
                    i == 0
                            ? "float: slower in INT8 (0.87 times)"
                            : i == 1
                                    ? "float: most sensitive (SNR 18.0 dB)"
                                    : head ? "float: by name, /model.24/*" : "int8";
            boolean isFloat = decision.startsWith("float");
            layers.add(
                    new Layer(
                            name,
                            head
                                    ? "255×%d×1×1".formatted(channels)
                                    : "%d×%d×%d×%d".formatted(channels, channels, kernel, kernel),
                            Math.round(2.26e9 * share),
                            share,
                            isFloat && i != 2 ? "float32" : "uint8",
                            isFloat ? "float32" : "uint8",
                            isFloat ? "Conv" : "QLinearConv",
                            noise * 0.8,
                            snr,
                            1 - noise / 2,
                            noise / 50,
                            1 - noise / 60,
                            i % 7 == 6
                                    ? null
                                    : -0.0004
                                            + 0.0011 * chance.nextGaussian()
                                            - (i < 2 ? 0.003 : 0),
                            floatMillis,
                            int8Millis,
                            decision));
        }
        return layers;
    }

    private static List<FloatLayer> floatLayers(List<Layer> layers) {
        return layers.stream()
                .filter(layer -> layer.decision().startsWith("float"))
                .map(layer -> new FloatLayer(layer.name(), layer.decision().substring(7)))
                .toList();
    }

    private List<RunNode> nodes(List<Layer> layers) {
        List<RunNode> nodes = new ArrayList<>();
        for (Layer layer : layers) {
            boolean int8 = layer.runs().startsWith("QLinear");
            nodes.add(
                    new RunNode(
                            layer.name() + (int8 ? "_quant" : ""),
                            layer.runs(),
                            int8 ? "int8" : "float32",
                            int8 ? layer.int8Millis() * 0.6 : layer.floatMillis()));
            nodes.add(
                    new RunNode(
                            layer.name().replace("Conv", "act/Mul"),
                            int8 ? "QLinearMul" : "Mul",
                            int8 ? "int8" : "float32",
                            0.02 + 0.05 * chance.nextDouble()));
        }
        nodes.add(new RunNode("/model.0/QuantizeLinear", "QuantizeLinear", "mixed", 0.31));
        nodes.add(new RunNode("/model.24/Sigmoid", "Sigmoid", "float32", 0.92));
        nodes.sort((a, b) -> Double.compare(b.millis(), a.millis()));
        return nodes;
    }
}

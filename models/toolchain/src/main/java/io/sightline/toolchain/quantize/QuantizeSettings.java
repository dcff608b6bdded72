// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.prepare.PrepareSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What one quantisation is to do: the content of one YAML file, with flags over it.
 * docs/quantize.md explains every key.
 *
 * @param model the float detector, ONNX
 * @param output folder for everything that is written
 * @param engines what to quantise for, without repetition
 * @param border gray pixels of the letterbox; empty for the model's own
 * @param layout of the model's output, where the model leaves it open
 * @param layers what single layers want otherwise; of those that match, the last decides
 * @param lowBits widths to simulate below 8
 * @param variants whether other ways to quantise are measured for comparison
 */
public record QuantizeSettings(
        Path model,
        Path output,
        List<Engine> engines,
        OptionalInt border,
        Optional<OutputLayout> layout,
        Images images,
        Calibration calibration,
        List<LayerRule> layers,
        Partial partial,
        Sensitivity sensitivity,
        Correction correction,
        List<Integer> lowBits,
        boolean variants,
        Prepare prepare,
        int speedRounds,
        Gate gate) {

    public QuantizeSettings {
        engines = List.copyOf(new LinkedHashSet<>(engines));
        layers = List.copyOf(layers);
        lowBits = List.copyOf(lowBits);
    }

    /** What a file is written for. */
    public enum Engine {
        ONNXRUNTIME(Target.ONNXRUNTIME, 8),
        TENSORRT(Target.TENSORRT, 8),
        /** ONNX Runtime on CPUs whose INT8 instructions add pairs of products in 16 bits. */
        AVX2(Target.ONNXRUNTIME, 7);

        private static final String LABELS =
                Arrays.stream(values()).map(Engine::label).collect(Collectors.joining(", "));

        private final Target target;
        private final int weightBits;

        Engine(Target target, int weightBits) {
            this.target = target;
            this.weightBits = weightBits;
        }

        /** As settings and flags name it. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }

        public Target target() {
            return target;
        }

        public int weightBits() {
            return weightBits;
        }
    }

    /**
     * Three disjoint sets.
     *
     * @param seed of the draw
     * @param calibrate pictures whose activations decide the scales
     * @param select labelled pictures that decide between layers, methods and corrections
     * @param report labelled pictures that accuracy is measured and gated on
     */
    public record Images(long seed, ImageSet calibrate, ImageSet select, ImageSet report) {}

    /**
     * @param path folder of pictures, or one with {@code images} and {@code labels} in it
     * @param labels folder of YOLO text files or a file of COCO's JSON, where they are elsewhere
     * @param count pictures to draw; empty for all that no other set has
     */
    public record ImageSet(Path path, Optional<Path> labels, OptionalInt count) {

        public ImageSet {
            require(count.orElse(1) >= 1, "images: count", count.orElse(1), "1 or more pictures");
        }
    }

    /**
     * @param table statistics of an earlier calibration, to be used instead of a new one
     */
    public record Calibration(RangeMethod method, Optional<Path> table) {}

    /** How a layer computes. */
    public enum Precision {
        FLOAT,
        INT8
    }

    /**
     * @param name of layers; {@code *} stands for any characters, {@code ?} for one
     * @param precision empty to leave it
     * @param method for what these layers take and give; empty to leave it
     */
    public record LayerRule(
            String name, Optional<Precision> precision, Optional<RangeMethod.Kind> method) {

        /** These layers stay float. */
        public static LayerRule floating(String name) {
            return new LayerRule(name, Optional.of(Precision.FLOAT), Optional.empty());
        }

        public boolean matches(String layer) {
            String pattern =
                    name.chars()
                            .mapToObj(
                                    c ->
                                            switch (c) {
                                                case '*' -> ".*";
                                                case '?' -> ".";
                                                default -> Pattern.quote(Character.toString(c));
                                            })
                            .collect(Collectors.joining());
            return Pattern.compile(pattern, Pattern.DOTALL).matcher(layer).matches();
        }
    }

    /**
     * Which of the most sensitive layers stay float.
     *
     * @param automatic as many as the gate needs
     * @param layers so many, where it is not automatic
     */
    public record Partial(boolean automatic, int layers) {

        public static final Partial AUTO = new Partial(true, 0);
        public static final Partial NONE = new Partial(false, 0);

        public Partial {
            require(layers >= 0, "partial", layers, "auto, none or a number of layers");
        }

        /**
         * @throws ToolchainException if it is neither auto nor none nor a number
         */
        public static Partial of(String text) {
            return switch (text) {
                case "auto" -> AUTO;
                case "none" -> NONE;
                default -> {
                    try {
                        yield new Partial(false, Integer.parseInt(text));
                    } catch (NumberFormatException e) {
                        throw wrong("partial", text, "auto, none or a number of layers");
                    }
                }
            };
        }

        @Override
        public String toString() {
            return automatic ? "auto" : layers == 0 ? "none" : Integer.toString(layers);
        }
    }

    /** What layers are ranked by, each being the only one in INT8. */
    public enum Metric {
        /** Of the network's output. */
        MSE,
        /** Of the layer's own output. */
        SNR,
        /** Of the layer's own output. */
        COSINE,
        /** mAP 50-95 on the select set. */
        AP
    }

    /**
     * @param images of the select set that layers are run on
     * @param averagePrecision whether the loss in mAP of each single layer is measured as well
     */
    public record Sensitivity(Metric metric, int images, boolean averagePrecision) {

        public static final Sensitivity STANDARD = new Sensitivity(Metric.MSE, 8, true);

        public Sensitivity {
            require(images >= 1, "sensitivity.images", images, "1 or more");
            require(
                    metric != Metric.AP || averagePrecision,
                    "sensitivity.average_precision",
                    averagePrecision,
                    "true, for layers are ranked by ap");
        }
    }

    /** Whether channels are corrected after calibration. */
    public enum Correction {
        /** Where it helps on the select set. */
        AUTO,
        ON,
        OFF
    }

    /**
     * @param topK rows of the compact output; 0 to leave the output; empty for what suits the
     *     engine
     * @param batch frames of a run; empty for any number
     */
    public record Prepare(OptionalInt topK, OptionalInt batch) {

        public Prepare {
            require(
                    topK.orElse(0) >= 0 && topK.orElse(0) <= PrepareSettings.MAX_TOP_K,
                    "prepare.top_k",
                    topK.orElse(0),
                    "1 to %d, or 0 to leave the output".formatted(PrepareSettings.MAX_TOP_K));
            require(batch.orElse(1) >= 1, "prepare.batch", batch.orElse(1), "symbolic, 1 or more");
        }
    }

    /**
     * What fails the run.
     *
     * @param maxLoss of mAP 50-95 to float on the report set, 0..1; 1 for a model whose accuracy
     *     does not matter
     * @param minSpeedup over the faster float model, for engines that are timed
     * @param minInt8Share of the multiply-accumulates of convolutions, 0..1
     */
    public record Gate(double maxLoss, double minSpeedup, double minInt8Share) {

        public Gate {
            require(maxLoss >= 0 && maxLoss <= 1, "gate.max_loss", maxLoss, "0 to 1");
            require(
                    minSpeedup >= 0 && minSpeedup < 1000,
                    "gate.min_speedup",
                    minSpeedup,
                    "a factor of 0 or more");
            require(
                    minInt8Share >= 0 && minInt8Share <= 1,
                    "gate.min_int8_share",
                    minInt8Share,
                    "0 to 1");
        }

        /** Whether there is a loss that fails the run. */
        boolean wantsAccuracy() {
            return maxLoss < 1;
        }
    }

    /**
     * From a YAML file; paths in it are relative to its folder.
     *
     * @throws ToolchainException if it cannot be read, or holds a key that is unknown or a value
     *     that is wrong
     */
    public static Builder read(Path file) {
        return SettingsFile.read(file);
    }

    /** Defaults, without model, output and images. */
    public static Builder builder() {
        return new Builder();
    }

    /** The same, to be changed. */
    public Builder toBuilder() {
        Builder builder = new Builder();
        builder.model = model;
        builder.output = output;
        builder.engines = engines;
        builder.border = border;
        builder.layout = layout;
        builder.seed = images.seed();
        builder.calibrate = images.calibrate();
        builder.select = images.select();
        builder.report = images.report();
        builder.calibration = calibration;
        builder.layers = new ArrayList<>(layers);
        builder.partial = partial;
        builder.sensitivity = sensitivity;
        builder.correction = correction;
        builder.lowBits = lowBits;
        builder.variants = variants;
        builder.prepare = prepare;
        builder.speedRounds = speedRounds;
        builder.gate = gate;
        return builder;
    }

    /** What the rules say of a layer's precision; empty where none of them does. */
    Optional<Precision> precisionOf(String layer) {
        return layers.stream()
                .filter(rule -> rule.precision().isPresent() && rule.matches(layer))
                .reduce((earlier, later) -> later)
                .flatMap(LayerRule::precision);
    }

    /** The rules' method for a layer, else the calibration's. */
    RangeMethod methodOf(String layer) {
        return layers.stream()
                .filter(rule -> rule.method().isPresent() && rule.matches(layer))
                .reduce((earlier, later) -> later)
                .flatMap(LayerRule::method)
                .map(kind -> new RangeMethod(kind, calibration.method().percentile()))
                .orElse(calibration.method());
    }

    /** Names of rules that match none of these layers: slips, most likely. */
    List<String> unmatchedRules(Collection<String> layerNames) {
        return layers.stream()
                .filter(rule -> layerNames.stream().noneMatch(rule::matches))
                .map(LayerRule::name)
                .toList();
    }

    /** With the keys, and in the order, of the YAML file. */
    public Map<String, Object> asMap() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("model", model.toString());
        map.put("output", output.toString());
        map.put("targets", engines.stream().map(Engine::label).toList());
        border.ifPresent(pixels -> map.put("border", pixels));
        layout.ifPresent(kind -> map.put("layout", kind.label()));
        Map<String, Object> sets = new LinkedHashMap<>();
        sets.put("seed", images.seed());
        sets.put("calibrate", asMap(images.calibrate()));
        sets.put("select", asMap(images.select()));
        sets.put("report", asMap(images.report()));
        map.put("images", sets);
        Map<String, Object> ranges = new LinkedHashMap<>();
        ranges.put("method", label(calibration.method().kind()));
        ranges.put("percentile", calibration.method().percentile());
        calibration.table().ifPresent(file -> ranges.put("table", file.toString()));
        map.put("calibration", ranges);
        List<Map<String, Object>> rules = new ArrayList<>();
        for (LayerRule layer : layers) {
            Map<String, Object> rule = new LinkedHashMap<>();
            rule.put("name", layer.name());
            layer.precision().ifPresent(precision -> rule.put("precision", label(precision)));
            layer.method().ifPresent(method -> rule.put("method", label(method)));
            rules.add(rule);
        }
        map.put("layers", rules);
        map.put(
                "partial",
                partial.automatic() || partial.layers() == 0
                        ? partial.toString()
                        : partial.layers());
        map.put(
                "sensitivity",
                ordered(
                        "metric",
                        label(sensitivity.metric()),
                        "images",
                        sensitivity.images(),
                        "average_precision",
                        sensitivity.averagePrecision()));
        map.put("correction", label(correction));
        map.put("low_bits", lowBits);
        map.put("variants", variants);
        Map<String, Object> preparation = new LinkedHashMap<>();
        prepare.topK().ifPresent(rows -> preparation.put("top_k", rows));
        preparation.put(
                "batch", prepare.batch().isPresent() ? prepare.batch().getAsInt() : "symbolic");
        map.put("prepare", preparation);
        map.put("speed", ordered("rounds", speedRounds));
        map.put(
                "gate",
                ordered(
                        "max_loss",
                        gate.maxLoss(),
                        "min_speedup",
                        gate.minSpeedup(),
                        "min_int8_share",
                        gate.minInt8Share()));
        return map;
    }

    private static Map<String, Object> asMap(ImageSet set) {
        Map<String, Object> map = ordered("path", set.path().toString());
        set.labels().ifPresent(labels -> map.put("labels", labels.toString()));
        set.count().ifPresent(count -> map.put("count", count));
        return map;
    }

    private static Map<String, Object> ordered(Object... keysAndValues) {
        Map<String, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < keysAndValues.length; i += 2) {
            map.put((String) keysAndValues[i], keysAndValues[i + 1]);
        }
        return map;
    }

    static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    static ToolchainException wrong(String key, Object found, String expected) {
        return new ToolchainException(key + ": found " + found + ", expected " + expected);
    }

    private static void require(boolean holds, String key, Object found, String expected) {
        if (!holds) {
            throw wrong(key, found, expected);
        }
    }

    /**
     * Settings in the making: the file's, with flags over them. Each setter refuses a value out of
     * its range with a {@link ToolchainException} that names the key.
     */
    public static final class Builder {

        private static final int CALIBRATE_COUNT = 64;
        private static final int SELECT_COUNT = 32;

        private Path model;
        private Path output;
        private List<Engine> engines = List.of(Engine.ONNXRUNTIME, Engine.TENSORRT);
        private OptionalInt border = OptionalInt.empty();
        private Optional<OutputLayout> layout = Optional.empty();
        private long seed = 7;
        private ImageSet calibrate;
        private ImageSet select;
        private ImageSet report;
        private OptionalInt calibrateCount = OptionalInt.empty();
        private OptionalInt selectCount = OptionalInt.empty();
        private Calibration calibration = new Calibration(RangeMethod.MSE, Optional.empty());
        private List<LayerRule> layers = new ArrayList<>();
        private Partial partial = Partial.AUTO;
        private Sensitivity sensitivity = Sensitivity.STANDARD;
        private Correction correction = Correction.AUTO;
        private List<Integer> lowBits = List.of(4, 3);
        private boolean variants = true;
        private Prepare prepare = new Prepare(OptionalInt.empty(), OptionalInt.empty());
        private int speedRounds = 30;
        private Gate gate = new Gate(0.010, 1.0, 0.0);

        private Builder() {}

        public Builder model(Path file) {
            model = file;
            return this;
        }

        public Builder output(Path folder) {
            output = folder;
            return this;
        }

        public Builder engines(List<Engine> some) {
            require(!some.isEmpty(), "targets", "none", "at least one of " + Engine.LABELS);
            engines = some;
            return this;
        }

        public Builder border(int pixels) {
            require(pixels >= 0, "border", pixels, "0 or more pixels");
            border = OptionalInt.of(pixels);
            return this;
        }

        public Builder layout(OutputLayout kind) {
            layout = Optional.of(kind);
            return this;
        }

        public Builder seed(long ofTheDraw) {
            seed = ofTheDraw;
            return this;
        }

        /** One dataset for all three sets; counts stay. */
        public Builder images(Path dataset, Optional<Path> labels) {
            calibrate = new ImageSet(dataset, labels, count(calibrate));
            select = new ImageSet(dataset, labels, count(select));
            report = new ImageSet(dataset, labels, count(report));
            return this;
        }

        private static OptionalInt count(ImageSet set) {
            return set == null ? OptionalInt.empty() : set.count();
        }

        public Builder calibrate(ImageSet set) {
            calibrate = set;
            return this;
        }

        public Builder select(ImageSet set) {
            select = set;
            return this;
        }

        public Builder report(ImageSet set) {
            report = set;
            return this;
        }

        public Builder calibrateCount(int pictures) {
            require(pictures >= 1, "images.calibrate.count", pictures, "1 or more pictures");
            calibrateCount = OptionalInt.of(pictures);
            return this;
        }

        public Builder selectCount(int pictures) {
            require(pictures >= 1, "images.select.count", pictures, "1 or more pictures");
            selectCount = OptionalInt.of(pictures);
            return this;
        }

        public Builder method(RangeMethod.Kind kind) {
            calibration =
                    new Calibration(
                            new RangeMethod(kind, calibration.method().percentile()),
                            calibration.table());
            return this;
        }

        public Builder percentile(double percentile) {
            require(
                    percentile > 50 && percentile <= 100,
                    "calibration.percentile",
                    percentile,
                    "above 50, at most 100");
            calibration =
                    new Calibration(
                            new RangeMethod(calibration.method().kind(), percentile),
                            calibration.table());
            return this;
        }

        public Builder table(Path file) {
            calibration = new Calibration(calibration.method(), Optional.of(file));
            return this;
        }

        /** To observe anew, whatever table was named. */
        Builder withoutTable() {
            calibration = new Calibration(calibration.method(), Optional.empty());
            return this;
        }

        /** One more rule, which wins over those before it. */
        public Builder layer(LayerRule rule) {
            layers.add(rule);
            return this;
        }

        public Builder partial(Partial which) {
            partial = which;
            return this;
        }

        public Builder sensitivity(Sensitivity measured) {
            sensitivity = measured;
            return this;
        }

        public Builder correction(Correction when) {
            correction = when;
            return this;
        }

        public Builder lowBits(List<Integer> widths) {
            for (int bits : widths) {
                require(bits >= 2 && bits <= 7, "low_bits", bits, "2 to 7 bits");
            }
            lowBits = widths;
            return this;
        }

        public Builder variants(boolean measured) {
            variants = measured;
            return this;
        }

        public Builder prepare(Prepare preparation) {
            prepare = preparation;
            return this;
        }

        public Builder speedRounds(int rounds) {
            require(rounds >= 1, "speed.rounds", rounds, "1 or more");
            speedRounds = rounds;
            return this;
        }

        public Builder maxLoss(double loss) {
            gate = new Gate(loss, gate.minSpeedup(), gate.minInt8Share());
            return this;
        }

        public Builder minSpeedup(double factor) {
            gate = new Gate(gate.maxLoss(), factor, gate.minInt8Share());
            return this;
        }

        public Builder minInt8Share(double share) {
            gate = new Gate(gate.maxLoss(), gate.minSpeedup(), share);
            return this;
        }

        /**
         * Sets that were not named are drawn from the report set's dataset.
         *
         * @throws ToolchainException if model, output or the images for the report are missing
         */
        public QuantizeSettings build() {
            if (model == null) {
                throw new ToolchainException(
                        "model: missing, expected an ONNX file: give it with --model or in the settings file");
            }
            if (output == null) {
                throw new ToolchainException(
                        "output: missing, expected a folder to write to: give it with --out or in the settings file");
            }
            if (report == null) {
                throw new ToolchainException(
                        "images.report: missing, expected labelled images: give them with --images or in the settings file");
            }
            return new QuantizeSettings(
                    model,
                    output,
                    engines,
                    border,
                    layout,
                    new Images(
                            seed,
                            drawn(calibrate, calibrateCount, CALIBRATE_COUNT),
                            drawn(select, selectCount, SELECT_COUNT),
                            report),
                    calibration,
                    layers,
                    partial,
                    sensitivity,
                    correction,
                    lowBits,
                    variants,
                    prepare,
                    speedRounds,
                    gate);
        }

        private ImageSet drawn(ImageSet set, OptionalInt count, int otherwise) {
            ImageSet from = set == null ? report : set;
            int pictures = set == null ? otherwise : set.count().orElse(otherwise);
            return new ImageSet(from.path(), from.labels(), OptionalInt.of(count.orElse(pictures)));
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.OutputLayout;
import io.sightline.job.UserException;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.quantize.QuantizeSettings;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.LayerRule;
import io.sightline.toolchain.quantize.QuantizeSettings.Partial;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** What to quantise and how: the settings file, and flags over it. */
final class QuantizeFlags {

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Settings, YAML; docs/quantize.md lists every key.")
    Path config;

    @Option(names = "--model", paramLabel = "FILE", description = "Float detector, ONNX.")
    Path model;

    @Option(
            names = "--images",
            paramLabel = "DIR",
            description =
                    "Labelled images that the three disjoint sets are drawn from: a folder that holds images and labels, or one of pictures with --labels.")
    Path images;

    @Option(
            names = "--labels",
            paramLabel = "DIR|FILE",
            description = "Folder of YOLO text files, or a JSON file of COCO's form.")
    Path labels;

    @Option(names = "--out", paramLabel = "DIR", description = "Folder to write to.")
    Path out;

    @Option(
            names = "--target",
            split = ",",
            paramLabel = "ENGINE",
            converter = EngineConverter.class,
            description =
                    "Engines: onnxruntime, tensorrt, avx2 (ONNX Runtime on CPUs without VNNI). Default: onnxruntime,tensorrt.")
    List<Engine> targets;

    @Option(
            names = "--layout",
            paramLabel = "LAYOUT",
            description =
                    "Output layout, where model and ModelSpec leave it open: anchors-obj, channels-first, pairs, end2end.")
    OutputLayout layout;

    @Option(
            names = "--border",
            paramLabel = "PIXELS",
            description =
                    "Gray border of the letterbox, where the ModelSpec's is not wanted (YOLOv6: 3).")
    Integer border;

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            converter = MethodConverter.class,
            description = "How ranges are chosen: max, percentile, mse or entropy. Default: mse.")
    RangeMethod.Kind method;

    @Option(
            names = "--percentile",
            paramLabel = "P",
            description = "Share of values to keep, for --method percentile. Default: 99.99.")
    Double percentile;

    @Option(
            names = "--float-layers",
            split = ",",
            paramLabel = "GLOB",
            description =
                    "Layers that stay float, by name; * stands for any characters, ? for one.")
    List<String> floatLayers;

    @Option(
            names = "--partial",
            paramLabel = "HOW",
            description =
                    "Which of the most sensitive layers stay float: auto (as many as the gate needs), none, or a number. Default: auto.")
    String partial;

    @Option(
            names = "--max-loss",
            paramLabel = "MAP",
            description = "Gate: most loss of mAP 50-95. Default: 0.01.")
    Double maxLoss;

    @Option(
            names = "--min-speedup",
            paramLabel = "FACTOR",
            description = "Gate: least speed, times float. Default: 1.")
    Double minSpeedup;

    @Option(
            names = "--min-int8-share",
            paramLabel = "0..1",
            description =
                    "Gate: least share of the convolutions' multiply-accumulates in INT8. Default: 0.")
    Double minInt8Share;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of the draw of the three sets. Default: 7.")
    Long seed;

    @Option(
            names = "--calibrate-count",
            paramLabel = "N",
            description = "Pictures to calibrate on. Default: 64.")
    Integer calibrateCount;

    @Option(
            names = "--select-count",
            paramLabel = "N",
            description =
                    "Pictures that choices are made on; the rest are for the report. Default: 32.")
    Integer selectCount;

    @Option(
            names = "--no-variants",
            description = "Do not measure other ways to quantise for comparison.")
    boolean noVariants;

    @Option(
            names = "--low-bits",
            paramLabel = "BITS",
            description = "Widths below 8 bits to simulate, or none. Default: 4,3.")
    String lowBits;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            description = "Interleaved runs that speed is the median of. Default: 30.")
    Integer rounds;

    /**
     * {@link #settings}, for a model that is there.
     *
     * @throws UserException if it is not
     */
    QuantizeSettings settingsHere() {
        QuantizeSettings settings = settings();
        if (!Files.isRegularFile(settings.model())) {
            throw new UserException("model " + settings.model() + ": no such file");
        }
        return settings;
    }

    /** The file's, with the flags over it. */
    QuantizeSettings settings() {
        QuantizeSettings.Builder builder =
                config == null ? QuantizeSettings.builder() : QuantizeSettings.read(config);
        if (labels != null && images == null) {
            throw new UserException("--labels is for --images, which is missing");
        }
        given(model).ifPresent(builder::model);
        given(out).ifPresent(builder::output);
        given(images).ifPresent(folder -> builder.images(folder, given(labels)));
        given(targets).ifPresent(builder::engines);
        given(layout).ifPresent(builder::layout);
        given(border).ifPresent(builder::border);
        given(method).ifPresent(builder::method);
        given(percentile).ifPresent(builder::percentile);
        given(floatLayers)
                .ifPresent(globs -> globs.forEach(glob -> builder.layer(LayerRule.floating(glob))));
        given(partial).map(Partial::of).ifPresent(builder::partial);
        given(maxLoss).ifPresent(builder::maxLoss);
        given(minSpeedup).ifPresent(builder::minSpeedup);
        given(minInt8Share).ifPresent(builder::minInt8Share);
        given(seed).ifPresent(builder::seed);
        given(calibrateCount).ifPresent(builder::calibrateCount);
        given(selectCount).ifPresent(builder::selectCount);
        given(lowBits).map(QuantizeFlags::widths).ifPresent(builder::lowBits);
        given(rounds).ifPresent(builder::speedRounds);
        if (noVariants) {
            builder.variants(false);
        }
        return builder.build();
    }

    private static <T> Optional<T> given(T value) {
        return Optional.ofNullable(value);
    }

    private static List<Integer> widths(String text) {
        if (text.equals("none")) {
            return List.of();
        }
        try {
            return Arrays.stream(text.split(",")).map(Integer::valueOf).toList();
        } catch (NumberFormatException e) {
            throw new UserException(
                    "--low-bits " + text + ": expected widths such as 4,3, or none", e);
        }
    }

    private static <E extends Enum<E>> E constant(E[] known, String text) {
        return Arrays.stream(known)
                .filter(constant -> label(constant).equals(text.toLowerCase(Locale.ROOT)))
                .findFirst()
                .orElseThrow(
                        () ->
                                new TypeConversionException(
                                        "'%s' is none of %s"
                                                .formatted(
                                                        text,
                                                        Arrays.stream(known)
                                                                .map(QuantizeFlags::label)
                                                                .collect(
                                                                        Collectors.joining(
                                                                                ", ")))));
    }

    private static String label(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    static final class EngineConverter implements ITypeConverter<Engine> {
        @Override
        public Engine convert(String text) {
            return constant(Engine.values(), text);
        }
    }

    static final class MethodConverter implements ITypeConverter<RangeMethod.Kind> {
        @Override
        public RangeMethod.Kind convert(String text) {
            return constant(RangeMethod.Kind.values(), text);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.OutputLayout;
import io.sightline.job.UserException;
import io.sightline.toolchain.quantize.QuantizeSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** What to observe, and on which pictures: the settings file, and flags over it. */
class CalibrationFlags {

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
            names = "--layout",
            paramLabel = "LAYOUT",
            description =
                    "Output layout, where model and ModelSpec leave it open: anchors-obj, channels-first, pairs, end2end.")
    OutputLayout layout;

    @Option(
            names = "--border",
            paramLabel = "PIXELS",
            description =
                    "Gray border of the letterbox, where the ModelSpec's is not wanted. Where nobody says one: 3 for YOLOv6, else 0.")
    Integer border;

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

    /**
     * {@link #settings}, for a model that is there.
     *
     * @throws UserException if it is not
     */
    final QuantizeSettings settingsHere() {
        QuantizeSettings settings = settings();
        if (!Files.isRegularFile(settings.model())) {
            throw new UserException("model " + settings.model() + ": no such file");
        }
        return settings;
    }

    /** The file's, with the flags over it. */
    final QuantizeSettings settings() {
        QuantizeSettings.Builder builder =
                config == null ? QuantizeSettings.builder() : QuantizeSettings.read(config);
        if (labels != null && images == null) {
            throw new UserException("--labels is for --images, which is missing");
        }
        apply(builder);
        return builder.build();
    }

    /** Puts what was given over what the file says. */
    void apply(QuantizeSettings.Builder builder) {
        given(model).ifPresent(builder::model);
        given(out).ifPresent(builder::output);
        given(images).ifPresent(folder -> builder.images(folder, given(labels)));
        given(layout).ifPresent(builder::layout);
        given(border).ifPresent(builder::border);
        given(seed).ifPresent(builder::seed);
        given(calibrateCount).ifPresent(builder::calibrateCount);
        given(selectCount).ifPresent(builder::selectCount);
    }

    static <T> Optional<T> given(T value) {
        return Optional.ofNullable(value);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.inference.ModelOptions;
import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.prepare.PrepareSettings;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.prepare.Preparer;
import java.nio.file.Path;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code ./sightline model prepare}. */
@Command(
        name = "prepare",
        description =
                "Make a detector fit for serving: bytes in, any number of frames, the best pairs of box and class out.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class PrepareCommand implements Callable<Integer> {

    private static final String SYMBOLIC = "symbolic";

    @Option(names = "--model", required = true, paramLabel = "IN", description = "ONNX file.")
    Path model;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "OUT",
            description = "ONNX file to write; its ModelSpec goes beside it.")
    Path out;

    @Option(
            names = "--target",
            required = true,
            paramLabel = "ENGINE",
            converter = TargetConverter.class,
            description = "What will run it: onnxruntime or tensorrt.")
    Target target;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            description =
                    "Rows of the output, at most 3840; 0 for all predictions as they are. Where absent 1000 for tensorrt, 0 for onnxruntime.")
    Integer topK;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = SYMBOLIC,
            description = "Frames of a run: a number, or symbolic for any.")
    String batch;

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

    @Override
    public Integer call() {
        ModelOptions options = ModelOptions.of(layout, border, null);
        Prepared prepared = Preparer.prepare(model, options, settings());
        prepared.write(out);
        prepared.steps().forEach(System.out::println);
        System.out.println("written: " + out);
        return 0;
    }

    private PrepareSettings settings() {
        OptionalInt rows = PrepareSettings.of(target).topK();
        if (topK != null) {
            rows = topK == 0 ? OptionalInt.empty() : OptionalInt.of(topK);
        }
        return new PrepareSettings(target, frames(), rows);
    }

    private OptionalInt frames() {
        if (batch.equals(SYMBOLIC)) {
            return OptionalInt.empty();
        }
        try {
            return OptionalInt.of(Integer.parseInt(batch));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "--batch " + batch + ": expected a number or symbolic", e);
        }
    }

    /** By the names that a ModelSpec file uses. */
    static final class TargetConverter implements picocli.CommandLine.ITypeConverter<Target> {
        @Override
        public Target convert(String text) {
            try {
                return Target.of(text);
            } catch (IllegalArgumentException e) {
                throw new TypeConversionException(e.getMessage());
            }
        }
    }
}

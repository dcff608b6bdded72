// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.job.UserException;
import io.sightline.toolchain.quantize.QuantizeSettings;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.LayerRule;
import io.sightline.toolchain.quantize.QuantizeSettings.Partial;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Option;

/** What to quantise, and how. */
final class QuantizeFlags extends RangeFlags {

    @Option(
            names = "--target",
            split = ",",
            paramLabel = "ENGINE",
            description =
                    "Engines: onnxruntime, tensorrt, avx2 (ONNX Runtime on CPUs without VNNI). Default: onnxruntime,tensorrt.")
    List<Engine> targets;

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
            description =
                    "Gate: most loss of mAP 50-95; 1 where only speed matters. Default: 0.01.")
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

    @Override
    void apply(QuantizeSettings.Builder builder) {
        super.apply(builder);
        given(targets).ifPresent(builder::engines);
        given(floatLayers)
                .ifPresent(globs -> globs.forEach(glob -> builder.layer(LayerRule.floating(glob))));
        given(partial).map(Partial::of).ifPresent(builder::partial);
        given(maxLoss).ifPresent(builder::maxLoss);
        given(minSpeedup).ifPresent(builder::minSpeedup);
        given(minInt8Share).ifPresent(builder::minInt8Share);
        given(lowBits).map(QuantizeFlags::widths).ifPresent(builder::lowBits);
        given(rounds).ifPresent(builder::speedRounds);
        if (noVariants) {
            builder.variants(false);
        }
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
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.toolchain.quantize.QuantizeRun;
import io.sightline.toolchain.report.QuantizeReport.Layer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./sightline model sensitivity}: which layers INT8 hurts. */
@Command(
        name = "sensitivity",
        description =
                "Say what each layer costs in accuracy where it alone is INT8, the most sensitive first.",
        mixinStandardHelpOptions = true)
final class SensitivityCommand implements Callable<Integer> {

    @Mixin RangeFlags flags;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        List<Layer> layers;
        try (ProgressLine progress = ProgressLine.open()) {
            layers = QuantizeRun.sensitivity(flags.settingsHere(), progress);
        }
        if (json) {
            System.out.println(
                    JsonMapper.builder()
                            .build()
                            .writerWithDefaultPrettyPrinter()
                            .writeValueAsString(layers));
            return 0;
        }
        table(layers).forEach(System.out::println);
        return 0;
    }

    /** A head and a line for each layer, in columns as wide as what is in them. */
    static List<String> table(List<Layer> layers) {
        String row =
                "%%-%ds  %%-%ds %%6s %%9s %%7s %%9s %%9s %%11s %%8s"
                        .formatted(width(layers, Layer::name), width(layers, Layer::shape));
        List<String> lines = new ArrayList<>();
        lines.add(
                row.formatted(
                        "layer",
                        "shape",
                        "MACs",
                        "MSE",
                        "SNR dB",
                        "cosine",
                        "net MSE",
                        "net cosine",
                        "AP"));
        for (Layer layer : layers) {
            lines.add(
                    row.formatted(
                            layer.name(),
                            layer.shape(),
                            number("%.1f%%", 100 * layer.share()),
                            number("%.2e", layer.mse()),
                            number("%.1f", layer.snr()),
                            number("%.5f", layer.cosine()),
                            number("%.2e", layer.outputMse()),
                            number("%.7f", layer.outputCosine()),
                            number("%+.4f", layer.apLoss())));
        }
        return lines;
    }

    private static int width(List<Layer> layers, Function<Layer, String> text) {
        return Math.max(
                5, layers.stream().mapToInt(layer -> text.apply(layer).length()).max().orElse(0));
    }

    private static String number(String format, Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, format, value);
    }
}

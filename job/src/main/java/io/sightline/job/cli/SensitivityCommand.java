// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.toolchain.quantize.QuantizeRun;
import io.sightline.toolchain.report.QuantizeReport.Layer;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
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

    @Mixin QuantizeFlags flags;

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
        System.out.printf(
                "%-44s %6s %10s %8s %9s %9s %8s%n",
                "layer", "MACs", "MSE", "SNR dB", "cosine", "output", "AP");
        layers.stream()
                .sorted(
                        Comparator.comparing(
                                Layer::outputCosine,
                                Comparator.nullsLast(Comparator.naturalOrder())))
                .forEach(SensitivityCommand::print);
        return 0;
    }

    private static void print(Layer layer) {
        System.out.printf(
                Locale.ROOT,
                "%-44s %5.1f%% %10s %8s %9s %9s %8s%n",
                layer.name(),
                100 * layer.share(),
                number("%.3e", layer.mse()),
                number("%.1f", layer.snr()),
                number("%.6f", layer.cosine()),
                number("%.6f", layer.outputCosine()),
                number("%+.4f", layer.apLoss()));
    }

    private static String number(String format, Double value) {
        return value == null ? "-" : String.format(Locale.ROOT, format, value);
    }
}

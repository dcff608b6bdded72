// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.Progress;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.PairedBootstrap;
import io.sightline.toolchain.quantize.QuantizeSettings.Correction;
import io.sightline.toolchain.report.QuantizeReport.Difference;
import io.sightline.toolchain.report.QuantizeReport.Variant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Other ways to quantise the same network, measured beside the one that was chosen. */
final class Comparison {

    private final FloatNetwork network;
    private final QuantizeSettings settings;
    private final Trials trials;
    private final Progress progress;

    Comparison(FloatNetwork network, QuantizeSettings settings, Trials trials, Progress progress) {
        this.network = network;
        this.settings = settings;
        this.trials = trials;
        this.progress = progress;
    }

    /** The usual ways, and the trap of quantising the decoding of boxes. */
    List<Variant> variants() {
        QuantizePlan plain = QuantizePlan.of(Target.ONNXRUNTIME, settings.calibration().method());
        List<Variant> variants = new ArrayList<>();
        variants.add(
                variant(
                        "naive",
                        "every convolution up to the predictions in INT8, ranges from the largest values seen, decode float",
                        plain.withMethod(RangeMethod.MAX)));
        for (RangeMethod method :
                List.of(RangeMethod.PERCENTILE, RangeMethod.MSE, RangeMethod.ENTROPY)) {
            String label = method.kind().name().toLowerCase(Locale.ROOT);
            variants.add(
                    variant(
                            "all layers, " + label,
                            "the same with ranges by " + label,
                            plain.withMethod(method)));
        }
        variants.add(
                variant(
                        "decode too",
                        "the trap: boxes and scores decoded in INT8, where they share one scale",
                        plain.withDecode()));
        return variants;
    }

    private Variant variant(String name, String what, QuantizePlan plan) {
        Quantizer.Result result = Quantizer.quantize(network.graph(), network.table(), plan);
        Evaluation evaluation =
                trials.evaluate(
                        result.graph(),
                        network.spec(Target.ONNXRUNTIME).withPrecision("int8"),
                        Target.ONNXRUNTIME,
                        network.images().report());
        progress.step("variant " + name, 1, 1);
        return new Variant(
                name,
                what,
                evaluation.map(),
                Difference.of(PairedBootstrap.difference(network.onReport(), evaluation)),
                network.convolutions().share(result.int8Layers()));
    }

    /** Fewer than 8 bits, simulated, with and without correction. */
    List<Variant> lowBits() {
        List<Variant> variants = new ArrayList<>();
        Set<String> ends = network.firstAndLast();
        for (int bits : settings.lowBits()) {
            for (int activations : new int[] {8, bits}) {
                QuantizePlan plan =
                        QuantizePlan.of(Target.ONNXRUNTIME, RangeMethod.MSE)
                                .withBits(bits, activations, ends);
                String name = "W%dA%d".formatted(bits, activations);
                String what =
                        "weights of %d bits, activations of %d, first and last layers 8"
                                .formatted(bits, activations);
                variants.add(variant(name, what, plan));
                if (settings.correction() != Correction.OFF) {
                    variants.add(
                            variant(
                                    name + " corrected",
                                    what + ", corrected per channel",
                                    LayerChoice.correct(network, plan, progress)));
                }
            }
        }
        return variants;
    }
}

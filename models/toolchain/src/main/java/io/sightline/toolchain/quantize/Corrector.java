// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.Pictures;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.vision.Interpolation;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Fits a scale and a shift for each output channel of each quantised convolution, so that it agrees
 * with the float one in the least squares sense on the calibration pictures: a closed form of what
 * arXiv 2311.05109 trains by gradient. Both vanish in the weights' scales and the bias, so they
 * cost nothing at run time.
 *
 * <p>One layer after the other, in the order they run: each is fitted on what the corrected earlier
 * ones give. Fitted side by side, every layer would mend the errors of all before it once more.
 */
final class Corrector {

    private static final int THREADS = 2;

    /** A fit beyond this has found something else than rounding. */
    private static final double MAX_SCALE = 1.5;

    private Corrector() {}

    /** Sums over all values of a channel. */
    private static final class Channel {
        private long count;
        private double truth;
        private double value;
        private double product;
        private double square;

        double scale() {
            double variance = square - value * value / count;
            double covariance = product - truth * value / count;
            if (variance <= 1e-12 * Math.max(1, square)) {
                return 1;
            }
            return Math.max(1 / MAX_SCALE, Math.min(MAX_SCALE, covariance / variance));
        }

        double shift(double scale) {
            return (truth - scale * value) / count;
        }
    }

    /**
     * @return the plan with a correction for each quantised layer
     */
    static QuantizePlan correct(
            Graph graph,
            CalibrationTable table,
            QuantizePlan plan,
            ModelSpec spec,
            List<Path> pictures,
            Interpolation interpolation,
            Progress progress) {
        List<String> layers = Quantizer.quantize(graph, table, plan).int8Layers();
        Map<String, ChannelCorrection> corrections = new HashMap<>();
        QuantizePlan corrected = plan;
        try (Pictures source = new Pictures(spec, interpolation)) {
            for (String layer : layers) {
                Graph quantized = Quantizer.quantize(graph, table, corrected).graph();
                corrections.put(layer, fit(graph, quantized, layer, pictures, source));
                corrected = plan.withCorrections(corrections);
                progress.step("correct", corrections.size(), layers.size());
            }
        }
        return corrected;
    }

    private static ChannelCorrection fit(
            Graph graph, Graph quantized, String layer, List<Path> pictures, Pictures source) {
        String output =
                graph.nodes().stream()
                        .filter(node -> node.name().equals(layer))
                        .map(Node::output)
                        .findFirst()
                        .orElseThrow();
        List<Channel> channels = new ArrayList<>();
        try (GraphSession truth = open(graph, output);
                GraphSession rounded = open(quantized, output)) {
            for (Path picture : pictures) {
                Map<String, Value> input =
                        Map.of(
                                graph.inputs().get(0).name(),
                                source.read(picture, graph.inputs().get(0)));
                add(channels, truth.run(input).get(output), rounded.run(input).get(output));
            }
        }
        return fit(channels);
    }

    private static GraphSession open(Graph graph, String output) {
        return GraphSession.open(
                TensorShapes.exposing(graph, List.of(output)).toBytes(),
                SessionSettings.serving(THREADS));
    }

    private static void add(List<Channel> channels, Value truth, Value value) {
        int count = Math.toIntExact(truth.shape()[1]);
        int area = truth.floats().limit() / count;
        while (channels.size() < count) {
            channels.add(new Channel());
        }
        FloatBuffer t = truth.floats();
        FloatBuffer v = value.floats();
        for (int c = 0; c < count; c++) {
            Channel channel = channels.get(c);
            for (int i = c * area; i < (c + 1) * area; i++) {
                double a = t.get(i);
                double b = v.get(i);
                channel.truth += a;
                channel.value += b;
                channel.product += a * b;
                channel.square += b * b;
            }
            channel.count += area;
        }
    }

    private static ChannelCorrection fit(List<Channel> channels) {
        float[] scale = new float[channels.size()];
        float[] shift = new float[channels.size()];
        for (int c = 0; c < scale.length; c++) {
            scale[c] = (float) channels.get(c).scale();
            shift[c] = (float) channels.get(c).shift(scale[c]);
        }
        return new ChannelCorrection(scale, shift);
    }
}

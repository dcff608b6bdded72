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
import java.util.Arrays;
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

    /** Of a channel, to its power: below, it is as good as constant. */
    private static final double LEAST_VARIANCE = 1e-12;

    private Corrector() {}

    /** What is to be compared, gathered channel by channel over any number of pictures. */
    static final class Channels {

        private final Channel[] channels;

        Channels(int count) {
            channels = new Channel[count];
            Arrays.setAll(channels, c -> new Channel());
        }

        /** Both [channels, height, width]. */
        void add(FloatBuffer truth, FloatBuffer values) {
            int area = truth.limit() / channels.length;
            for (int c = 0; c < channels.length; c++) {
                for (int i = c * area; i < (c + 1) * area; i++) {
                    channels[c].add(truth.get(i), values.get(i));
                }
            }
        }

        /** What makes the values most like the truth, least squares. */
        ChannelCorrection fit() {
            float[] scale = new float[channels.length];
            float[] shift = new float[channels.length];
            for (int c = 0; c < channels.length; c++) {
                scale[c] = (float) channels[c].scale();
                shift[c] = (float) channels[c].shift(scale[c]);
            }
            return new ChannelCorrection(scale, shift);
        }
    }

    /** Sums over all values of a channel. */
    private static final class Channel {
        private long count;
        private double truth;
        private double value;
        private double product;
        private double square;

        void add(double t, double v) {
            truth += t;
            value += v;
            product += t * v;
            square += v * v;
            count++;
        }

        double scale() {
            double variance = square - value * value / count;
            double covariance = product - truth * value / count;
            if (variance <= LEAST_VARIANCE * square) {
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
        Node conv =
                graph.nodes().stream()
                        .filter(node -> node.name().equals(layer))
                        .findFirst()
                        .orElseThrow();
        String output = conv.output();
        Channels channels = new Channels(Math.toIntExact(graph.constant(conv.input(1)).dim(0)));
        try (GraphSession truth = open(graph, output);
                GraphSession rounded = open(quantized, output)) {
            for (Path picture : pictures) {
                Map<String, Value> input =
                        Map.of(
                                graph.inputs().get(0).name(),
                                source.read(picture, graph.inputs().get(0)));
                channels.add(
                        truth.run(input).get(output).floats(),
                        rounded.run(input).get(output).floats());
            }
        }
        return channels.fit();
    }

    private static GraphSession open(Graph graph, String output) {
        return GraphSession.open(
                TensorShapes.exposing(graph, List.of(output)).toBytes(),
                SessionSettings.serving(THREADS));
    }
}

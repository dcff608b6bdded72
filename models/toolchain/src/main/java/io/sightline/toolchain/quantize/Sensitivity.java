// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Progress;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.Pictures;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.LabelledImages;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.quantize.QuantizeSettings.Metric;
import io.sightline.vision.Interpolation;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What each layer costs in accuracy: one at a time is quantised, the others stay float, and its
 * output, the network's output and the detections are compared with the float ones. YOLOv6 (arXiv
 * 2209.02976, appendix) ranks its layers the same way.
 */
final class Sensitivity {

    private static final int THREADS = 2;

    /**
     * Of one layer that is the only one in INT8.
     *
     * @param output of the layer against its float output
     * @param network of the network's first output against the float one
     * @param apLoss mAP 50-95 minus that of the float model; null where not measured
     */
    record OfLayer(String layer, Agreement output, Agreement network, Double apLoss) {}

    /** The layers that hurt most by that measure come first. */
    static Comparator<OfLayer> mostSensitive(Metric metric) {
        return switch (metric) {
            case MSE -> Comparator.comparingDouble(layer -> -layer.network().mse());
            case SNR -> Comparator.comparingDouble(layer -> layer.output().snr());
            case COSINE -> Comparator.comparingDouble(layer -> layer.output().cosine());
            case AP -> Comparator.comparingDouble(OfLayer::apLoss);
        };
    }

    private final Graph graph;
    private final CalibrationTable table;
    private final QuantizePlan plan;
    private final ModelSpec spec;
    private final Progress progress;

    Sensitivity(
            Graph graph,
            CalibrationTable table,
            QuantizePlan plan,
            ModelSpec spec,
            Progress progress) {
        this.graph = graph;
        this.table = table;
        this.plan = plan;
        this.spec = spec;
        this.progress = progress;
    }

    /**
     * @param pictures to compare tensors on
     * @param images to compare detections on; null for not
     * @param floatMap mAP 50-95 of the float model on them
     */
    List<OfLayer> analyse(
            List<Path> pictures,
            Interpolation interpolation,
            LabelledImages images,
            double floatMap,
            Trials trials) {
        List<String> layers = Quantizer.layers(graph);
        String networkOutput = graph.outputs().get(0).name();
        List<OfLayer> results = new ArrayList<>();
        try (Pictures source = new Pictures(spec, interpolation)) {
            for (String layer : layers) {
                Set<String> others = new HashSet<>(layers);
                others.remove(layer);
                Graph alone =
                        Quantizer.quantize(graph, table, plan.withFloatLayers(others)).graph();
                Agreement output = new Agreement();
                Agreement network = new Agreement();
                compare(alone, layer, networkOutput, pictures, source, output, network);
                Double apLoss = null;
                if (images != null) {
                    Evaluation evaluation = trials.evaluate(alone, spec, plan.target(), images);
                    apLoss = evaluation.map() - floatMap;
                }
                results.add(new OfLayer(layer, output, network, apLoss));
                progress.step("sensitivity", results.size(), layers.size());
            }
        }
        return results;
    }

    private void compare(
            Graph alone,
            String layer,
            String networkOutput,
            List<Path> pictures,
            Pictures source,
            Agreement output,
            Agreement network) {
        Graph both = side(alone, layer);
        Node conv = node(alone, layer);
        String rounded = conv.output();
        String truth = floatName(node(graph, layer).output());
        List<String> exposed = List.of(truth, rounded, floatName(networkOutput), networkOutput);
        byte[] onnx = TensorShapes.exposing(both, exposed).toBytes();
        try (GraphSession session = GraphSession.open(onnx, SessionSettings.serving(THREADS))) {
            for (Path picture : pictures) {
                Map<String, Value> values =
                        session.run(
                                Map.of(
                                        graph.inputs().get(0).name(),
                                        source.read(picture, graph.inputs().get(0))));
                output.add(floats(values, truth), floats(values, rounded));
                network.add(
                        floats(values, floatName(networkOutput)), floats(values, networkOutput));
            }
        }
    }

    private static FloatBuffer floats(Map<String, Value> values, String tensor) {
        return values.get(tensor).floats();
    }

    private static Node node(Graph graph, String layer) {
        return graph.nodes().stream()
                .filter(node -> node.name().equals(layer))
                .findFirst()
                .orElseThrow();
    }

    private static String floatName(String tensor) {
        return tensor + "/float";
    }

    /**
     * Both networks in one graph: what lies before the layer is shared, from it on there is a
     * second, float one.
     */
    private Graph side(Graph alone, String layer) {
        Graph both = alone.copy();
        Set<String> changed = new HashSet<>();
        changed.add(node(graph, layer).output());
        for (Node node : graph.sorted()) {
            boolean behind =
                    node.name().equals(layer) || node.inputs().stream().anyMatch(changed::contains);
            if (!behind) {
                continue;
            }
            List<String> inputs = new ArrayList<>();
            for (String input : node.inputs()) {
                boolean taken = changed.contains(input) && !node.name().equals(layer);
                if (graph.isConstant(input)) {
                    both.initializers().putIfAbsent(input, graph.constant(input));
                }
                inputs.add(taken ? floatName(input) : input);
            }
            changed.addAll(node.outputs());
            both.nodes()
                    .add(
                            node.renamed(
                                    floatName(node.name()),
                                    inputs,
                                    node.outputs().stream().map(Sensitivity::floatName).toList()));
        }
        return both;
    }
}

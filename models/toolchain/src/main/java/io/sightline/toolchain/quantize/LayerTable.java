// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.report.QuantizeReport.Layer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A line for each convolution of a network. */
final class LayerTable {

    private LayerTable() {}

    /**
     * @param sensitivities of those layers that can be INT8
     * @param profile of the quantised network; null where it was not run
     */
    static List<Layer> of(
            FloatNetwork network,
            QuantizePlan plan,
            List<Sensitivity.OfLayer> sensitivities,
            RuntimeProfile floatProfile,
            RuntimeProfile profile) {
        Map<String, Sensitivity.OfLayer> byName = new LinkedHashMap<>();
        sensitivities.forEach(each -> byName.put(each.layer(), each));
        Quantizer.Result result =
                Quantizer.quantize(network.prepared(plan.target()).graph(), network.table(), plan);
        Map<String, Node> nodes = new LinkedHashMap<>();
        result.graph().nodes().forEach(node -> nodes.put(node.name(), node));
        List<Layer> rows = new ArrayList<>();
        for (String layer : network.convolutions().names()) {
            Sensitivity.OfLayer sensitivity = byName.get(layer);
            boolean int8 = result.int8Layers().contains(layer);
            rows.add(
                    new Layer(
                            layer,
                            network.convolutions().shape(layer),
                            network.convolutions().macs(layer),
                            network.convolutions().macs(layer)
                                    / (double) network.convolutions().total(),
                            inputType(result.graph(), nodes.get(layer)),
                            outputType(result.graph(), nodes.get(layer)),
                            profile == null ? null : profile.operator(layer),
                            sensitivity == null ? null : sensitivity.output().mse(),
                            sensitivity == null ? null : finite(sensitivity.output().snr()),
                            sensitivity == null ? null : sensitivity.output().cosine(),
                            sensitivity == null ? null : sensitivity.network().mse(),
                            sensitivity == null ? null : sensitivity.network().cosine(),
                            sensitivity == null ? null : sensitivity.apLoss(),
                            floatProfile.millis(layer),
                            profile == null ? null : profile.millis(layer),
                            int8 ? "int8" : "float"));
        }
        return rows;
    }

    private static String inputType(Graph quantized, Node node) {
        return quantized
                .producer(node.input(0))
                .filter(producer -> producer.is("DequantizeLinear"))
                .map(producer -> producer.input(0))
                .map(tensor -> roundedType(quantized, tensor))
                .orElse("float32");
    }

    private static String outputType(Graph quantized, Node node) {
        List<Node> next = quantized.consumers(node.output());
        if (next.size() == 1 && (next.get(0).is("Relu") || next.get(0).is("Clip"))) {
            next = quantized.consumers(next.get(0).output());
        }
        return next.size() == 1 && next.get(0).is("QuantizeLinear")
                ? roundedType(quantized, next.get(0).output())
                : "float32";
    }

    /** Of the tensor behind a QuantizeLinear: that of its zero point. */
    private static String roundedType(Graph quantized, String tensor) {
        return quantized
                .producer(tensor)
                .filter(node -> node.is("QuantizeLinear"))
                .map(node -> quantized.constant(node.input(2)).type().toString())
                .orElse("uint8")
                .toLowerCase(Locale.ROOT);
    }

    private static Double finite(double value) {
        return Double.isFinite(value) ? value : null;
    }
}

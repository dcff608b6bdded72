// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;

/** How much each convolution of a graph computes on one picture. */
final class Convolutions {

    private final Map<String, Long> macs = new LinkedHashMap<>();
    private final Map<String, String> shapes = new LinkedHashMap<>();

    /** Of every Conv and ConvTranspose, by name, in the order they run. */
    Convolutions(Graph graph, TensorShapes tensors) {
        for (Node node : graph.sorted()) {
            boolean transposed = node.is("ConvTranspose");
            if (!node.is("Conv") && !transposed) {
                continue;
            }
            long[] in = tensors.of(node.input(0));
            long[] weights = tensors.of(node.input(1));
            long[] out = tensors.of(node.output());
            // Each weight meets each place of the output, or of the input where that is spread.
            long[] places = transposed ? in : out;
            long count = size(weights) * places[2] * places[3];
            macs.put(node.name(), count);
            shapes.put(
                    node.name(),
                    "%s%dx%d/%d %d→%d at %dx%d%s"
                            .formatted(
                                    transposed ? "deconv " : "",
                                    weights[2],
                                    weights[3],
                                    node.longsAttribute("strides", 1, 1)[0],
                                    in[1],
                                    out[1],
                                    out[3],
                                    out[2],
                                    node.longAttribute("group", 1) == 1
                                            ? ""
                                            : ", groups " + node.longAttribute("group", 1)));
        }
    }

    private static long size(long[] shape) {
        return Arrays.stream(shape).reduce(1, (a, b) -> a * b);
    }

    /** Multiply-accumulates; 0 for what is no convolution. */
    long macs(String layer) {
        return macs.getOrDefault(layer, 0L);
    }

    /** For people: kernel, stride, channels, size of the output. */
    String shape(String layer) {
        return shapes.getOrDefault(layer, "");
    }

    Collection<String> names() {
        return macs.keySet();
    }

    long total() {
        return macs.values().stream().mapToLong(Long::longValue).sum();
    }

    /** Share of all multiply-accumulates that these make, 0..1. */
    double share(Collection<String> layers) {
        return layers.stream().mapToLong(this::macs).sum() / (double) total();
    }
}

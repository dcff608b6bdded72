// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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
            macs.put(node.name(), size(weights) * size(spatial(places)));
            shapes.put(
                    node.name(),
                    "%s%s/%d %d→%d at %s%s"
                            .formatted(
                                    transposed ? "deconv " : "",
                                    widthFirst(spatial(weights)),
                                    node.longsAttribute("strides", 1, 1)[0],
                                    in[1],
                                    out[1],
                                    widthFirst(spatial(out)),
                                    node.longAttribute("group", 1) == 1
                                            ? ""
                                            : ", groups " + node.longAttribute("group", 1)));
        }
    }

    /** What stands behind batch, or output channels, and channels: two numbers in a picture. */
    private static long[] spatial(long[] shape) {
        return Arrays.copyOfRange(shape, 2, shape.length);
    }

    private static String widthFirst(long[] lengths) {
        return IntStream.range(0, lengths.length)
                .mapToObj(i -> String.valueOf(lengths[lengths.length - 1 - i]))
                .collect(Collectors.joining("x"));
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

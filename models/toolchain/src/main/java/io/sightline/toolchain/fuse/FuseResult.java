// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import io.sightline.toolchain.graph.Graph;
import java.util.List;
import java.util.OptionalDouble;

/**
 * A fused graph and how it came about.
 *
 * @param passes in the order of their first run
 * @param worstRelativeError over all outputs and runs of the proof: max |a − b| / max |a|
 * @param dequantizeDeviation the same between the dynamically quantised graph and the dequantised
 *     one: for information, as the former rounds its activations; empty where nothing was
 *     dequantised
 */
public record FuseResult(
        Graph graph,
        List<PassReport> passes,
        double worstRelativeError,
        OptionalDouble dequantizeDeviation) {

    public FuseResult {
        passes = List.copyOf(passes);
    }
}

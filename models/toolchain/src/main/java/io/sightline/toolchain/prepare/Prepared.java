// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelSpec;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.graph.Graph;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A prepared model.
 *
 * @param spec of the graph; its checksum is the source's until it is written
 * @param steps what was done, what was left and why, and how it was proven; a line each
 */
public record Prepared(Graph graph, ModelSpec spec, Target target, List<String> steps) {

    public Prepared {
        steps = List.copyOf(steps);
    }

    /** Writes the ONNX file and its JSON. */
    public ModelFile write(Path onnx) {
        graph.write(onnx);
        return ModelFile.write(onnx, spec, Optional.of(target.label()), OptionalInt.empty());
    }
}

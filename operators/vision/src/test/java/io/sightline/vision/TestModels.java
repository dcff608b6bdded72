// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.OutputLayout;
import java.util.List;
import java.util.stream.IntStream;

/** ModelSpecs for tests. */
final class TestModels {

    private TestModels() {}

    static ModelSpec input(int width, int height, int border) {
        return spec(width, height, border, OutputLayout.PAIRS, 1, true);
    }

    static ModelSpec output(OutputLayout layout, int classes, boolean suppress) {
        return spec(64, 64, 0, layout, classes, suppress);
    }

    private static ModelSpec spec(
            int width, int height, int border, OutputLayout layout, int classes, boolean suppress) {
        List<String> labels = IntStream.range(0, classes).mapToObj(i -> "class-" + i).toList();
        return new ModelSpec(
                "test",
                "0".repeat(64),
                width,
                height,
                ModelSpec.InputFormat.BYTES_NHWC_BGR,
                1,
                false,
                border,
                114,
                labels,
                layout,
                suppress,
                0.4f,
                0.45f,
                "fp32",
                "",
                "");
    }
}

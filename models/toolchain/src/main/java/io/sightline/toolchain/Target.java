// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain;

import java.util.Arrays;
import java.util.stream.Collectors;

/** For which engine a file is quantised: they want other numbers in other places. */
public enum Target {
    /**
     * uint8 activations with a zero point. Pairs stand behind each convolution and its rectifier,
     * and around everything that ONNX Runtime computes in INT8 between convolutions.
     */
    ONNXRUNTIME("onnxruntime", true),
    /**
     * int8 activations around zero. Pairs stand on what a convolution takes, never on what it
     * gives, and on the residual input of additions.
     */
    TENSORRT("tensorrt", false);

    private final String label;
    private final boolean zeroPoint;

    Target(String label, boolean zeroPoint) {
        this.label = label;
        this.zeroPoint = zeroPoint;
    }

    /** As a ModelSpec file names it. */
    public String label() {
        return label;
    }

    /** Whether activations are uint8 with a zero point; else int8 around zero. */
    public boolean hasZeroPoint() {
        return zeroPoint;
    }

    /**
     * @throws IllegalArgumentException if there is none of that label
     */
    public static Target of(String label) {
        return Arrays.stream(values())
                .filter(target -> target.label.equals(label))
                .findFirst()
                .orElseThrow(
                        () ->
                                new IllegalArgumentException(
                                        "unknown target '"
                                                + label
                                                + "': expected "
                                                + Arrays.stream(values())
                                                        .map(Target::label)
                                                        .collect(Collectors.joining(" or "))));
    }
}

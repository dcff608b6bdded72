// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.check;

import java.util.Locale;

/**
 * Something about a model that somebody who wants to run or to quantise it should know.
 *
 * @param about what it concerns
 * @param blocks whether that does not work as the file is; else it is to be known
 * @param what was found, and in which nodes
 * @param remedy empty where none is needed
 */
public record Finding(About about, boolean blocks, String what, String remedy) {

    /** What a finding concerns. */
    public enum About {
        /** The file itself. */
        GRAPH,
        /** What the job needs to know of a detector. */
        DETECTOR,
        /** Running it on ONNX Runtime. */
        ONNXRUNTIME,
        /** Running it on TensorRT. */
        TENSORRT,
        /** Quantising it. */
        INT8;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }
}

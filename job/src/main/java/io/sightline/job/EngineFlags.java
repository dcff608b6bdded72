// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.InputSize;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.tensorrt.Precision;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** How engines are made of a model: for commands that run or build one. */
public final class EngineFlags {

    @Option(
            names = "--layout",
            paramLabel = "LAYOUT",
            description =
                    "Output layout, where model and ModelSpec leave it open: anchors-obj, channels-first, pairs, end2end.")
    OutputLayout layout;

    @Option(
            names = "--input-size",
            paramLabel = "WxH",
            description =
                    "Size of the network's input in multiples of 32, such as 640x640, for models that leave it open, as the bundled one does; the ModelSpec's where absent.")
    InputSize inputSize;

    @Option(
            names = "--precision",
            paramLabel = "PRECISION",
            description =
                    "In what TensorRT computes: int8, fp16 or fp32; absent: int8 where the model is quantised, else fp16.")
    Precision precision;

    @Option(
            names = "--engine-cache",
            paramLabel = "DIR",
            description =
                    "Folder of TensorRT's engines, on a cluster on the task managers; absent: .cache/sightline/engines in the user's home.")
    Path engineCache;

    /** Null where the user states none. */
    public OutputLayout layout() {
        return layout;
    }

    /** Null where the user states none. */
    public InputSize inputSize() {
        return inputSize;
    }

    /** Null where the user states none. */
    public Precision precision() {
        return precision;
    }

    /** Null for the user's own, wherever the engine is opened. */
    public String cacheFolder() {
        return engineCache == null ? null : engineCache.toString();
    }
}

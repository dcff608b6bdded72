// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import org.bytedeco.tensorrt.global.nvinfer.BuilderFlag;
import org.bytedeco.tensorrt.nvinfer.IBuilderConfig;

/**
 * How TensorRT 10 is told the precision: by flags of the builder, which then chooses types layer by
 * layer. TensorRT 11 knows strongly typed networks only: there the graph itself has to say float16,
 * the flags are gone, and this class is what changes, with the graph converted before it is parsed.
 */
final class WeakTyping {

    /** Part of an engine's key: raise it when the flags change. */
    static final String NAME = "weakly-typed-1";

    /** For createNetworkV2: no strong types. */
    static final int NETWORK_FLAGS = 0;

    private WeakTyping() {}

    static void apply(IBuilderConfig config, Precision precision) {
        switch (precision) {
            // TF32 would round what is compared as float32.
            case FP32 -> config.clearFlag(BuilderFlag.kTF32);
            case FP16 -> config.setFlag(BuilderFlag.kFP16);
            case INT8 -> {
                config.setFlag(BuilderFlag.kINT8);
                config.setFlag(BuilderFlag.kFP16);
            }
        }
    }
}

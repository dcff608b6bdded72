// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import org.bytedeco.tensorrt.nvinfer.Dims64;

/** Dimensions of the input tensor, as TensorRT takes them. */
final class InputDims {

    private InputDims() {}

    /** To be closed by the caller. */
    static Dims64 of(ModelSpec spec, int batch) {
        boolean bytes = spec.inputFormat() == InputFormat.BYTES_NHWC_BGR;
        return new Dims64()
                .nbDims(4)
                .d(0, batch)
                .d(1, bytes ? spec.inputHeight() : 3)
                .d(2, bytes ? spec.inputWidth() : spec.inputHeight())
                .d(3, bytes ? 3 : spec.inputWidth());
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.List;

/**
 * Everything the pipeline needs to know of a network: what goes in, what comes out, and where it is
 * from. Read from the ONNX file and the JSON beside it by {@link ModelFile}.
 *
 * @param name short name, by default the file name without its ending
 * @param sha256 of the ONNX file, 64 hexadecimal digits
 * @param inputWidth pixels
 * @param inputHeight pixels
 * @param inputFormat what the network's input tensor takes
 * @param maxBatch the most frames one run can take: the fixed batch of the graph, or the limit it
 *     was opened with
 * @param dynamicBatch whether smaller batches run without padding
 * @param border gray pixels kept free on each side of the letterbox (3 for YOLOv6's 634 + 3 + 3
 *     scheme)
 * @param fill gray value of the letterbox, 0..255
 * @param labels one name a class, in class order
 * @param layout how the output is laid out
 * @param suppress whether overlapping boxes still have to be suppressed (NMS)
 * @param confidence default score threshold, 0..1
 * @param iou default overlap threshold of suppression, 0..1
 * @param precision {@code fp32}, {@code fp16} or {@code int8}
 * @param licence of the weights, SPDX where there is one; empty where unknown
 * @param provenance where the weights are from; empty where unknown
 */
public record ModelSpec(
        String name,
        String sha256,
        int inputWidth,
        int inputHeight,
        InputFormat inputFormat,
        int maxBatch,
        boolean dynamicBatch,
        int border,
        int fill,
        List<String> labels,
        OutputLayout layout,
        boolean suppress,
        float confidence,
        float iou,
        String precision,
        String licence,
        String provenance) {

    /** What the network's input tensor takes. */
    public enum InputFormat {
        /** uint8 [batch, height, width, 3], BGR: the letterboxed bytes themselves. */
        BYTES_NHWC_BGR,
        /** float32 [batch, 3, height, width], RGB, 0..1. */
        FLOAT_NCHW_RGB
    }

    public ModelSpec {
        labels = List.copyOf(labels);
    }

    /** The same network with weights and activations of another precision. */
    public ModelSpec withPrecision(String other) {
        return new ModelSpec(
                name,
                sha256,
                inputWidth,
                inputHeight,
                inputFormat,
                maxBatch,
                dynamicBatch,
                border,
                fill,
                labels,
                layout,
                suppress,
                confidence,
                iou,
                other,
                licence,
                provenance);
    }

    /** Bytes of one letterboxed frame: uint8 [inputHeight, inputWidth, 3]. */
    public int slotBytes() {
        return inputWidth * inputHeight * 3;
    }
}

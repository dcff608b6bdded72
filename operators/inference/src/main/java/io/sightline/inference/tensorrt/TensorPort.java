// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.GraphTensor.ElementType;
import io.sightline.inference.InferenceException;

/**
 * An input or output that is copied in every run.
 *
 * @param name in the graph
 * @param type of its elements
 * @param rowShape its dimensions without the batch, all of them known
 */
record TensorPort(String name, ElementType type, int[] rowShape) {

    /**
     * @throws InferenceException if a dimension depends on the data, or the type is none that can
     *     be read
     */
    TensorPort {
        for (int dimension : rowShape) {
            if (dimension < 1) {
                throw new InferenceException(
                        "output '"
                                + name
                                + "' has a size that depends on the picture, and TensorRT's outputs are of a fixed size here: export the model without NMS, or with padded outputs");
            }
        }
        if (elementBytes(type) == 0) {
            throw new InferenceException(
                    "tensor '"
                            + name
                            + "' is of "
                            + type
                            + ": expected uint8, float32, int32 or int64: export the model with such inputs and outputs");
        }
    }

    private static int elementBytes(ElementType type) {
        return switch (type) {
            case UINT8 -> 1;
            case FLOAT32, INT32 -> 4;
            case INT64 -> 8;
            default -> 0;
        };
    }

    int rowValues() {
        int values = 1;
        for (int dimension : rowShape) {
            values = Math.multiplyExact(values, dimension);
        }
        return values;
    }

    long rowBytes() {
        return (long) rowValues() * elementBytes(type);
    }

    int[] shape(int rows) {
        int[] shape = new int[rowShape.length + 1];
        shape[0] = rows;
        System.arraycopy(rowShape, 0, shape, 1, rowShape.length);
        return shape;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import ai.onnxruntime.OnnxJavaType;

/**
 * An output that is asked for in every run.
 *
 * @param type FLOAT, INT32 or INT64
 * @param rowShape its dimensions without the batch; null where the graph leaves one of them open
 */
record OutputPort(String name, OnnxJavaType type, long[] rowShape) {

    /** Shape of that many rows. */
    long[] shape(int rows) {
        long[] shape = new long[rowShape.length + 1];
        shape[0] = rows;
        System.arraycopy(rowShape, 0, shape, 1, rowShape.length);
        return shape;
    }

    int[] intShape(int rows) {
        int[] shape = new int[rowShape.length + 1];
        shape[0] = rows;
        for (int i = 0; i < rowShape.length; i++) {
            shape[i + 1] = Math.toIntExact(rowShape[i]);
        }
        return shape;
    }

    /** Bytes of one row; 0 where they are not known. */
    long rowBytes() {
        return rowShape == null ? 0 : BatchTensors.bytes(type, shape(1));
    }
}

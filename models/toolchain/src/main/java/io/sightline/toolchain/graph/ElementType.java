// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.graph;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;

/** The element types that the toolchain works on; numbers are those of onnx.proto. */
public enum ElementType {
    FLOAT(DataType.FLOAT_VALUE, 4),
    UINT8(DataType.UINT8_VALUE, 1),
    INT8(DataType.INT8_VALUE, 1),
    INT32(DataType.INT32_VALUE, 4),
    INT64(DataType.INT64_VALUE, 8),
    BOOL(DataType.BOOL_VALUE, 1),
    FLOAT16(DataType.FLOAT16_VALUE, 2),
    DOUBLE(DataType.DOUBLE_VALUE, 8);

    private final int number;
    private final int bytes;

    ElementType(int number, int bytes) {
        this.number = number;
        this.bytes = bytes;
    }

    /** TensorProto.DataType. */
    public int number() {
        return number;
    }

    /** Size of one element. */
    public int bytes() {
        return bytes;
    }

    /**
     * @throws IllegalArgumentException if the toolchain does not know the type
     */
    public static ElementType of(int number) {
        for (ElementType type : values()) {
            if (type.number == number) {
                return type;
            }
        }
        DataType known = DataType.forNumber(number);
        throw new IllegalArgumentException(
                "element type " + (known == null ? number : known) + " is not known here");
    }
}

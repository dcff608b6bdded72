// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.graph;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import io.sightline.toolchain.ToolchainException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** A constant of a graph, row-major. Immutable: neither arrays given nor taken are shared. */
public final class Tensor {

    private final ElementType type;
    private final long[] dims;

    /** Little-endian, as ONNX stores raw data. */
    private final ByteString raw;

    private Tensor(ElementType type, long[] dims, ByteString raw) {
        this.type = type;
        this.dims = dims;
        this.raw = raw;
        if (raw.size() != size(dims) * type.bytes()) {
            throw new IllegalArgumentException(
                    "%s %s takes %d bytes, found %d"
                            .formatted(
                                    type,
                                    Arrays.toString(dims),
                                    size(dims) * type.bytes(),
                                    raw.size()));
        }
    }

    /** float32 of that shape. */
    public static Tensor floats(long[] dims, float... values) {
        ByteBuffer buffer = littleEndian(4 * values.length);
        buffer.asFloatBuffer().put(values);
        return new Tensor(ElementType.FLOAT, dims.clone(), ByteString.copyFrom(buffer));
    }

    /** A float32 without dimensions. */
    public static Tensor scalar(float value) {
        return floats(new long[0], value);
    }

    /** int64 with one dimension. */
    public static Tensor longs(long... values) {
        return longs(new long[] {values.length}, values);
    }

    /** int64 of that shape. */
    public static Tensor longs(long[] dims, long... values) {
        ByteBuffer buffer = littleEndian(8 * values.length);
        buffer.asLongBuffer().put(values);
        return new Tensor(ElementType.INT64, dims.clone(), ByteString.copyFrom(buffer));
    }

    /** int32 of that shape. */
    public static Tensor ints(long[] dims, long... values) {
        ByteBuffer buffer = littleEndian(4 * values.length);
        for (long value : values) {
            buffer.putInt(Math.toIntExact(value));
        }
        return new Tensor(ElementType.INT32, dims.clone(), ByteString.copyFrom(buffer.flip()));
    }

    /** int8, uint8 or bool of that shape. */
    public static Tensor bytes(ElementType type, long[] dims, byte... values) {
        if (type.bytes() != 1) {
            throw new IllegalArgumentException(type + " has elements of several bytes");
        }
        return new Tensor(type, dims.clone(), ByteString.copyFrom(values));
    }

    /**
     * @throws ToolchainException if the data lies in another file, or its type is not known here
     */
    static Tensor of(TensorProto proto) {
        if (proto.getDataLocation() == TensorProto.DataLocation.EXTERNAL) {
            throw new ToolchainException(
                    "initializer '%s' keeps its data in another file: save the model as one file"
                            .formatted(proto.getName()));
        }
        ElementType type;
        try {
            type = ElementType.of(proto.getDataType());
        } catch (IllegalArgumentException e) {
            throw new ToolchainException(
                    "initializer '%s': %s".formatted(proto.getName(), e.getMessage()), e);
        }
        long[] dims = proto.getDimsList().stream().mapToLong(Long::longValue).toArray();
        try {
            return new Tensor(type, dims, proto.hasRawData() ? proto.getRawData() : raw(proto));
        } catch (IllegalArgumentException e) {
            throw new ToolchainException(
                    "initializer '%s': %s: the file is damaged"
                            .formatted(proto.getName(), e.getMessage()),
                    e);
        }
    }

    private static ByteString raw(TensorProto proto) {
        ElementType type = ElementType.of(proto.getDataType());
        int count =
                switch (type) {
                    case FLOAT -> proto.getFloatDataCount();
                    case INT64 -> proto.getInt64DataCount();
                    case DOUBLE -> proto.getDoubleDataCount();
                    default -> proto.getInt32DataCount();
                };
        ByteBuffer buffer = littleEndian(count * type.bytes());
        for (int i = 0; i < count; i++) {
            switch (type) {
                case FLOAT -> buffer.putFloat(proto.getFloatData(i));
                case INT64 -> buffer.putLong(proto.getInt64Data(i));
                case DOUBLE -> buffer.putDouble(proto.getDoubleData(i));
                case INT32 -> buffer.putInt(proto.getInt32Data(i));
                case FLOAT16 -> buffer.putShort((short) proto.getInt32Data(i));
                case UINT8, INT8, BOOL -> buffer.put((byte) proto.getInt32Data(i));
            }
        }
        return ByteString.copyFrom(buffer.flip());
    }

    TensorProto toProto(String name) {
        TensorProto.Builder proto =
                TensorProto.newBuilder().setName(name).setDataType(type.number()).setRawData(raw);
        for (long dim : dims) {
            proto.addDims(dim);
        }
        return proto.build();
    }

    public ElementType type() {
        return type;
    }

    public long[] dims() {
        return dims.clone();
    }

    public int rank() {
        return dims.length;
    }

    public long dim(int axis) {
        return dims[axis];
    }

    /** How many elements. */
    public int size() {
        return Math.toIntExact(size(dims));
    }

    /** Of a float32 or float16 tensor: its values. */
    public float[] toFloats() {
        float[] values = new float[size()];
        switch (type) {
            case FLOAT -> buffer().asFloatBuffer().get(values);
            case FLOAT16 -> {
                ByteBuffer buffer = buffer();
                for (int i = 0; i < values.length; i++) {
                    values[i] = halfToFloat(buffer.getShort(2 * i));
                }
            }
            default -> throw wrongType("floats");
        }
        return values;
    }

    /** Of an integer or bool tensor: its values. */
    public long[] toLongs() {
        long[] values = new long[size()];
        ByteBuffer buffer = buffer();
        for (int i = 0; i < values.length; i++) {
            values[i] =
                    switch (type) {
                        case INT64 -> buffer.getLong(8 * i);
                        case INT32 -> buffer.getInt(4 * i);
                        case UINT8, BOOL -> buffer.get(i) & 0xFF;
                        case INT8 -> buffer.get(i);
                        default -> throw wrongType("integers");
                    };
        }
        return values;
    }

    /** The elements as stored, little-endian. */
    public byte[] toBytes() {
        return raw.toByteArray();
    }

    /** Other elements of the same type in the same shape, as stored, little-endian. */
    public Tensor withBytes(byte[] elements) {
        return new Tensor(type, dims, ByteString.copyFrom(elements));
    }

    /** The same elements in another shape. */
    public Tensor reshaped(long... newDims) {
        return new Tensor(type, newDims.clone(), raw);
    }

    private ByteBuffer buffer() {
        return raw.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    private IllegalStateException wrongType(String wanted) {
        return new IllegalStateException("a tensor of " + type + " holds no " + wanted);
    }

    /** IEEE 754 binary16. */
    private static float halfToFloat(short half) {
        int sign = (half & 0x8000) << 16;
        int exponent = (half >> 10) & 0x1F;
        int fraction = half & 0x3FF;
        if (exponent == 0) {
            float magnitude = fraction * 0x1p-24f;
            return sign == 0 ? magnitude : -magnitude;
        }
        int wide = exponent == 31 ? 0xFF : exponent - 15 + 127;
        return Float.intBitsToFloat(sign | wide << 23 | fraction << 13);
    }

    private static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static long size(long[] dims) {
        long size = 1;
        for (long dim : dims) {
            size = Math.multiplyExact(size, dim);
        }
        return size;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Tensor that
                && type == that.type
                && Arrays.equals(dims, that.dims)
                && raw.equals(that.raw);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(dims) + raw.hashCode();
    }

    /** {@code FLOAT [16, 3, 3, 3]}. */
    @Override
    public String toString() {
        return type + " " + Arrays.toString(dims);
    }
}

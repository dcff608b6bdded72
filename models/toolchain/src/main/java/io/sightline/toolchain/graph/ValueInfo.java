// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.graph;

import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.sightline.inference.GraphTensor;
import io.sightline.toolchain.ToolchainException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An input or output of a graph.
 *
 * @param type null where left to the engine to find out
 * @param dims one for each axis, the outermost first; empty where the type is null
 */
public record ValueInfo(String name, ElementType type, List<Dim> dims) {

    public ValueInfo {
        dims = List.copyOf(dims);
    }

    /**
     * One dimension: a size, a name for one that the graph leaves open, or both for one that is
     * open in the file and worked on at the size that it usually has.
     *
     * @param size −1 where open
     * @param symbol empty where the size is fixed or nothing is known
     */
    public record Dim(long size, String symbol) {
        public static Dim of(long size) {
            return new Dim(size, "");
        }

        public static Dim open(String symbol) {
            return new Dim(-1, symbol);
        }

        /** Open, and worked on at that size. */
        Dim usually(long known, String unnamed) {
            return new Dim(known, symbol.isEmpty() ? unnamed : symbol);
        }

        public boolean isOpen() {
            return size < 0;
        }

        /** As the file has it. */
        Dim stored() {
            return symbol.isEmpty() ? this : open(symbol);
        }

        @Override
        public String toString() {
            return symbol.isEmpty() ? (isOpen() ? "?" : Long.toString(size)) : symbol;
        }
    }

    /** Of known sizes. */
    public static ValueInfo of(String name, ElementType type, long... sizes) {
        return new ValueInfo(name, type, Arrays.stream(sizes).mapToObj(Dim::of).toList());
    }

    /** An output whose type and shape the engine finds out. */
    public static ValueInfo untyped(String name) {
        return new ValueInfo(name, null, List.of());
    }

    /** The same with another outermost dimension. */
    public ValueInfo withBatch(Dim batch) {
        List<Dim> changed = new ArrayList<>(dims);
        changed.set(0, batch);
        return new ValueInfo(name, type, changed);
    }

    /** The same with its dimensions as the file has them. */
    ValueInfo stored() {
        return new ValueInfo(name, type, dims.stream().map(Dim::stored).toList());
    }

    /** The same at the sizes that it is worked on, and no other. */
    public ValueInfo fixed() {
        return new ValueInfo(
                name,
                type,
                dims.stream().map(dim -> dim.isOpen() ? dim : Dim.of(dim.size())).toList());
    }

    /**
     * As an engine would report it.
     *
     * @throws ToolchainException if the type is left open
     */
    public GraphTensor toGraphTensor() {
        if (type == null) {
            throw new ToolchainException("'" + name + "' states no type: expected one");
        }
        return new GraphTensor(
                name,
                switch (type) {
                    case FLOAT -> GraphTensor.ElementType.FLOAT32;
                    case FLOAT16 -> GraphTensor.ElementType.FLOAT16;
                    case UINT8 -> GraphTensor.ElementType.UINT8;
                    case INT32 -> GraphTensor.ElementType.INT32;
                    case INT64 -> GraphTensor.ElementType.INT64;
                    case INT8, BOOL, DOUBLE -> GraphTensor.ElementType.OTHER;
                },
                dims.stream()
                        .mapToInt(
                                dim ->
                                        dim.isOpen()
                                                ? GraphTensor.DYNAMIC
                                                : Math.toIntExact(dim.size()))
                        .toArray());
    }

    static ValueInfo of(ValueInfoProto proto) {
        if (!proto.getType().hasTensorType()) {
            throw new ToolchainException(
                    "'" + proto.getName() + "' is no tensor: expected tensors in and out");
        }
        TypeProto.Tensor tensor = proto.getType().getTensorType();
        if (tensor.getElemType() == 0) {
            return untyped(proto.getName());
        }
        try {
            return new ValueInfo(
                    proto.getName(),
                    ElementType.of(tensor.getElemType()),
                    tensor.getShape().getDimList().stream()
                            .map(
                                    dim ->
                                            dim.hasDimValue() && dim.getDimValue() >= 0
                                                    ? Dim.of(dim.getDimValue())
                                                    : Dim.open(dim.getDimParam()))
                            .toList());
        } catch (IllegalArgumentException e) {
            throw new ToolchainException("'" + proto.getName() + "': " + e.getMessage(), e);
        }
    }

    ValueInfoProto toProto() {
        if (type == null) {
            return ValueInfoProto.newBuilder().setName(name).build();
        }
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Dim dim : dims) {
            TensorShapeProto.Dimension.Builder proto = TensorShapeProto.Dimension.newBuilder();
            if (!dim.isOpen()) {
                proto.setDimValue(dim.size());
            } else if (!dim.symbol().isEmpty()) {
                proto.setDimParam(dim.symbol());
            }
            shape.addDim(proto);
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(
                        TypeProto.newBuilder()
                                .setTensorType(
                                        TypeProto.Tensor.newBuilder()
                                                .setElemType(type.number())
                                                .setShape(shape)))
                .build();
    }

    /** As messages show it: {@code 'images' FLOAT [batch, 3, 640, 640]}. */
    @Override
    public String toString() {
        return "'" + name + "' " + type + " " + dims;
    }
}

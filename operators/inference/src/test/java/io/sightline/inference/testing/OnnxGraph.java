// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.testing;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A small ONNX graph, opset 13, written node by node. A dimension of −1 is left open. */
public final class OnnxGraph {

    public static final int FLOAT32 = TensorProto.DataType.FLOAT_VALUE;
    public static final int UINT8 = TensorProto.DataType.UINT8_VALUE;
    public static final int INT32 = TensorProto.DataType.INT32_VALUE;
    public static final int INT64 = TensorProto.DataType.INT64_VALUE;
    public static final int FLOAT16 = TensorProto.DataType.FLOAT16_VALUE;

    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("test");

    public OnnxGraph input(String name, int type, int... dims) {
        graph.addInput(value(name, type, dims));
        return this;
    }

    /**
     * @param dims numbers, and names of those that are left open
     */
    public OnnxGraph input(String name, int type, List<String> dims) {
        graph.addInput(named(name, type, dims));
        return this;
    }

    /**
     * @param dims numbers, and names of those that are left open
     */
    public OnnxGraph output(String name, int type, List<String> dims) {
        graph.addOutput(named(name, type, dims));
        return this;
    }

    public OnnxGraph output(String name, int type, int... dims) {
        graph.addOutput(value(name, type, dims));
        return this;
    }

    public OnnxGraph floats(String name, int[] dims, float... values) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(FLOAT32);
        for (int dim : dims) {
            tensor.addDims(dim);
        }
        for (float value : values) {
            tensor.addFloatData(value);
        }
        graph.addInitializer(tensor);
        return this;
    }

    public OnnxGraph longs(String name, long... values) {
        TensorProto.Builder tensor =
                TensorProto.newBuilder().setName(name).setDataType(INT64).addDims(values.length);
        for (long value : values) {
            tensor.addInt64Data(value);
        }
        graph.addInitializer(tensor);
        return this;
    }

    /** Adds a node of one output that has the node's name. */
    public OnnxGraph node(
            String operator, String name, List<String> inputs, AttributeProto... attributes) {
        graph.addNode(
                NodeProto.newBuilder()
                        .setOpType(operator)
                        .setName(name)
                        .addAllInput(inputs)
                        .addOutput(name)
                        .addAllAttribute(List.of(attributes)));
        return this;
    }

    public static AttributeProto attribute(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }

    public static AttributeProto attribute(String name, long... values) {
        AttributeProto.Builder attribute =
                AttributeProto.newBuilder()
                        .setName(name)
                        .setType(AttributeProto.AttributeType.INTS);
        for (long value : values) {
            attribute.addInts(value);
        }
        return attribute.build();
    }

    public Path write(Path file) {
        byte[] bytes =
                ModelProto.newBuilder()
                        .setIrVersion(8)
                        .setProducerName("sightline-test")
                        .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(13))
                        .setGraph(graph)
                        .build()
                        .toByteArray();
        try {
            return Files.write(file, bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ValueInfoProto value(String name, int type, int... dims) {
        List<String> named = new ArrayList<>();
        for (int i = 0; i < dims.length; i++) {
            named.add(dims[i] >= 0 ? String.valueOf(dims[i]) : i == 0 ? "batch" : name + "_" + i);
        }
        return named(name, type, named);
    }

    private static ValueInfoProto named(String name, int type, List<String> dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (String size : dims) {
            TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
            shape.addDim(
                    Character.isDigit(size.charAt(0))
                            ? dim.setDimValue(Long.parseLong(size))
                            : dim.setDimParam(size));
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(
                        TypeProto.newBuilder()
                                .setTensorType(
                                        TypeProto.Tensor.newBuilder()
                                                .setElemType(type)
                                                .setShape(shape)))
                .build();
    }
}

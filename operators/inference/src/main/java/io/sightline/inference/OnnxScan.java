// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads what an engine does not tell of an ONNX file from the protobuf wire format: its precision,
 * and which of its convolutions are quantised. Weights themselves are skipped, so a large file
 * costs a few seeks.
 *
 * <p>Field numbers are those of onnx.proto: ModelProto.graph 7; GraphProto.node 1 and initializer
 * 5; NodeProto.input 1, output 2, name 3, op_type 4; TensorProto.data_type 2.
 */
final class OnnxScan {

    private static final Set<String> QUANTISED =
            Set.of(
                    "QuantizeLinear",
                    "DynamicQuantizeLinear",
                    "ConvInteger",
                    "MatMulInteger",
                    "QLinearConv",
                    "QLinearMatMul");

    private static final int VARINT = 0;
    private static final int FIXED64 = 1;
    private static final int BYTES = 2;
    private static final int FIXED32 = 5;

    private static final int DATA_TYPE_FLOAT = 1;
    private static final int DATA_TYPE_FLOAT16 = 10;

    private final InputStream in;
    private long position;

    private final List<Node> nodes = new ArrayList<>();
    private long floatBytes;
    private long halfBytes;

    private record Node(String operator, String name, List<String> inputs, List<String> outputs) {}

    private OnnxScan(InputStream in) {
        this.in = in;
    }

    /**
     * {@code int8} where the graph holds a quantised operator, {@code fp16} where most of its
     * weights are float16, else {@code fp32}.
     *
     * @throws MalformedException if the bytes are not those of an ONNX model with at least one node
     */
    static String precision(Path file) throws IOException {
        OnnxScan scan = of(file);
        if (scan.nodes.stream().anyMatch(node -> QUANTISED.contains(node.operator))) {
            return "int8";
        }
        return scan.halfBytes > scan.floatBytes ? "fp16" : "fp32";
    }

    /**
     * The convolutions whose data and weights both come from a DequantizeLinear: their names, or
     * {@code node_of_} and their output where they have none, as TensorRT's parser names them.
     *
     * @throws MalformedException if the bytes are not those of an ONNX model with at least one node
     */
    static List<String> quantisedConvolutions(Path file) throws IOException {
        OnnxScan scan = of(file);
        Set<String> dequantised = new HashSet<>();
        scan.nodes.stream()
                .filter(node -> node.operator.equals("DequantizeLinear"))
                .forEach(node -> dequantised.addAll(node.outputs));
        return scan.nodes.stream()
                .filter(node -> node.operator.equals("Conv") && node.inputs.size() >= 2)
                .filter(node -> dequantised.containsAll(node.inputs.subList(0, 2)))
                .map(node -> node.name.isEmpty() ? "node_of_" + node.outputs.get(0) : node.name)
                .toList();
    }

    private static OnnxScan of(Path file) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            OnnxScan scan = new OnnxScan(in);
            scan.model(Files.size(file));
            if (scan.nodes.isEmpty()) {
                throw new MalformedException("no graph with nodes in it");
            }
            return scan;
        } catch (EOFException e) {
            throw new MalformedException("it ends too early");
        }
    }

    /** The bytes are no ONNX model. */
    static final class MalformedException extends IOException {
        MalformedException(String message) {
            super(message);
        }
    }

    private void model(long end) throws IOException {
        while (position < end) {
            long key = varint();
            if (field(key) == 7 && wireType(key) == BYTES) {
                graph(endOfMessage(end));
            } else {
                skip(key, end);
            }
        }
    }

    private void graph(long end) throws IOException {
        while (position < end) {
            long key = varint();
            if (field(key) == 1 && wireType(key) == BYTES) {
                node(endOfMessage(end));
            } else if (field(key) == 5 && wireType(key) == BYTES) {
                weights(endOfMessage(end));
            } else {
                skip(key, end);
            }
        }
    }

    private void node(long end) throws IOException {
        String operator = "";
        String name = "";
        List<String> inputs = new ArrayList<>();
        List<String> outputs = new ArrayList<>();
        while (position < end) {
            long key = varint();
            if (wireType(key) != BYTES || field(key) > 4) {
                skip(key, end);
                continue;
            }
            String text = text(end);
            switch ((int) field(key)) {
                case 1 -> inputs.add(text);
                case 2 -> outputs.add(text);
                case 3 -> name = text;
                case 4 -> operator = text;
                default ->
                        throw new MalformedException("byte " + position + " is no protobuf field");
            }
        }
        nodes.add(new Node(operator, name, inputs, outputs));
    }

    /** At most so much of it: longer ones are no names. */
    private String text(long parentEnd) throws IOException {
        long length = endOfMessage(parentEnd) - position;
        byte[] bytes = in.readNBytes((int) Math.min(length, 4096));
        position += bytes.length;
        skipBytes(length - bytes.length);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private void weights(long end) throws IOException {
        long length = end - position;
        while (position < end) {
            long key = varint();
            if (field(key) == 2 && wireType(key) == VARINT) {
                long type = varint();
                floatBytes += type == DATA_TYPE_FLOAT ? length : 0;
                halfBytes += type == DATA_TYPE_FLOAT16 ? length : 0;
            } else {
                skip(key, end);
            }
        }
    }

    private void skip(long key, long end) throws IOException {
        switch (wireType(key)) {
            case VARINT -> varint();
            case FIXED64 -> skipBytes(8);
            case FIXED32 -> skipBytes(4);
            case BYTES -> skipBytes(endOfMessage(end) - position);
            default -> throw new MalformedException("byte " + position + " is no protobuf field");
        }
        if (field(key) == 0 || position > end) {
            throw new MalformedException("byte " + position + " is no protobuf field");
        }
    }

    private long endOfMessage(long parentEnd) throws IOException {
        long length = varint();
        if (length < 0 || length > parentEnd - position) {
            throw new MalformedException("it ends too early");
        }
        return position + length;
    }

    private void skipBytes(long count) throws IOException {
        in.skipNBytes(count);
        position += count;
    }

    private long varint() throws IOException {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            int next = in.read();
            if (next < 0) {
                throw new EOFException();
            }
            position++;
            value |= (next & 0x7FL) << shift;
            if (next < 0x80) {
                return value;
            }
        }
        throw new MalformedException("byte " + position + " is no protobuf field");
    }

    private static long field(long key) {
        return key >>> 3;
    }

    private static int wireType(long key) {
        return (int) (key & 7);
    }
}

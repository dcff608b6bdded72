// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.NodeProto;
import com.google.protobuf.ByteString;
import io.sightline.toolchain.ToolchainException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One operation of a {@link Graph}. Its inputs and outputs are names of tensors; an input left out
 * is an empty name. Belongs to one graph, which is its owner's to change.
 */
public final class Node {

    private String name;
    private String opType;
    private final String domain;
    private final List<String> inputs;
    private final List<String> outputs;
    private final Map<String, AttributeProto> attributes = new LinkedHashMap<>();

    /** A node of the standard operators. */
    public Node(String opType, String name, List<String> inputs, List<String> outputs) {
        this("", opType, name, inputs, outputs);
    }

    private Node(
            String domain, String opType, String name, List<String> inputs, List<String> outputs) {
        this.domain = domain;
        this.opType = opType;
        this.name = name;
        this.inputs = new ArrayList<>(inputs);
        this.outputs = new ArrayList<>(outputs);
    }

    static Node of(NodeProto proto) {
        Node node =
                new Node(
                        proto.getDomain().equals("ai.onnx") ? "" : proto.getDomain(),
                        proto.getOpType(),
                        proto.getName(),
                        proto.getInputList(),
                        proto.getOutputList());
        for (AttributeProto attribute : proto.getAttributeList()) {
            node.attributes.put(attribute.getName(), attribute);
        }
        return node;
    }

    NodeProto toProto() {
        return NodeProto.newBuilder()
                .setName(name)
                .setOpType(opType)
                .setDomain(domain)
                .addAllInput(inputs)
                .addAllOutput(outputs)
                .addAllAttribute(attributes.values())
                .build();
    }

    Node copy() {
        Node copy = new Node(domain, opType, name, inputs, outputs);
        copy.attributes.putAll(attributes);
        return copy;
    }

    /** The same operation on other tensors. */
    public Node renamed(String newName, List<String> newInputs, List<String> newOutputs) {
        Node other = new Node(domain, opType, newName, newInputs, newOutputs);
        other.attributes.putAll(attributes);
        return other;
    }

    /** May be empty. */
    public String name() {
        return name;
    }

    public void rename(String newName) {
        name = newName;
    }

    public String opType() {
        return opType;
    }

    /** Empty for the standard operators. */
    public String domain() {
        return domain;
    }

    /** Whether it is that standard operator. */
    public boolean is(String standardOpType) {
        return domain.isEmpty() && opType.equals(standardOpType);
    }

    /** Makes it another standard operator; inputs, outputs and attributes stay. */
    public void becomes(String standardOpType) {
        opType = standardOpType;
    }

    /** Live: changes change the node. */
    public List<String> inputs() {
        return inputs;
    }

    /** Empty where the node has no such input. */
    public String input(int index) {
        return index < inputs.size() ? inputs.get(index) : "";
    }

    /** Live: changes change the node. */
    public List<String> outputs() {
        return outputs;
    }

    /** The first output, of most nodes the only one. */
    public String output() {
        return outputs.get(0);
    }

    public void replaceInput(String tensor, String by) {
        inputs.replaceAll(input -> input.equals(tensor) ? by : input);
    }

    public boolean has(String attribute) {
        return attributes.containsKey(attribute);
    }

    public long longAttribute(String attribute, long otherwise) {
        return has(attribute) ? attributes.get(attribute).getI() : otherwise;
    }

    public float floatAttribute(String attribute, float otherwise) {
        return has(attribute) ? attributes.get(attribute).getF() : otherwise;
    }

    public String stringAttribute(String attribute, String otherwise) {
        return has(attribute) ? attributes.get(attribute).getS().toStringUtf8() : otherwise;
    }

    /** A new array; {@code otherwise} where the node is silent. */
    public long[] longsAttribute(String attribute, long... otherwise) {
        return has(attribute)
                ? attributes.get(attribute).getIntsList().stream()
                        .mapToLong(Long::longValue)
                        .toArray()
                : otherwise;
    }

    /** A new array; empty where the node is silent. */
    public float[] floatsAttribute(String attribute) {
        List<Float> floats = has(attribute) ? attributes.get(attribute).getFloatsList() : List.of();
        float[] values = new float[floats.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = floats.get(i);
        }
        return values;
    }

    /**
     * @throws ToolchainException if the node has no such tensor
     */
    public Tensor tensorAttribute(String attribute) {
        if (!has(attribute) || !attributes.get(attribute).hasT()) {
            throw new ToolchainException(this + " has no tensor '" + attribute + "'");
        }
        return Tensor.of(attributes.get(attribute).getT());
    }

    /** Whether it holds graphs of its own: If, Loop, Scan. */
    public boolean hasSubgraph() {
        return attributes.values().stream().anyMatch(a -> a.hasG() || a.getGraphsCount() > 0);
    }

    /** Names of the attributes that are set. */
    public List<String> attributes() {
        return List.copyOf(attributes.keySet());
    }

    public Node with(String attribute, long value) {
        attributes.put(
                attribute,
                AttributeProto.newBuilder()
                        .setName(attribute)
                        .setType(AttributeType.INT)
                        .setI(value)
                        .build());
        return this;
    }

    public Node with(String attribute, long[] values) {
        AttributeProto.Builder proto =
                AttributeProto.newBuilder().setName(attribute).setType(AttributeType.INTS);
        Arrays.stream(values).forEach(proto::addInts);
        attributes.put(attribute, proto.build());
        return this;
    }

    public Node with(String attribute, float value) {
        attributes.put(
                attribute,
                AttributeProto.newBuilder()
                        .setName(attribute)
                        .setType(AttributeType.FLOAT)
                        .setF(value)
                        .build());
        return this;
    }

    public Node with(String attribute, String value) {
        attributes.put(
                attribute,
                AttributeProto.newBuilder()
                        .setName(attribute)
                        .setType(AttributeType.STRING)
                        .setS(ByteString.copyFromUtf8(value))
                        .build());
        return this;
    }

    public void remove(String attribute) {
        attributes.remove(attribute);
    }

    /** As messages show it: {@code Conv '/model.0/conv/Conv'}. */
    @Override
    public String toString() {
        return opType
                + (name.isEmpty()
                        ? " (unnamed, gives '" + String.join("', '", outputs) + "')"
                        : " '" + name + "'");
    }
}

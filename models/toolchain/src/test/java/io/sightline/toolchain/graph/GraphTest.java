// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.graph;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import io.sightline.events.testing.SharedFiles;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.ToolchainException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class GraphTest {

    @TempDir Path folder;

    private static Graph twoLayers() {
        Graph graph = new Graph("two layers", 13);
        graph.inputs().add(ValueInfo.of("in", ElementType.FLOAT, 1, 2));
        graph.outputs().add(ValueInfo.of("out", ElementType.FLOAT, 1, 2));
        // Behind what needs it, on purpose.
        graph.add("Relu", "second", List.of("middle"), "out");
        graph.add("Add", "", List.of("in", "shift"), "middle");
        graph.initializers().put("shift", Tensor.floats(new long[] {2}, -1, 1));
        return graph;
    }

    @Test
    void shouldWriteNodesInAnOrderThatRuns() {
        byte[] onnx = twoLayers().toBytes();
        assertThat(Graph.of(onnx).nodes()).extracting(Node::opType).containsExactly("Add", "Relu");
        try (GraphSession session = GraphSession.open(onnx, SessionSettings.reference(1))) {
            Map<String, Value> out =
                    session.run(TensorShapes.randomInputs(twoLayers(), 1, new Random(1)));
            assertThat(out.get("out").floats().get(0)).isZero();
            assertThat(out.get("out").floats().get(1)).isBetween(1f, 2f);
        }
    }

    @Test
    void shouldGiveTheShapeOfEveryTensor() {
        TensorShapes shapes = TensorShapes.of(twoLayers());
        assertThat(shapes.of("middle")).containsExactly(1, 2);
        assertThat(shapes.of("shift")).containsExactly(2);
        assertThat(shapes.of("nothing")).isNull();
    }

    @Test
    void shouldNameWhatHasNoName() {
        Graph graph = twoLayers();
        assertThat(graph.nameUnnamed()).isEqualTo(1);
        assertThat(graph.nodes()).extracting(Node::name).containsExactly("second", "Add_middle");
    }

    @Test
    void shouldDropWhatNoOutputNeeds() {
        Graph graph = twoLayers();
        graph.add("Relu", "idle", List.of("middle"), "unused");
        graph.initializers().put("spare", Tensor.scalar(1));
        assertThat(graph.removeUnused()).isEqualTo(1);
        assertThat(graph.nodes()).hasSize(2);
        assertThat(graph.initializers()).containsOnlyKeys("shift");
    }

    @Test
    void shouldRefuseAGraphThatIsNotWhole() {
        Graph missing = twoLayers();
        missing.initializers().clear();
        assertThatThrownBy(missing::validate)
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("takes 'shift', which nothing gives");

        Graph circle = twoLayers();
        circle.nodes().get(1).inputs().set(0, "out");
        assertThatThrownBy(circle::validate).hasMessageContaining("wait for each other");

        Graph doubled = twoLayers();
        doubled.add("Relu", "again", List.of("in"), "middle");
        assertThatThrownBy(doubled::validate).hasMessageContaining("several sources");
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() throws Exception {
        Path text = Files.writeString(folder.resolve("text.onnx"), "not a model");
        assertThatThrownBy(() -> Graph.read(text))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining(text.toString());
        byte[] onnx = twoLayers().toBytes();
        Path cut = Files.write(folder.resolve("cut.onnx"), Arrays.copyOf(onnx, 60));
        assertThatThrownBy(() -> Graph.read(cut)).hasMessageContaining("export or download");
        assertThatThrownBy(() -> Graph.read(folder.resolve("none.onnx")))
                .hasMessageContaining("cannot be read");
    }

    /** Of IR version 3: constants are listed among the inputs, and have to be. */
    @Test
    void shouldWriteWhatWasOfAnOldVersionAsOneThatHoldsTogether() throws Exception {
        ModelProto whole = ModelProto.parseFrom(new Graph("old", 9).toBytes());
        ModelProto written = ModelProto.parseFrom(twoLayers().toBytes());
        ModelProto.Builder old = written.toBuilder().setIrVersion(3);
        old.setOpsetImport(0, whole.getOpsetImport(0));
        old.getGraphBuilder()
                .addInput(written.getGraph().getInput(0).toBuilder().setName("shift").build());
        ModelProto again = ModelProto.parseFrom(Graph.of(old.build().toByteArray()).toBytes());
        assertThat(again.getGraph().getInputCount()).isEqualTo(1);
        assertThat(again.getIrVersion()).isEqualTo(4);
        ModelProto newer =
                ModelProto.parseFrom(
                        Graph.of(written.toBuilder().setIrVersion(3).build().toByteArray())
                                .toBytes());
        assertThat(newer.getIrVersion()).isEqualTo(7);
    }

    @Test
    void shouldReadConstantsInEveryForm() throws Exception {
        ModelProto.Builder model = ModelProto.parseFrom(twoLayers().toBytes()).toBuilder();
        model.getGraphBuilder().clearInitializer();
        model.getGraphBuilder()
                .addNode(
                        NodeProto.newBuilder()
                                .setOpType("Constant")
                                .addOutput("shift")
                                .addAttribute(
                                        AttributeProto.newBuilder()
                                                .setName("value_floats")
                                                .setType(AttributeProto.AttributeType.FLOATS)
                                                .addFloats(-1)
                                                .addFloats(1)));
        Graph graph = Graph.of(model.build().toByteArray());
        assertThat(graph.constant("shift")).isEqualTo(Tensor.floats(new long[] {2}, -1, 1));
    }

    @Test
    void shouldReadHalfPrecision() {
        ai.onnx.proto.OnnxMl.TensorProto half =
                ai.onnx.proto.OnnxMl.TensorProto.newBuilder()
                        .setDataType(ElementType.FLOAT16.number())
                        .addDims(4)
                        .addInt32Data(0x3C00)
                        .addInt32Data(0xC000)
                        .addInt32Data(0x0001)
                        .addInt32Data(0x7BFF)
                        .build();
        assertThat(Tensor.of(half).toFloats()).containsExactly(1f, -2f, 0x1p-24f, 65504f);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "yolov6-lite-s-320",
                "yolov5n-640",
                "yolov10n-640-dynamic-int8",
                "yolov8n-320-qdq-int8"
            })
    void shouldLeaveARealModelAsItIs(String model) throws Exception {
        Path file = SharedFiles.require("models/" + model + ".onnx");
        byte[] written = Graph.read(file).toBytes();
        Map<String, Value> inputs = TensorShapes.randomInputs(Graph.of(written), 1, new Random(1));
        try (GraphSession before =
                        GraphSession.open(Files.readAllBytes(file), SessionSettings.serving(2));
                GraphSession after = GraphSession.open(written, SessionSettings.serving(2))) {
            String output = before.outputs().get(0);
            assertThat(after.run(inputs).get(output).floats())
                    .isEqualTo(before.run(inputs).get(output).floats());
        }
    }
}

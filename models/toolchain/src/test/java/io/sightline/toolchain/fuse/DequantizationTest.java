// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.testing.SharedFiles;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.Tensor;
import io.sightline.toolchain.graph.ValueInfo;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DequantizationTest {

    private static final int OUT = 6;
    private static final int IN = 4;

    private final Random random = new Random(3);
    private final Graph graph = new Graph("dynamic", 13);

    private void integer(
            String opType, Tensor weight, Tensor zeroPoint, Tensor scale, String output) {
        graph.nodes()
                .add(
                        new Node(
                                "DynamicQuantizeLinear",
                                "quantize",
                                List.of("x"),
                                List.of("xq", "xs", "xz")));
        graph.add(
                opType,
                "layer_quant",
                List.of(
                        "xq",
                        graph.addConstant("w", weight),
                        "xz",
                        graph.addConstant("wz", zeroPoint)),
                "sum");
        graph.add("Cast", "cast", List.of("sum"), "float").with("to", 1);
        graph.add("Mul", "scales", List.of("xs", graph.addConstant("ws", scale)), "scale");
        graph.add("Mul", "scaled", List.of("float", "scale"), output);
    }

    private Tensor bytes(ElementType type, long... dims) {
        int size = 1;
        for (long dim : dims) {
            size *= (int) dim;
        }
        byte[] bytes = new byte[size];
        random.nextBytes(bytes);
        return Tensor.bytes(type, dims, bytes);
    }

    private static Tensor scales(long[] dims, int size) {
        float[] scales = new float[size];
        for (int i = 0; i < size; i++) {
            scales[i] = 0.001f * (i + 1);
        }
        return Tensor.floats(dims, scales);
    }

    private void maps() {
        graph.inputs().add(ValueInfo.of("x", ElementType.FLOAT, 1, IN, 5, OUT));
        graph.outputs().add(ValueInfo.untyped("y"));
    }

    @ParameterizedTest
    @CsvSource({"INT8, false", "UINT8, false", "INT8, true"})
    void shouldTurnAConvIntegerBack(ElementType type, boolean perChannel) {
        maps();
        Tensor scale = perChannel ? scales(new long[] {OUT, 1, 1}, OUT) : Tensor.scalar(0.01f);
        Tensor zeroPoint =
                Tensor.bytes(type, new long[0], (byte) (type == ElementType.INT8 ? 0 : 90));
        Tensor weight = bytes(type, OUT, IN, 3, 3);
        integer("ConvInteger", weight, zeroPoint, scale, "scaled");
        graph.nodes().get(1).with("pads", new long[] {1, 1, 1, 1});
        // The bias, in the form that the tools write it.
        graph.initializers().put("b", scales(new long[] {OUT}, OUT));
        graph.initializers().put("bs", Tensor.longs(1, -1, 1, 1));
        graph.add("Reshape", "", List.of("b", "bs"), "bias");
        graph.add("Add", "bias_add", List.of("scaled", "bias"), "y");
        FuseResult result = Fuser.fuse(graph, true);
        assertThat(result.graph().nodes())
                .singleElement()
                .satisfies(
                        conv -> {
                            assertThat(conv.toString()).isEqualTo("Conv 'layer'");
                            assertThat(conv.output()).isEqualTo("y");
                            assertThat(result.graph().constant(conv.input(2)).dims())
                                    .containsExactly(OUT);
                            float last =
                                    result.graph()
                                            .constant(conv.input(1))
                                            .toFloats()[OUT * IN * 9 - 1];
                            long quantised = weight.toLongs()[OUT * IN * 9 - 1];
                            assertThat(last)
                                    .isEqualTo(
                                            (float)
                                                    ((quantised - zeroPoint.toLongs()[0])
                                                            * (double)
                                                                    (perChannel ? 0.006f : 0.01f)));
                        });
        // Activations of 8 bits are half a 255th off.
        assertThat(result.dequantizeDeviation().orElseThrow()).isBetween(1e-6, 0.02);
        assertThat(result.worstRelativeError()).isLessThan(1e-5);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldTurnAMatMulIntegerBack(boolean perChannel) {
        graph.inputs().add(ValueInfo.of("x", ElementType.FLOAT, 1, 5, IN));
        graph.outputs().add(ValueInfo.untyped("y"));
        integer(
                "MatMulInteger",
                bytes(ElementType.INT8, IN, OUT),
                Tensor.bytes(ElementType.INT8, new long[0], (byte) 0),
                perChannel ? scales(new long[] {OUT}, OUT) : Tensor.scalar(0.01f),
                "y");
        FuseResult result = Fuser.fuse(graph, true);
        assertThat(result.graph().nodes()).extracting(Node::opType).containsExactly("MatMul");
        assertThat(result.dequantizeDeviation().orElseThrow()).isBetween(1e-6, 0.02);
    }

    @Test
    void shouldSayWhatItCannotTurnBack() {
        maps();
        integer(
                "ConvInteger",
                bytes(ElementType.INT8, OUT, IN, 1, 1),
                Tensor.bytes(ElementType.INT8, new long[0], (byte) 0),
                // Along the width.
                scales(new long[] {OUT}, OUT),
                "y");
        FuseResult result = Fuser.fuse(graph, true);
        assertThat(result.graph().nodes()).extracting(Node::opType).contains("ConvInteger");
        assertThat(result.passes().get(0).left())
                .containsExactly(
                        new PassReport.Left(
                                "ConvInteger 'layer_quant'",
                                "the scales of its weights are not one, or one a channel"));
        assertThat(result.dequantizeDeviation()).isEmpty();
    }

    @Test
    void shouldTurnARealDetectorBack() throws Exception {
        Graph dynamic = Graph.read(SharedFiles.require("models/yolov10n-640-dynamic-int8.onnx"));
        FuseResult result = Fuser.fuse(dynamic, true);
        assertThat(result.graph().nodes())
                .extracting(Node::opType)
                .doesNotContain("ConvInteger", "DynamicQuantizeLinear");
        assertThat(result.graph().nodes().stream().filter(node -> node.is("Conv"))).hasSize(83);
        PassReport report = result.passes().get(0);
        assertThat(report.matches()).isEqualTo(83);
        assertThat(report.left()).isEmpty();
        assertThat(result.worstRelativeError()).isLessThanOrEqualTo(Proof.TOLERANCE);
    }
}

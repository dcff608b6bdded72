// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.GraphSession.Value;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.graph.ElementType;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.Node;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class Opset13Test {

    private static final long[] SHAPE = {1, 4, 6, 2};

    private Graph graph = new Graph("old", 12);

    private Node add(String opType, String output) {
        return graph.add(opType, opType + "_" + output, List.of("in"), output);
    }

    private void ends(String... outputs) {
        graph.inputs().add(ValueInfo.of("in", ElementType.FLOAT, SHAPE));
        for (String output : outputs) {
            graph.outputs().add(ValueInfo.untyped(output));
        }
    }

    private static Map<String, Value> run(Graph graph) {
        try (GraphSession session =
                GraphSession.open(graph.toBytes(), SessionSettings.reference(1))) {
            return session.run(TensorShapes.randomInputs(graph, 1, new Random(7)));
        }
    }

    @Test
    void shouldComputeTheSame() {
        add("Squeeze", "squeezed").with("axes", new long[] {0});
        add("Squeeze", "all_squeezed");
        add("Unsqueeze", "unsqueezed").with("axes", new long[] {0, 3});
        add("ReduceSum", "sum").with("axes", new long[] {1, 2}).with("keepdims", 0);
        add("ReduceSum", "total");
        add("Split", "part").with("axis", 1).with("split", new long[] {1, 3}).outputs().add("rest");
        add("Split", "half").with("axis", 2).outputs().add("other");
        add("Softmax", "plain");
        add("Softmax", "last").with("axis", 3);
        add("Softmax", "inner").with("axis", 2);
        add("LogSoftmax", "minus_one").with("axis", -1);
        add("LogSoftmax", "minus_two").with("axis", -2);
        add("Hardmax", "hard");
        add("Dropout", "kept");
        String[] outputs =
                graph.nodes().stream().flatMap(n -> n.outputs().stream()).toArray(String[]::new);
        ends(outputs);
        Map<String, Value> expected = run(graph);

        Graph raised = Opset13.raised(graph);

        assertThat(raised.opset()).isEqualTo(13);
        assertThat(graph.opset()).isEqualTo(12);
        Map<String, Value> found = run(raised);
        for (String output : outputs) {
            assertThat(found.get(output).shape())
                    .as(output)
                    .isEqualTo(expected.get(output).shape());
            assertThat(found.get(output).floats())
                    .as(output)
                    .isEqualTo(expected.get(output).floats());
        }
        assertThat(raised.nodes().stream().filter(node -> node.is("Flatten"))).hasSize(4);
    }

    @Test
    void shouldTakeDropoutsOfOpset11() {
        graph = new Graph("old", 11);
        add("Dropout", "out").with("ratio", 0.3f);
        ends("out");
        assertThat(run(Opset13.raised(graph)).get("out").floats())
                .isEqualTo(run(graph).get("out").floats());
    }

    @Test
    void shouldLeaveNewerOnesAndRefuseOlderOnes() {
        Graph newer = new Graph("new", 14);
        assertThat(Opset13.raised(newer)).isSameAs(newer);
        assertThatThrownBy(() -> Opset13.raised(new Graph("old", 10)))
                .isInstanceOf(ToolchainException.class)
                .hasMessage(
                        "is of opset 10: expected 11 or newer, of which quantisation makes 13: export it again, with --opset 13");
    }
}

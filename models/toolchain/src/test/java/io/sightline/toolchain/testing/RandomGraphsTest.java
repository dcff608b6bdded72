// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo;
import java.util.HashSet;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class RandomGraphsTest {

    @Property(tries = 100)
    void shouldRunAndKeepToTheShapeItStates(@ForAll long seed) {
        Graph graph = RandomGraphs.of(seed);
        assertThat(graph.toBytes()).isEqualTo(RandomGraphs.of(seed).toBytes());
        ValueInfo output = graph.outputs().get(0);
        assertThat(TensorShapes.of(graph).of("outputs"))
                .containsExactly(output.dims().stream().mapToLong(ValueInfo.Dim::size).toArray());
    }

    @Test
    void shouldHaveEveryKindOfLayerSomewhere() {
        Set<String> operators = new HashSet<>();
        for (long seed = 0; seed < 60; seed++) {
            RandomGraphs.of(seed).nodes().forEach(node -> operators.add(node.opType()));
        }
        assertThat(operators)
                .contains(
                        "Conv",
                        "BatchNormalization",
                        "Relu",
                        "Sigmoid",
                        "Mul",
                        "Add",
                        "Sub",
                        "Concat",
                        "MaxPool",
                        "Resize",
                        "ConvTranspose",
                        "Identity",
                        "Split");
    }
}

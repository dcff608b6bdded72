// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.GraphTensor.ElementType;
import io.sightline.inference.InferenceException;
import org.junit.jupiter.api.Test;

class TensorPortTest {

    @Test
    void shouldKnowTheSizeOfARow() {
        TensorPort pairs = new TensorPort("out", ElementType.FLOAT32, new int[] {300, 6});
        assertThat(pairs.rowValues()).isEqualTo(1_800);
        assertThat(pairs.rowBytes()).isEqualTo(7_200);
        assertThat(pairs.shape(8)).containsExactly(8, 300, 6);
        assertThat(new TensorPort("n", ElementType.INT64, new int[] {1}).rowBytes()).isEqualTo(8);
        assertThat(new TensorPort("i", ElementType.UINT8, new int[] {2, 2, 3}).rowBytes())
                .isEqualTo(12);
    }

    @Test
    void shouldRefuseSizesThatDependOnThePicture() {
        assertThatThrownBy(() -> new TensorPort("boxes", ElementType.FLOAT32, new int[] {-1, 4}))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("'boxes'")
                .hasMessageContaining("depends on the picture");
    }

    @Test
    void shouldRefuseTypesThatCannotBeRead() {
        assertThatThrownBy(() -> new TensorPort("out", ElementType.FLOAT16, new int[] {4}))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("'out' is of float16: expected uint8, float32");
    }
}

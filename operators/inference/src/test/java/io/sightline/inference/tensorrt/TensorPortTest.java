// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.GraphTensor.ElementType;
import io.sightline.inference.InferenceException;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
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

    @Test
    void shouldNarrowWhatFits() {
        TensorPort port = new TensorPort("num", ElementType.INT64, new int[] {2});
        IntBuffer ints = IntBuffer.allocate(4);
        port.narrow(LongBuffer.wrap(new long[] {1, -2, 3, 4L << 40}), 3, ints);
        assertThat(ints.array()).containsExactly(1, -2, 3, 0);
        assertThatThrownBy(() -> port.narrow(LongBuffer.wrap(new long[] {4L << 40}), 1, ints))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("'num' holds 4398046511104");
    }
}

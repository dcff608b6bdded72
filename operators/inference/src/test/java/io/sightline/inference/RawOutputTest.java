// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.IntBuffer;
import java.nio.LongBuffer;
import org.junit.jupiter.api.Test;

class RawOutputTest {

    @Test
    void shouldNarrowWhatFits() {
        IntBuffer ints = IntBuffer.allocate(4);
        RawOutput.narrow("num", LongBuffer.wrap(new long[] {1, -2, 3, 4L << 40}), 3, ints);
        assertThat(ints.array()).containsExactly(1, -2, 3, 0);
        LongBuffer large = LongBuffer.wrap(new long[] {4L << 40});
        assertThatThrownBy(() -> RawOutput.narrow("num", large, 1, ints))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("'num' holds 4398046511104");
    }
}

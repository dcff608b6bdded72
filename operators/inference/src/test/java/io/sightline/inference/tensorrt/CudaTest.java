// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CudaTest {

    @ParameterizedTest
    @ValueSource(ints = {700, 702, 710, 714, 715, 716, 717, 718, 719})
    void shouldKnowWhatOnlyANewProcessMends(int status) {
        assertThat(Cuda.endsProcess(status)).isTrue();
    }

    /** Success, a wrong argument, no memory, no device, out of resources, unknown. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 100, 701, 999})
    void shouldLeaveTheRestToARestartOfTheJob(int status) {
        assertThat(Cuda.endsProcess(status)).isFalse();
    }
}

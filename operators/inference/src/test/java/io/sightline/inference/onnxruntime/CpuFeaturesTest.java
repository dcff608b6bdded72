// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CpuFeaturesTest {

    private static CpuFeatures withFlags(String flags) {
        return CpuFeatures.parse(
                """
                processor\t: 0
                model name\t: Some CPU @ 2.0GHz
                flags\t\t: %s
                processor\t: 1
                """
                        .formatted(flags));
    }

    @Test
    void shouldTellVnni() {
        CpuFeatures with = withFlags("fpu sse2 avx2 avx512_vnni");
        assertThat(with.model()).isEqualTo("Some CPU @ 2.0GHz");
        assertThat(with.hasVnni()).isTrue();
        assertThat(with.lacksVnni()).isFalse();
        assertThat(with.int8Instructions()).isEqualTo("avx512_vnni");
        assertThat(withFlags("fpu sse2 avx2 avx_vnni").hasVnni()).isTrue();

        CpuFeatures without = withFlags("fpu sse2 avx2");
        assertThat(without.lacksVnni()).isTrue();
        assertThat(without.int8Instructions()).isEqualTo("avx2");
    }

    @Test
    void shouldClaimNothingOfAProcessorThatDoesNotTell() {
        CpuFeatures silent = CpuFeatures.parse("");
        assertThat(silent.lacksVnni()).isFalse();
        assertThat(silent.hasVnni()).isFalse();
        assertThat(silent.int8Instructions()).isEqualTo("unknown");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class AgreementTest {

    private static Agreement of(float[] truth, float[] values) {
        Agreement agreement = new Agreement();
        agreement.add(FloatBuffer.wrap(truth), FloatBuffer.wrap(values));
        return agreement;
    }

    @Test
    void shouldMeasureWhatHandsCanCompute() {
        Agreement agreement = of(new float[] {3, 4, 0, 0}, new float[] {3, 3, 1, 0});
        assertThat(agreement.mse()).isEqualTo(0.5);
        assertThat(agreement.snr()).isCloseTo(10 * Math.log10(12.5), within(1e-12));
        assertThat(agreement.cosine()).isCloseTo(21 / (5 * Math.sqrt(19)), within(1e-12));
    }

    @Test
    void shouldGatherOverTensorsOfAnySize() {
        Agreement parts = of(new float[] {3}, new float[] {3});
        parts.add(FloatBuffer.wrap(new float[] {4, 0, 0}), FloatBuffer.wrap(new float[] {3, 1, 0}));
        Agreement whole = of(new float[] {3, 4, 0, 0}, new float[] {3, 3, 1, 0});
        assertThat(parts.mse()).isEqualTo(whole.mse());
        assertThat(parts.snr()).isEqualTo(whole.snr());
        assertThat(parts.cosine()).isEqualTo(whole.cosine());
    }

    @Test
    void shouldNotDependOnTheScaleInSnrAndCosine() {
        Agreement small = of(new float[] {1, -2, 3}, new float[] {1.5f, -2, 2.5f});
        Agreement large = of(new float[] {64, -128, 192}, new float[] {96, -128, 160});
        assertThat(large.snr()).isCloseTo(small.snr(), within(1e-9));
        assertThat(large.cosine()).isCloseTo(small.cosine(), within(1e-12));
        assertThat(large.mse()).isCloseTo(64 * 64 * small.mse(), within(1e-9));
    }

    @Test
    void shouldHaveAnAnswerForNothingAndForZeros() {
        assertThat(new Agreement().mse()).isZero();
        assertThat(new Agreement().cosine()).isEqualTo(1);
        Agreement equal = of(new float[] {0, 0}, new float[] {0, 0});
        assertThat(equal.snr()).isEqualTo(Double.POSITIVE_INFINITY);
        assertThat(equal.cosine()).isEqualTo(1);
        Agreement vanished = of(new float[] {1, 2}, new float[] {0, 0});
        assertThat(vanished.snr()).isZero();
        assertThat(vanished.cosine()).isZero();
        Agreement invented = of(new float[] {0, 0}, new float[] {1, 2});
        assertThat(invented.snr()).isEqualTo(Double.NEGATIVE_INFINITY);
        assertThat(invented.cosine()).isZero();
        assertThat(of(new float[] {1, 2}, new float[] {-1, -2}).cosine())
                .isCloseTo(-1, within(1e-12));
    }

    @Test
    void shouldRefuseTensorsOfDifferentSizes() {
        assertThatThrownBy(() -> of(new float[] {1, 2}, new float[] {1}))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("2 true values, 1");
    }
}

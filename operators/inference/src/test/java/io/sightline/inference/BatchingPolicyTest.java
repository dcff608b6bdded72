// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BatchingPolicyTest {

    private static final BatchingPolicy FIVE_MS = new BatchingPolicy(Duration.ofMillis(5));

    @Test
    void shouldWaitForAnEventWhileNothingIsCommitted() {
        assertThat(FIVE_MS.nanosUntilDispatch(100, 0, 0, true))
                .isEqualTo(BatchingPolicy.UNTIL_NEXT_EVENT);
    }

    @Test
    void shouldDispatchAtOnceWithoutDelay() {
        assertThat(BatchingPolicy.IMMEDIATE.nanosUntilDispatch(100, 1, 100, false)).isZero();
    }

    @Test
    void shouldCountTheDelayFromTheOldestFrame() {
        assertThat(FIVE_MS.nanosUntilDispatch(2_000_000, 3, 1_000_000, false)).isEqualTo(4_000_000);
        assertThat(FIVE_MS.nanosUntilDispatch(6_000_000, 3, 1_000_000, false)).isZero();
    }

    @Test
    void shouldNotWaitWhenSomebodyWaitsForTheFrames() {
        assertThat(FIVE_MS.nanosUntilDispatch(1, 1, 0, true)).isZero();
    }

    @Test
    void shouldSurviveAClockThatWrapsAround() {
        long oldest = Long.MAX_VALUE - 10;
        assertThat(FIVE_MS.nanosUntilDispatch(oldest + 1_000_000, 1, oldest, false))
                .isEqualTo(4_000_000);
    }

    @Test
    void shouldRefuseANegativeDelay() {
        assertThatThrownBy(() -> new BatchingPolicy(Duration.ofMillis(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("PT-0.001S");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class PaceTest {

    @Test
    void shouldFollowTheTimesOfTheVideo() {
        Pace.Schedule schedule = Pace.asFilmed().schedule(1000, 1e9 / 40);
        assertThat(schedule.dueNanos(5)).isEqualTo(1000);
        assertThat(schedule.dueNanos(45)).isEqualTo(1040);
        assertThat(schedule.dueNanos(145)).isEqualTo(1140);
    }

    @Test
    void shouldGoOnOneStepLaterWhereTheVideoBeginsAnew() {
        Pace.Schedule schedule = Pace.asFilmed().schedule(1000, 1e9 / 40);
        schedule.dueNanos(0);
        schedule.dueNanos(40);
        assertThat(schedule.dueNanos(0)).isEqualTo(1080);
        assertThat(schedule.dueNanos(40)).isEqualTo(1120);
    }

    @Test
    void shouldGoOnOneStepLaterWhereAVideoOfOnePictureBeginsAnew() {
        Pace.Schedule schedule = Pace.asFilmed().schedule(1000, 1e9 / 40);
        assertThat(schedule.dueNanos(7)).isEqualTo(1000);
        assertThat(schedule.dueNanos(7)).isEqualTo(1040);
    }

    @Test
    void shouldGoOnOneStepLaterWhereTheTimesJump() {
        Pace.Schedule schedule = Pace.asFilmed().schedule(0, 25);
        schedule.dueNanos(0);
        assertThat(schedule.dueNanos(5_000_000_000L)).isEqualTo(5_000_000_000L);
        assertThat(schedule.dueNanos(3_600_000_000_000L)).isEqualTo(5_040_000_000L);
        assertThat(schedule.dueNanos(3_600_040_000_000L)).isEqualTo(5_080_000_000L);
    }

    @Test
    void shouldFollowVideosOfFewPictures() {
        Pace.Schedule schedule = Pace.asFilmed().schedule(0, 0.1);
        schedule.dueNanos(0);
        assertThat(schedule.dueNanos(10_000_000_000L)).isEqualTo(10_000_000_000L);
    }

    @Test
    void shouldKeepAGivenRateWithoutDrift() {
        Pace.Schedule schedule = Pace.fps(30).schedule(0, 25);
        long last = 0;
        for (int i = 0; i <= 3000; i++) {
            last = schedule.dueNanos(i * 40_000_000L);
        }
        assertThat(last).isEqualTo(100_000_000_000L);
    }

    @Test
    void shouldBeDueAtOnceWithoutLimit() {
        Pace.Schedule schedule = Pace.unlimited().schedule(1000, 25);
        assertThat(schedule.dueNanos(0)).isEqualTo(1000);
        assertThat(schedule.dueNanos(1_000_000_000)).isEqualTo(1000);
    }

    @Test
    void shouldRefuseRatesThatAreNone() {
        for (double rate : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            assertThatThrownBy(() -> Pace.fps(rate))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("expected a number above 0");
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class LoadTest {

    @Test
    void shouldPlayTheUsualLoadWhereTheMachineCarriesItWithRoomToSpare() {
        Load load = Load.decide(null, null, 100);
        assertThat(load).isEqualTo(new Load(4, 5, false, 100));
        assertThat(load).hasToString("this machine carries 100 frames/s; 4 cameras at 5 frames/s");
    }

    @Test
    void shouldLowerTheRateOfTheUsualCamerasWhereItDoesNot() {
        Load load = Load.decide(null, null, 22);
        assertThat(load.cameras()).isEqualTo(4);
        assertThat(load.framesPerSecond()).isCloseTo(3.8, within(1e-9));
        assertThat(load)
                .hasToString(
                        "this machine carries 22 frames/s; 4 cameras at 3.8 frames/s instead of 5, so that none has to wait");
    }

    @Property
    void shouldNeverPlayMoreThanAMachineCarriesUnlessAsked(
            @ForAll @DoubleRange(min = 0.6, max = 1000) double carried) {
        Load load = Load.decide(null, null, carried);
        assertThat(load.cameras() * load.framesPerSecond()).isLessThan(carried);
        assertThat(load.framesPerSecond()).isBetween(0.1, 5.0);
        assertThat(load.lowered()).isEqualTo(load.framesPerSecond() < 5);
    }

    @Test
    void shouldKeepTheSlowestRateOnAMachineThatCarriesNothing() {
        assertThat(Load.decide(null, null, 0.01).framesPerSecond()).isEqualTo(0.1);
    }

    @Test
    void shouldTakeWhatIsAskedForAndSayWhenItIsTooMuch() {
        assertThat(Load.decide(8, null, 100)).isEqualTo(new Load(8, 5, false, 100));
        assertThat(Load.decide(null, 2.5, 100)).isEqualTo(new Load(4, 2.5, false, 100));
        assertThat(Load.decide(8, 15.0, 22.4))
                .isEqualTo(new Load(8, 15, false, 22.4))
                .hasToString(
                        "this machine carries 22.4 frames/s; 8 cameras at 15 frames/s, 120 in all, are more: they will have to wait");
        assertThat(Load.decide(1, 1.0, 22))
                .hasToString("this machine carries 22 frames/s; 1 camera at 1 frames/s");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TrueObjectTest {

    private static TrueObject object(double height, double occluded, double outside) {
        return new TrueObject(1, ObjectClass.CAR, 10, 20, 50, 20 + height, occluded, outside);
    }

    @Test
    void shouldCountWhatADetectorCanBeExpectedToFind() {
        assertThat(object(24, 0.6, 0.5).counts(0.5)).isTrue();
        assertThat(object(23.9, 0, 0).counts(0.5)).isFalse();
        assertThat(object(100, 0.61, 0).counts(0.5)).isFalse();
        assertThat(object(100, 0, 0.51).counts(0.5)).isFalse();
    }

    @Test
    void shouldNumberClassesInTheirOrder() {
        assertThat(ObjectClass.values())
                .extracting(ObjectClass::id)
                .containsExactly(0, 1, 2, 3, 4, 5);
        assertThat(ObjectClass.MOTORCYCLE.label()).isEqualTo("motorcycle");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BatchProfilesTest {

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "1; 1",
                "2; 1,2",
                "8; 1,2-8",
                "9; 1,2-8,9",
                "32; 1,2-8,9-32",
                "64; 1,2-8,9-32,33-64"
            })
    void shouldTuneForOneAndEightAndThirtyTwoAndTheLargest(int maxBatch, String profiles) {
        assertThat(BatchProfiles.upTo(maxBatch)).hasToString(profiles);
    }

    @Property
    void shouldHaveExactlyOneProfileForEveryBatch(
            @ForAll @IntRange(min = 1, max = 300) int maxBatch) {
        BatchProfiles profiles = BatchProfiles.upTo(maxBatch);
        assertThat(profiles.maxBatch()).isEqualTo(maxBatch);
        for (int frames = 1; frames <= maxBatch; frames++) {
            int batch = frames;
            assertThat(profiles.ranges())
                    .filteredOn(range -> range.min() <= batch && batch <= range.max())
                    .containsExactly(profiles.ranges().get(profiles.indexFor(frames)));
        }
    }

    @Test
    void shouldRefuseBatchesThatThereAreNot() {
        BatchProfiles profiles = BatchProfiles.upTo(8);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> profiles.indexFor(9))
                .withMessageContaining("maxBatch=8");
        assertThatIllegalArgumentException().isThrownBy(() -> profiles.indexFor(0));
        assertThatIllegalArgumentException().isThrownBy(() -> BatchProfiles.upTo(0));
    }
}

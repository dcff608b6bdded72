// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class EventIdTest {

    private static final String MODEL = "0123456789abcdef".repeat(4);

    @Test
    void shouldBeTheFirstHalfOfTheSha256OfItsParts() {
        // printf 'camera-frames\n0\n991\n0123…' | sha256sum | cut -c 1-32
        assertThat(EventId.of("camera-frames", 0, 991, MODEL))
                .isEqualTo("0f471cd27493be34172b71d3c70c2ea5");
    }

    @Test
    void shouldDifferWhereAnyPartDiffers() {
        assertThat(
                        new String[] {
                            EventId.of("a", 1, 1, MODEL),
                            EventId.of("b", 1, 1, MODEL),
                            EventId.of("a", 2, 1, MODEL),
                            EventId.of("a", 1, 2, MODEL),
                            EventId.of("a", 11, 1, MODEL),
                            EventId.of("a", 1, 11, MODEL),
                            EventId.of("a", 1, 1, MODEL + "0")
                        })
                .doesNotHaveDuplicates()
                .allMatch(id -> id.matches("[0-9a-f]{32}"));
    }
}

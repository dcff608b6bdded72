// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The page without a broker. */
@Timeout(60)
class LiveViewTest {

    @Test
    void shouldLeaveNothingBehindWhereItCannotServe() throws Exception {
        try (LiveView first = start(HttpEndpoint.loopback(0))) {
            HttpEndpoint taken = HttpEndpoint.loopback(first.uri().getPort());
            assertThatThrownBy(() -> start(taken)).isInstanceOf(IOException.class);
            assertThatThrownBy(() -> start(new HttpEndpoint("192.0.2.1", 0, Set.of(), null)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("192.0.2.1:0");
            assertThat(threads("live-topics")).isEqualTo(1);
        }
        assertThat(threads("live-topics")).isZero();
        assertThat(threads("live-status")).isZero();
    }

    @Test
    void shouldSayWhereItIs() throws Exception {
        try (LiveView everywhere = start(new HttpEndpoint("0.0.0.0", 0, Set.of(), null))) {
            assertThat(everywhere.uri().getHost()).isEqualTo("localhost");
            assertThat(everywhere.uri().getPort()).isPositive();
        }
    }

    private static LiveView start(HttpEndpoint endpoint) throws IOException {
        return LiveView.start(
                Map.of("bootstrap.servers", "127.0.0.1:9"),
                new Topics("a", "b", "c", "d"),
                new WindowLimits(10, 1 << 20, 4, Duration.ofSeconds(2)),
                endpoint);
    }

    private static long threads(String name) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(name))
                .count();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class StopSignalsTest {

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM"})
    void shouldTakeASignalAsAWish(String name) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        try (StopSignals signals = StopSignals.to(asked::countDown)) {
            raise(name);
            assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
        }
    }

    @Test
    void shouldGiveTheSignalsBack() throws Exception {
        CountDownLatch outer = new CountDownLatch(1);
        CountDownLatch inner = new CountDownLatch(1);
        try (StopSignals first = StopSignals.to(outer::countDown)) {
            StopSignals.to(inner::countDown).close();
            raise("INT");
            assertThat(outer.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(inner.getCount()).isEqualTo(1);
        }
    }

    /** Raises it, unless the process was started with it ignored, as a shell does with `&`. */
    private static void raise(String name) throws Exception {
        assumeFalse(ignored(name), "this process ignores SIG" + name);
        Class<?> signal = Class.forName("sun.misc.Signal");
        signal.getMethod("raise", signal)
                .invoke(null, signal.getConstructor(String.class).newInstance(name));
    }

    private static boolean ignored(String name) throws IOException {
        int number = Map.of("HUP", 1, "INT", 2, "TERM", 15).get(name);
        try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
            return lines.filter(line -> line.startsWith("SigIgn:"))
                    .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                    .anyMatch(mask -> (mask >> (number - 1) & 1) == 1);
        }
    }
}

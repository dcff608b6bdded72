// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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

    private static void raise(String name) throws Exception {
        Class<?> signal = Class.forName("sun.misc.Signal");
        signal.getMethod("raise", signal)
                .invoke(null, signal.getConstructor(String.class).newInstance(name));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision.benchmark;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Keeps the benchmarks running; what they measure here says nothing. */
class BenchmarksTest {

    @Test
    void shouldRun() throws RunnerException {
        assertThat(
                        new Runner(
                                        new OptionsBuilder()
                                                .include("io.sightline.vision.benchmark")
                                                .mode(Mode.SingleShotTime)
                                                .warmupIterations(0)
                                                .measurementIterations(1)
                                                .forks(0)
                                                .shouldFailOnError(true)
                                                .verbosity(VerboseMode.SILENT)
                                                .build())
                                .run())
                .hasSize(12 + 9 + 6);
    }
}

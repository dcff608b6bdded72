// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SoakTest {

    @Test
    void shouldReadWhatThisProcessHolds() throws Exception {
        ProcessSample sample = ProcessSample.of(ProcessHandle.current().pid());
        assertThat(sample.residentBytes()).isBetween(10L << 20, 100L << 30);
        assertThat(sample.handles()).isPositive();
        assertThat(sample.threads()).isGreaterThan(1);
    }

    @Test
    void shouldHoldTheLastFifthAgainstTheSecond() {
        // Two samples a fifth; the first fifth, of the warm-up, is left out.
        List<Soak.Sample> samples =
                IntStream.range(0, 10)
                        .mapToObj(
                                i ->
                                        new Soak.Sample(
                                                2,
                                                i < 2 ? 1 : i < 8 ? 100 : 97,
                                                0,
                                                new ProcessSample(
                                                        (i < 8 ? 1000L : 1030L) << 20,
                                                        50 + i / 8,
                                                        7)))
                        .toList();
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        Soak.summarize(new PrintStream(said, true, StandardCharsets.UTF_8), samples);
        assertThat(said.toString(StandardCharsets.UTF_8).lines())
                .contains(
                        "| frames/s | 50.0 | 48.5 | -3.0% |",
                        "| resident MiB | 1000.0 | 1030.0 | +3.0% |",
                        "| handles | 50.0 | 51.0 | +2.0% |",
                        "| threads | 7.0 | 7.0 | +0.0% |",
                        "Resident after the warm-up: 1000 to 1030 MiB.");
    }
}

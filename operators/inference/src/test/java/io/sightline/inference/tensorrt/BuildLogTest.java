// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** What a user sees of a build: that it goes on, and why it failed. */
class BuildLogTest {

    @Test
    void shouldGiveASignOfLifeNowAndThen() {
        AtomicLong seconds = new AtomicLong(1_000);
        List<String> lines = new ArrayList<>();
        BuildProgress progress =
                new BuildProgress(
                        "yolov6s for sm_75, int8",
                        () -> TimeUnit.SECONDS.toNanos(seconds.get()),
                        lines::add);
        for (int second = 0; second <= 25; second++) {
            seconds.set(1_000 + second);
            progress.heard();
            progress.heard();
        }
        assertThat(lines)
                .containsExactly(
                        "building yolov6s for sm_75, int8: 10 s",
                        "building yolov6s for sm_75, int8: 20 s");
    }

    @Test
    void shouldTellTheParsersProblemsInOneLine() {
        assertThat(
                        ParserProblem.describe(
                                List.of(
                                        new ParserProblem("Conv", "/stem/Conv", "no\n weights"),
                                        new ParserProblem("NonZero", "", "not supported"),
                                        new ParserProblem("", "", "bad model"),
                                        new ParserProblem("If", "a", "b"),
                                        new ParserProblem("If", "c", "d"))))
                .isEqualTo(
                        "Conv '/stem/Conv': no weights; NonZero: not supported; bad model; and 2 more");
        assertThat(ParserProblem.describe(List.of())).isEqualTo("it does not say why");
    }
}

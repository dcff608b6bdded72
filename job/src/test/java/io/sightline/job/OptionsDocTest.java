// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Model.OptionSpec;

/** Holds {@code docs/options.md} to the options there are. */
class OptionsDocTest {

    private static final Path PAGE = Path.of("..", "docs", "options.md");
    private static final Path EXPECTED = Path.of("target", "options.md");

    @Test
    void shouldDescribeEveryOptionOfTheJob() throws Exception {
        String expected = page();
        Files.createDirectories(EXPECTED.getParent());
        Files.writeString(EXPECTED, expected);

        assertThat(Files.readString(PAGE))
                .as("docs/options.md is out of date: copy job/%s over it", EXPECTED)
                .isEqualTo(expected);
    }

    private static String page() {
        CommandLine commandLine = OptionTypes.register(new CommandLine(new DetectionOptions()));
        return """
                # Options of the job

                What `./sightline run` and `flink run … sightline-job.jar` take. Each may also stand in a file named by `--options`, \
                a line `name=value` each, without the dashes; flags win over the file. All of them are checked together before \
                anything starts.

                | option | default | meaning |
                |---|---|---|
                """
                + commandLine.getCommandSpec().options().stream()
                        .map(OptionsDocTest::row)
                        .collect(Collectors.joining());
    }

    private static String row(OptionSpec option) {
        String defaultValue =
                option.required()
                        ? "(required)"
                        : option.defaultValue() == null ? "" : "`" + option.defaultValue() + "`";
        return "| `%s %s` | %s | %s |%n"
                .formatted(
                        option.longestName(),
                        option.paramLabel().replace("|", "\\|"),
                        defaultValue,
                        String.join(" ", option.description()).replace("|", "\\|"));
    }
}

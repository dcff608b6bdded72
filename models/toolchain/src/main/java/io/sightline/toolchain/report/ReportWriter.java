// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.report.QuantizeReport.Accuracy;
import io.sightline.toolchain.report.QuantizeReport.Difference;
import io.sightline.toolchain.report.QuantizeReport.Gate;
import io.sightline.toolchain.report.QuantizeReport.TargetResult;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A report as JSON for programs, as one page of HTML for people, and as a few lines for a terminal.
 * The page holds the JSON and everything that it takes to draw it: it needs no other file and no
 * network.
 */
public final class ReportWriter {

    /** Names in the folder that a report is written to. */
    public static final String JSON_NAME = "report.json";

    public static final String HTML_NAME = "report.html";

    private static final ObjectMapper JSON =
            JsonMapper.builder()
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private ReportWriter() {}

    /**
     * Writes both files.
     *
     * @throws ToolchainException if the folder cannot be written to
     */
    public static void write(QuantizeReport report, Path folder) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ToolchainException("report " + folder + ": cannot be written: " + e, e);
        }
        write(folder.resolve(JSON_NAME), toJson(report) + "\n");
        writeHtml(report, folder.resolve(HTML_NAME));
    }

    /**
     * @throws ToolchainException if the file cannot be written
     */
    public static void writeHtml(QuantizeReport report, Path file) {
        write(file, toHtml(report));
    }

    private static void write(Path file, String text) {
        try {
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new ToolchainException("report " + file + ": cannot be written: " + e, e);
        }
    }

    /**
     * @throws ToolchainException if it cannot be read, or is no report
     */
    public static QuantizeReport read(Path json) {
        try {
            QuantizeReport report = JSON.readValue(Files.readString(json), QuantizeReport.class);
            if (report == null || report.model() == null || report.targets() == null) {
                throw new ToolchainException(
                        "report "
                                + json
                                + ": found no model and targets in it, expected the "
                                + JSON_NAME
                                + " of a quantisation");
            }
            return report;
        } catch (NoSuchFileException e) {
            throw new ToolchainException("report " + json + ": no such file", e);
        } catch (JsonProcessingException e) {
            throw new ToolchainException(
                    "report %s: is not the %s of a quantisation: %s"
                            .formatted(
                                    json,
                                    JSON_NAME,
                                    e.getOriginalMessage().lines().findFirst().orElse("")),
                    e);
        } catch (IOException e) {
            throw new ToolchainException("report " + json + ": cannot be read: " + e, e);
        }
    }

    /**
     * Indented, keys in snake case; numbers that JSON does not know are the words NaN, Infinity.
     */
    public static String toJson(QuantizeReport report) {
        try {
            return JSON.writeValueAsString(report);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a report always has a JSON form", e);
        }
    }

    /** The page. */
    static String toHtml(QuantizeReport report) {
        return resource("report.html")
                .replace("/*STYLE*/", resource("report.css").strip())
                .replace("/*SCRIPT*/", resource("report.js").strip())
                // Last: what the report says is never taken for a place to fill.
                .replace("/*REPORT*/", inScript(toJson(report)));
    }

    /**
     * JSON that means the same and cannot end the element that it stands in: outside of strings
     * there are none of these.
     */
    private static String inScript(String json) {
        return json.replace("<", "\\u003c")
                .replace(">", "\\u003e")
                .replace("&", "\\u0026")
                .replace("\u2028", "\\u2028")
                .replace("\u2029", "\\u2029");
    }

    private static String resource(String name) {
        try (InputStream in = ReportWriter.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Targets with accuracy, speed and gates, warnings and the verdict: lines for a terminal. */
    public static String summary(QuantizeReport report) {
        StringBuilder text = new StringBuilder();
        for (TargetResult target : report.targets()) {
            line(text, "%s: %s", target.target(), target.kept());
            line(
                    text,
                    "  mAP 50-95      %s -> %s%s",
                    map(report.floatAccuracy()),
                    map(target.accuracy()),
                    interval(target.loss()));
            line(
                    text,
                    "  speed          %s",
                    target.speed() == null
                            ? "not measured"
                            : format(
                                    "%.2f times float (%.2f -> %.2f ms)",
                                    target.speed().ratio(),
                                    Math.min(
                                            target.speed().floatMillis(),
                                            target.speed().preparedMillis()),
                                    target.speed().int8Millis()));
            line(
                    text,
                    "  MACs in INT8   %.1f %%, %d layers float",
                    100 * target.int8Share(),
                    present(target.floatLayers()).size());
            for (Gate gate : present(target.gates())) {
                line(text, "  %-6s         %s", gate.passed() ? "held" : "FAILED", text(gate));
            }
        }
        for (String warning : present(report.warnings())) {
            line(text, "warning: %s", warning);
        }
        line(text, "%s", report.passed() ? "passed" : "failed");
        return text.toString();
    }

    /** Each gate that failed, of each target, with value and limit. */
    public static List<String> failures(QuantizeReport report) {
        return report.targets().stream()
                .flatMap(
                        target ->
                                present(target.gates()).stream()
                                        .filter(gate -> !gate.passed())
                                        .map(gate -> target.target() + ": " + text(gate)))
                .toList();
    }

    private static String text(Gate gate) {
        return format("%s %s: found %s", gate.what(), brief(gate.limit()), brief(gate.value()));
    }

    /** What a JSON file leaves out. */
    private static <T> List<T> present(List<T> list) {
        return list == null ? List.of() : list;
    }

    private static void line(StringBuilder text, String format, Object... values) {
        text.append(format(format, values)).append('\n');
    }

    private static String format(String format, Object... values) {
        return String.format(Locale.ROOT, format, values);
    }

    private static String map(Accuracy accuracy) {
        return accuracy == null ? "not measured" : format("%.4f", accuracy.map());
    }

    private static String interval(Difference loss) {
        return loss == null
                ? ""
                : format(" (%+.4f, 95%% %+.4f to %+.4f)", loss.delta(), loss.low(), loss.high());
    }

    private static String brief(double value) {
        return format("%.4f", value).replaceAll("\\.?0+$", "").replaceAll("^-0$", "0");
    }
}

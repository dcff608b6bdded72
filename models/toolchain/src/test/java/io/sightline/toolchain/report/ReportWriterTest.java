// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.report.QuantizeReport.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ReportWriterTest {

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final Pattern EMBEDDED =
            Pattern.compile(
                    "<script type=\"application/json\" id=\"report\">(.*?)</script>",
                    Pattern.DOTALL);

    /** For those who want to look at the page. */
    private static final Path EXAMPLE = Path.of("target", "report-example");

    @TempDir Path folder;

    static Stream<QuantizeReport> reports() {
        return Stream.of(ReportFixture.report(), ReportFixture.hostile(), ReportFixture.bare());
    }

    private static String embedded(String html) {
        Matcher matcher = EMBEDDED.matcher(html);
        assertThat(matcher.find()).isTrue();
        return matcher.group(1);
    }

    @ParameterizedTest
    @MethodSource("reports")
    void shouldReadBackWhatItWrote(QuantizeReport report) throws IOException {
        ReportWriter.write(report, folder.resolve("new/folder"));
        Path json = folder.resolve("new/folder/report.json");
        // As text: a number in the settings may come back as one of another width.
        assertThat(ReportWriter.toJson(ReportWriter.read(json)))
                .isEqualTo(ReportWriter.toJson(report));
        Path again = folder.resolve("again.html");
        ReportWriter.writeHtml(ReportWriter.read(json), again);
        assertThat(again).hasSameTextualContentAs(folder.resolve("new/folder/report.html"));
    }

    @ParameterizedTest
    @MethodSource("reports")
    void shouldEmbedTheJsonAsItIs(QuantizeReport report) throws IOException {
        String embedded = embedded(ReportWriter.toHtml(report));
        assertThat(MAPPER.readTree(embedded))
                .isEqualTo(MAPPER.readTree(ReportWriter.toJson(report)));
        assertThat(embedded).doesNotContain("<", ">", "&", "\u2028", "\u2029");
    }

    @Property(tries = 200)
    void shouldEmbedAnyText(@ForAll String text) throws IOException {
        QuantizeReport bare = ReportFixture.bare();
        Model model = bare.model();
        QuantizeReport report =
                new QuantizeReport(
                        bare.created(),
                        new Model(
                                text,
                                model.file(),
                                model.sha256(),
                                1,
                                "pairs",
                                1,
                                1,
                                0,
                                1,
                                1,
                                List.of()),
                        Map.of(text, "</script>" + text),
                        bare.machine(),
                        bare.images(),
                        null,
                        bare.targets(),
                        bare.layers(),
                        List.of(),
                        List.of(),
                        List.of(),
                        List.of(text),
                        true);
        JsonNode tree = MAPPER.readTree(embedded(ReportWriter.toHtml(report)));
        assertThat(tree.at("/model/name").asText()).isEqualTo(text);
        assertThat(tree.get("settings").get(text).asText()).isEqualTo("</script>" + text);
        assertThat(tree.at("/warnings/0").asText()).isEqualTo(text);
    }

    @Test
    void shouldNeedNothingFromElsewhere() {
        String html = ReportWriter.toHtml(ReportFixture.hostile());
        String page = html.replace(embedded(html), "");
        assertThat(page)
                .doesNotContain("://", "@import", "url(", " src=", "innerHTML", "eval(")
                .doesNotContain("/*STYLE*/", "/*SCRIPT*/", "/*REPORT*/")
                .contains("default-src 'none'");
        assertThat(Pattern.compile("<script").matcher(page).results()).hasSize(2);
        assertThat(Pattern.compile("</script").matcher(page).results()).hasSize(2);
        assertThat(Pattern.compile("<link|<iframe|<img").matcher(page).results()).isEmpty();
    }

    @Test
    void shouldNameKeysInSnakeCaseAndLeaveOutWhatWasNotMeasured() throws IOException {
        ReportWriter.write(ReportFixture.report(), EXAMPLE);
        JsonNode tree = MAPPER.readTree(Files.readString(EXAMPLE.resolve("report.json")));
        assertThat(tree.at("/float_accuracy/map").asDouble()).isEqualTo(0.3379);
        assertThat(tree.at("/targets/0/int8_share").asDouble()).isEqualTo(0.951);
        assertThat(tree.at("/targets/0/speed/int8_millis").asDouble()).isEqualTo(19.02);
        assertThat(tree.at("/targets/1").has("speed")).isFalse();
        assertThat(tree.at("/layers")).hasSize(60);
        assertThat(tree.at("/layers/6").has("ap_loss")).isFalse();
        assertThat(tree.at("/settings/gate/max_loss").asDouble()).isEqualTo(0.010);
        assertThat(tree.at("/low_bits/0/name").asText()).isEqualTo("4 bits");
        double share = 0;
        for (JsonNode layer : tree.get("layers")) {
            share += layer.get("share").asDouble();
        }
        assertThat(share).isBetween(0.999, 1.001);
    }

    @Test
    void shouldSayTheVerdictInAFewLines() {
        assertThat(ReportWriter.summary(ReportFixture.report()).lines())
                .contains(
                        "onnxruntime: INT8 is to be deployed: 1.36 times float for 0.0046 mAP, which the pictures do not tell from none",
                        "  mAP 50-95      0.3379 -> 0.3333 (-0.0046, 95% -0.0122 to +0.0031)",
                        "  speed          1.36 times float (25.94 -> 19.02 ms)",
                        "  MACs in INT8   95.1 %, 5 layers float",
                        "  held           times float, at least 1.3: found 1.364",
                        "  FAILED         loss of mAP 50-95, at most 0.01: found 0.0117",
                        "  speed          not measured",
                        "failed");
        assertThat(ReportWriter.failures(ReportFixture.report()))
                .containsExactly("tensorrt: loss of mAP 50-95, at most 0.01: found 0.0117");
        assertThat(ReportWriter.summary(ReportFixture.bare()))
                .contains("onnxruntime: float is kept", "not measured -> not measured")
                .endsWith("passed\n");
    }

    @Test
    void shouldSayWhatIsNoReport() throws IOException {
        Path json = folder.resolve("r.json");
        assertThatThrownBy(() -> ReportWriter.read(json))
                .isInstanceOf(ToolchainException.class)
                .hasMessage("report " + json + ": no such file");
        for (String text : List.of("", "{", "[]", "7", "{\"a\": 1}", "{\"model\": 3}")) {
            Files.writeString(json, text);
            assertThatThrownBy(() -> ReportWriter.read(json))
                    .isInstanceOf(ToolchainException.class)
                    .hasMessageStartingWith("report " + json + ": is not the report.json")
                    .message()
                    .doesNotContain("\n");
        }
        Files.writeString(json, "{}");
        assertThatThrownBy(() -> ReportWriter.read(json))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("found no model and targets");
        assertThatThrownBy(() -> ReportWriter.write(ReportFixture.bare(), json))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("cannot be written");
    }
}

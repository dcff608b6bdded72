// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.quantize.QuantizeSettings.Correction;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.Gate;
import io.sightline.toolchain.quantize.QuantizeSettings.ImageSet;
import io.sightline.toolchain.quantize.QuantizeSettings.LayerRule;
import io.sightline.toolchain.quantize.QuantizeSettings.Metric;
import io.sightline.toolchain.quantize.QuantizeSettings.Partial;
import io.sightline.toolchain.quantize.QuantizeSettings.Precision;
import io.sightline.toolchain.quantize.QuantizeSettings.Prepare;
import io.sightline.toolchain.quantize.QuantizeSettings.Sensitivity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuantizeSettingsTest {

    private static final String LEAST =
            """
            model: m.onnx
            output: out
            images:
              report: {path: pictures}
            """;

    @TempDir Path folder;

    private QuantizeSettings read(String yaml) throws IOException {
        return QuantizeSettings.read(Files.writeString(folder.resolve("q.yaml"), yaml)).build();
    }

    @Test
    void shouldReadEveryKey() throws IOException {
        QuantizeSettings settings =
                read(
                        """
                        model: yolov5n.onnx
                        output: quantized/
                        targets: [tensorrt, avx2, tensorrt]
                        border: 3
                        layout: anchors-obj
                        images:
                          seed: 11
                          calibrate: {path: ../pictures, count: 50}
                          select: {path: /data/set, labels: labels.json, count: 20}
                          report: {path: set}
                        calibration: {method: percentile, percentile: 99.9, table: stats.json}
                        layers:
                          - {name: "model.24*", precision: float}
                          - {name: "*", method: entropy}
                        partial: 4
                        sensitivity: {metric: snr, images: 5, average_precision: false}
                        correction: on
                        low_bits: []
                        variants: false
                        prepare: {top_k: 0, batch: 2}
                        speed: {rounds: 9}
                        gate: {max_loss: 0.02, min_speedup: 1.3, min_int8_share: 0.85}
                        """);
        assertThat(settings.model()).isEqualTo(folder.resolve("yolov5n.onnx"));
        assertThat(settings.output()).isEqualTo(folder.resolve("quantized"));
        assertThat(settings.engines()).containsExactly(Engine.TENSORRT, Engine.AVX2);
        assertThat(settings.border()).hasValue(3);
        assertThat(settings.layout()).contains(OutputLayout.ANCHORS_OBJ);
        assertThat(settings.images().seed()).isEqualTo(11);
        assertThat(settings.images().calibrate())
                .isEqualTo(set(folder.resolveSibling("pictures"), null, 50));
        assertThat(settings.images().select())
                .isEqualTo(set(Path.of("/data/set"), folder.resolve("labels.json"), 20));
        assertThat(settings.images().report()).isEqualTo(set(folder.resolve("set"), null, 0));
        assertThat(settings.calibration().method())
                .isEqualTo(new RangeMethod(RangeMethod.Kind.PERCENTILE, 99.9));
        assertThat(settings.calibration().table()).contains(folder.resolve("stats.json"));
        assertThat(settings.partial()).isEqualTo(new Partial(false, 4));
        assertThat(settings.sensitivity()).isEqualTo(new Sensitivity(Metric.SNR, 5, false));
        assertThat(settings.correction()).isEqualTo(Correction.ON);
        assertThat(settings.lowBits()).isEmpty();
        assertThat(settings.variants()).isFalse();
        assertThat(settings.prepare()).isEqualTo(new Prepare(OptionalInt.of(0), OptionalInt.of(2)));
        assertThat(settings.speedRounds()).isEqualTo(9);
        assertThat(settings.gate()).isEqualTo(new Gate(0.02, 1.3, 0.85));
        assertThat(settings.precisionOf("model.24.m.0")).contains(Precision.FLOAT);
        assertThat(settings.precisionOf("model.2")).isEmpty();
        assertThat(settings.methodOf("x"))
                .isEqualTo(new RangeMethod(RangeMethod.Kind.ENTROPY, 99.9));
    }

    private static ImageSet set(Path path, Path labels, int count) {
        return new ImageSet(
                path,
                Optional.ofNullable(labels),
                count == 0 ? OptionalInt.empty() : OptionalInt.of(count));
    }

    @Test
    void shouldTakeDefaultsForWhatIsAbsent() throws IOException {
        QuantizeSettings settings = read(LEAST + "layout:\n");
        assertThat(settings.engines()).containsExactly(Engine.ONNXRUNTIME, Engine.TENSORRT);
        assertThat(settings.layout()).isEmpty();
        Path pictures = folder.resolve("pictures");
        assertThat(settings.images().calibrate()).isEqualTo(set(pictures, null, 64));
        assertThat(settings.images().select()).isEqualTo(set(pictures, null, 32));
        assertThat(settings.images().report()).isEqualTo(set(pictures, null, 0));
        assertThat(settings.calibration().method()).isEqualTo(RangeMethod.MSE);
        assertThat(settings.partial()).isEqualTo(Partial.AUTO);
        assertThat(settings.correction()).isEqualTo(Correction.AUTO);
        assertThat(settings.lowBits()).containsExactly(4, 3);
        assertThat(settings.gate()).isEqualTo(new Gate(0.010, 1.0, 0.0));
    }

    @Test
    void shouldLetFlagsWinOverTheFile() throws IOException {
        Path file = Files.writeString(folder.resolve("q.yaml"), LEAST + "gate: {max_loss: 0.5}");
        QuantizeSettings settings =
                QuantizeSettings.read(file)
                        .images(Path.of("other"), Optional.of(Path.of("labels")))
                        .calibrateCount(3)
                        .selectCount(4)
                        .minSpeedup(2)
                        .layer(LayerRule.floating("head.*"))
                        .build();
        assertThat(settings.images().calibrate())
                .isEqualTo(set(Path.of("other"), Path.of("labels"), 3));
        assertThat(settings.images().select())
                .isEqualTo(set(Path.of("other"), Path.of("labels"), 4));
        assertThat(settings.gate()).isEqualTo(new Gate(0.5, 2, 0));
        assertThat(settings.precisionOf("head.0")).contains(Precision.FLOAT);
        assertThat(settings.precisionOf("xhead.0")).isEmpty();
    }

    @Test
    void shouldLetTheLastRuleDecide() throws IOException {
        QuantizeSettings settings =
                read(
                        LEAST
                                + """
                                layers:
                                  - {name: "a*", precision: float}
                                  - {name: "a?c", precision: int8}
                                  - {name: "a(c", method: max}
                                  - {name: "none*", method: max}
                                """);
        assertThat(settings.precisionOf("abb")).contains(Precision.FLOAT);
        assertThat(settings.precisionOf("abc")).contains(Precision.INT8);
        assertThat(settings.precisionOf("a(c")).contains(Precision.INT8);
        assertThat(settings.methodOf("a(c")).isEqualTo(RangeMethod.MAX);
        assertThat(settings.methodOf("abc")).isEqualTo(RangeMethod.MSE);
        assertThat(settings.unmatchedRules(List.of("abc", "a(c"))).containsExactly("none*");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "traget: [avx2]|traget: no such key: did you mean targets?",
                "gate: {max_los: 1}|gate.max_los: no such key: did you mean max_loss?",
                "gate: {accuracy: 1}|gate.accuracy: no such key: expected one of max_loss, min_speedup, min_int8_share",
                "gate: 0.01|gate: found 0.01, expected keys with values",
                "gate: {max_loss: much}|gate.max_loss: found 'much', expected a number",
                "gate: {max_loss: 2}|gate.max_loss: found 2.0, expected 0 to 1",
                "gate: {min_int8_share: 85}|gate.min_int8_share: found 85.0, expected 0 to 1",
                "calibration: {method: minmax}|calibration.method: found 'minmax', expected max, percentile, mse, entropy",
                "calibration: {percentile: 12}|calibration.percentile: found 12.0, expected above 50, at most 100",
                "targets: tensorrt|targets: found 'tensorrt', expected a list in [ ]",
                "targets: [gpu]|targets: found 'gpu', expected onnxruntime, tensorrt, avx2",
                "targets: []|targets: found none, expected at least one of onnxruntime, tensorrt, avx2",
                "border: -1|border: found -1, expected 0 or more pixels",
                "border: 1.5|border: found 1.5, expected a whole number",
                "layout: odd|layout: unknown output layout 'odd': expected one of anchors-obj, channels-first, pairs, end2end",
                "partial: some|partial: found some, expected auto, none or a number of layers",
                "partial: -2|partial: found -2, expected auto, none or a number of layers",
                "sensitivity: {metric: ap, average_precision: false}|sensitivity.average_precision: found false, expected true, for layers are ranked by ap",
                "sensitivity: {metric: loss}|sensitivity.metric: found 'loss', expected mse, snr, cosine, ap",
                "sensitivity: {images: 0}|sensitivity.images: found 0, expected 1 or more",
                "correction: maybe|correction: found 'maybe', expected auto, on, off",
                "low_bits: [8]|low_bits: found 8, expected 2 to 7 bits",
                "low_bits: [x]|low_bits: found 'x', expected a whole number",
                "variants: maybe|variants: found 'maybe', expected true or false",
                "prepare: {top_k: 4000}|prepare.top_k: found 4000, expected 1 to 3840, or 0 to leave the output",
                "prepare: {batch: any}|prepare.batch: found 'any', expected symbolic or a whole number",
                "speed: {rounds: 0}|speed.rounds: found 0, expected 1 or more",
                "layers: [{precision: float}]|layers.name: missing, expected a layer's name, or a pattern with * and ?",
                "layers: [{name: x}]|layers.precision: missing, expected precision, method or both",
                "layers: [{name: x, precision: fp16}]|layers.precision: found 'fp16', expected float, int8",
                "layers: [x]|layers: found 'x', expected keys with values",
            })
    void shouldNameWhatIsWrongAndWhatIsExpected(String line, String problem) {
        assertThatThrownBy(() -> read(LEAST + line + "\n"))
                .isInstanceOf(ToolchainException.class)
                .hasMessage("settings " + folder.resolve("q.yaml") + ": " + problem);
    }

    @Test
    void shouldNameWhatIsMissing() {
        assertThatThrownBy(() -> read("model: m.onnx\n"))
                .hasMessageStartingWith("output: missing, expected a folder");
        assertThatThrownBy(() -> read("output: o\n"))
                .hasMessageStartingWith("model: missing, expected an ONNX file");
        assertThatThrownBy(() -> read("output: o\nmodel: m\n"))
                .hasMessageStartingWith("images.report: missing, expected labelled images");
        assertThatThrownBy(() -> read("images: {report: {count: 3}}\n"))
                .hasMessageEndingWith("images.report.path: missing, expected a folder");
        assertThatThrownBy(() -> read("images: {select: {path: x, count: 0}}\n"))
                .hasMessageEndingWith("images.select.count: found 0, expected 1 or more pictures");
    }

    @Test
    void shouldSayWhereAFileIsNotYaml() {
        assertThatThrownBy(() -> read("model: m.onnx\n  output: x\n"))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("q.yaml: line 2, column ")
                .message()
                .doesNotContain("\n");
        assertThatThrownBy(() -> read("model: a\nmodel: b\n")).hasMessageContaining("model");
        assertThatThrownBy(() -> read("")).hasMessageContaining("found no keys");
        assertThatThrownBy(() -> read("[]")).hasMessageContaining("found no keys");
        assertThatThrownBy(() -> QuantizeSettings.read(folder.resolve("none.yaml")))
                .hasMessageEndingWith("none.yaml: no such file");
    }

    @Property(tries = 200)
    void shouldBeTheSameWrittenAndReadAgain(@ForAll("settings") QuantizeSettings settings)
            throws IOException {
        Path file = Files.createTempFile("settings", ".yaml");
        try {
            YAMLMapper.builder().build().writeValue(file.toFile(), settings.asMap());
            assertThat(QuantizeSettings.read(file).build()).isEqualTo(settings);
        } finally {
            Files.delete(file);
        }
        assertThat(settings.toBuilder().build()).isEqualTo(settings);
    }

    @Provide
    Arbitrary<QuantizeSettings> settings() {
        Arbitrary<Path> path =
                Arbitraries.strings()
                        .withCharRange('a', 'z')
                        .withChars(" :#'\"-é")
                        .ofMinLength(1)
                        .ofMaxLength(9)
                        .filter(name -> !name.isBlank())
                        .map(name -> Path.of("/data/" + name));
        Arbitrary<OptionalInt> count =
                Arbitraries.integers()
                        .between(1, 99)
                        .optional()
                        .map(value -> value.map(OptionalInt::of).orElse(OptionalInt.empty()));
        Arbitrary<ImageSet> set =
                Combinators.combine(path, path.optional(), count).as(ImageSet::new);
        Arbitrary<LayerRule> rule =
                Combinators.combine(
                                Arbitraries.of("*", "model.?", "/a/b[0]", "x: y", "12", "on"),
                                Arbitraries.of(Precision.class).optional(),
                                Arbitraries.of(RangeMethod.Kind.class))
                        .as(
                                (name, precision, kind) ->
                                        new LayerRule(name, precision, Optional.of(kind)));
        Arbitrary<Prepare> prepare = Combinators.combine(count, count).as(Prepare::new);
        Arbitrary<Sensitivity> sensitivity =
                Combinators.combine(
                                Arbitraries.of(Metric.class),
                                Arbitraries.integers().between(1, 64),
                                Arbitraries.of(true, false))
                        .as(
                                (metric, images, measured) ->
                                        new Sensitivity(
                                                metric, images, measured || metric == Metric.AP));
        Arbitrary<Gate> gate =
                Combinators.combine(
                                Arbitraries.doubles().between(0, 1),
                                Arbitraries.doubles().between(0, 9),
                                Arbitraries.doubles().between(0, 1))
                        .as(Gate::new);
        Arbitrary<QuantizeSettings.Builder> sets =
                Combinators.combine(path, path, set, set, set, Arbitraries.longs())
                        .as(
                                (model, output, calibrate, select, report, seed) ->
                                        QuantizeSettings.builder()
                                                .model(model)
                                                .output(output)
                                                .calibrate(calibrate)
                                                .select(select)
                                                .report(report)
                                                .seed(seed));
        Arbitrary<QuantizeSettings.Builder> how =
                Combinators.combine(
                                sets,
                                Arbitraries.of(Engine.class).list().ofMinSize(1).ofMaxSize(3),
                                Arbitraries.of(OutputLayout.class),
                                Arbitraries.of(RangeMethod.Kind.class),
                                path,
                                rule.list().ofMaxSize(3),
                                Arbitraries.integers().between(-1, 9))
                        .as(
                                (builder, engines, layout, kind, table, rules, partial) -> {
                                    rules.forEach(builder::layer);
                                    return builder.engines(engines)
                                            .layout(layout)
                                            .border(3)
                                            .method(kind)
                                            .table(table)
                                            .percentile(99.5)
                                            .partial(
                                                    partial < 0
                                                            ? Partial.AUTO
                                                            : new Partial(false, partial));
                                });
        return Combinators.combine(
                        how,
                        prepare,
                        sensitivity,
                        gate,
                        Arbitraries.of(Correction.class),
                        Arbitraries.integers().between(2, 7).list().ofMaxSize(3),
                        Arbitraries.integers().between(1, 99),
                        Arbitraries.of(true, false))
                .as(
                        (builder, preparation, measured, limits, when, bits, rounds, variants) ->
                                builder.prepare(preparation)
                                        .sensitivity(measured)
                                        .maxLoss(limits.maxLoss())
                                        .minSpeedup(limits.minSpeedup())
                                        .minInt8Share(limits.minInt8Share())
                                        .correction(when)
                                        .lowBits(bits)
                                        .speedRounds(rounds)
                                        .variants(variants)
                                        .build());
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static io.sightline.toolchain.quantize.QuantizeSettings.label;
import static io.sightline.toolchain.quantize.QuantizeSettings.wrong;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.sightline.inference.OutputLayout;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.quantize.QuantizeSettings.Correction;
import io.sightline.toolchain.quantize.QuantizeSettings.Engine;
import io.sightline.toolchain.quantize.QuantizeSettings.ImageSet;
import io.sightline.toolchain.quantize.QuantizeSettings.LayerRule;
import io.sightline.toolchain.quantize.QuantizeSettings.Metric;
import io.sightline.toolchain.quantize.QuantizeSettings.Partial;
import io.sightline.toolchain.quantize.QuantizeSettings.Precision;
import io.sightline.toolchain.quantize.QuantizeSettings.Prepare;
import io.sightline.toolchain.quantize.QuantizeSettings.Sensitivity;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Reads {@link QuantizeSettings} from YAML: no key is passed over, no value is guessed. */
final class SettingsFile {

    private static final ObjectMapper YAML =
            YAMLMapper.builder()
                    .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    /** More letters than that are another word, not a slip. */
    private static final int MOST_SLIPS = 3;

    private final Path folder;
    private final QuantizeSettings.Builder builder = QuantizeSettings.builder();

    private SettingsFile(Path folder) {
        this.folder = folder;
    }

    static QuantizeSettings.Builder read(Path file) {
        String name = "settings " + file + ": ";
        try {
            JsonNode tree = YAML.readTree(Files.readString(file));
            if (!tree.isObject()) {
                throw new ToolchainException(
                        name + "found no keys, expected at least model, output and images");
            }
            SettingsFile settings = new SettingsFile(file.toAbsolutePath().getParent());
            try {
                settings.read((ObjectNode) tree);
            } catch (ToolchainException e) {
                throw new ToolchainException(name + e.getMessage(), e);
            }
            return settings.builder;
        } catch (NoSuchFileException e) {
            throw new ToolchainException(name + "no such file", e);
        } catch (JsonProcessingException e) {
            throw new ToolchainException(name + problem(e), e);
        } catch (IOException e) {
            throw new ToolchainException(name + "cannot be read: " + e, e);
        }
    }

    private static String problem(JsonProcessingException e) {
        String where =
                e.getLocation() == null
                        ? ""
                        : "line %d, column %d: "
                                .formatted(
                                        e.getLocation().getLineNr(), e.getLocation().getColumnNr());
        String first = e.getOriginalMessage().lines().findFirst().orElse("");
        return where + "is not YAML: " + first;
    }

    private void read(ObjectNode tree) {
        Section top = new Section("", tree);
        top.requireOnly(
                "model",
                "output",
                "targets",
                "border",
                "layout",
                "images",
                "calibration",
                "layers",
                "partial",
                "sensitivity",
                "correction",
                "low_bits",
                "variants",
                "prepare",
                "speed",
                "gate");
        top.path("model").ifPresent(builder::model);
        top.path("output").ifPresent(builder::output);
        top.list("targets", node -> top.oneOf("targets", node, Engine.values()))
                .ifPresent(builder::engines);
        top.integer("border").ifPresent(builder::border);
        top.text("layout").ifPresent(label -> builder.layout(layout(label)));
        top.section("images").ifPresent(this::images);
        top.section("calibration").ifPresent(this::calibration);
        top.list("layers", node -> rule(top.item("layers", node)))
                .ifPresent(rules -> rules.forEach(builder::layer));
        top.scalar("partial").ifPresent(text -> builder.partial(Partial.of(text)));
        top.section("sensitivity").ifPresent(this::sensitivity);
        correction(top).ifPresent(builder::correction);
        top.list("low_bits", node -> top.integer("low_bits", node)).ifPresent(builder::lowBits);
        top.flag("variants").ifPresent(builder::variants);
        top.section("prepare").ifPresent(this::prepare);
        top.section("speed").ifPresent(this::speed);
        top.section("gate").ifPresent(this::gate);
    }

    private static OutputLayout layout(String label) {
        try {
            return OutputLayout.of(label);
        } catch (IllegalArgumentException e) {
            throw new ToolchainException("layout: " + e.getMessage(), e);
        }
    }

    /** Bare on and off are true and false to YAML. */
    private static Optional<Correction> correction(Section top) {
        Optional<JsonNode> value = top.value("correction");
        return value.isPresent() && value.get().isBoolean()
                ? Optional.of(value.get().asBoolean() ? Correction.ON : Correction.OFF)
                : top.oneOf("correction", Correction.values());
    }

    private void images(Section images) {
        images.requireOnly("seed", "calibrate", "select", "report");
        images.whole("seed").ifPresent(builder::seed);
        imageSet(images, "calibrate", builder::calibrate);
        imageSet(images, "select", builder::select);
        imageSet(images, "report", builder::report);
    }

    private void imageSet(Section images, String key, Consumer<ImageSet> setter) {
        images.section(key)
                .ifPresent(
                        set -> {
                            set.requireOnly("path", "labels", "count");
                            Path path =
                                    set.path("path")
                                            .orElseThrow(() -> set.missing("path", "a folder"));
                            OptionalInt count = set.integer("count");
                            if (count.orElse(1) < 1) {
                                throw wrong(
                                        set.name("count"), count.getAsInt(), "1 or more pictures");
                            }
                            setter.accept(new ImageSet(path, set.path("labels"), count));
                        });
    }

    private void calibration(Section calibration) {
        calibration.requireOnly("method", "percentile", "table");
        calibration.oneOf("method", RangeMethod.Kind.values()).ifPresent(builder::method);
        calibration.number("percentile").ifPresent(builder::percentile);
        calibration.path("table").ifPresent(builder::table);
    }

    private static LayerRule rule(Section rule) {
        rule.requireOnly("name", "precision", "method");
        LayerRule read =
                new LayerRule(
                        rule.text("name")
                                .orElseThrow(
                                        () ->
                                                rule.missing(
                                                        "name",
                                                        "a layer's name, or a pattern with * and ?")),
                        rule.oneOf("precision", Precision.values()),
                        rule.oneOf("method", RangeMethod.Kind.values()));
        if (read.precision().isEmpty() && read.method().isEmpty()) {
            throw rule.missing("precision", "precision, method or both");
        }
        return read;
    }

    private void sensitivity(Section section) {
        section.requireOnly("metric", "images", "average_precision");
        Sensitivity standard = Sensitivity.STANDARD;
        builder.sensitivity(
                new Sensitivity(
                        section.oneOf("metric", Metric.values()).orElse(standard.metric()),
                        section.integer("images").orElse(standard.images()),
                        section.flag("average_precision").orElse(standard.averagePrecision())));
    }

    private void prepare(Section prepare) {
        prepare.requireOnly("top_k", "batch");
        Optional<String> batch = prepare.scalar("batch").filter(text -> !text.equals("symbolic"));
        if (batch.isPresent() && !batch.get().matches("[0-9]{1,6}")) {
            throw wrong(
                    prepare.name("batch"), "'" + batch.get() + "'", "symbolic or a whole number");
        }
        builder.prepare(
                new Prepare(
                        prepare.integer("top_k"),
                        batch.isPresent()
                                ? OptionalInt.of(Integer.parseInt(batch.get()))
                                : OptionalInt.empty()));
    }

    private void speed(Section speed) {
        speed.requireOnly("rounds");
        speed.integer("rounds").ifPresent(builder::speedRounds);
    }

    private void gate(Section gate) {
        gate.requireOnly("max_loss", "min_speedup", "min_int8_share");
        gate.number("max_loss").ifPresent(builder::maxLoss);
        gate.number("min_speedup").ifPresent(builder::minSpeedup);
        gate.number("min_int8_share").ifPresent(builder::minInt8Share);
    }

    /** Some keys of the file, and where they stand. */
    private final class Section {

        private final String place;
        private final ObjectNode node;

        Section(String place, ObjectNode node) {
            this.place = place;
            this.node = node;
        }

        String name(String key) {
            return place + key;
        }

        ToolchainException missing(String key, String expected) {
            return new ToolchainException(name(key) + ": missing, expected " + expected);
        }

        void requireOnly(String... known) {
            node.fieldNames()
                    .forEachRemaining(
                            key -> {
                                if (!Arrays.asList(known).contains(key)) {
                                    throw new ToolchainException(
                                            name(key) + ": no such key: " + remedy(key, known));
                                }
                            });
        }

        private Optional<JsonNode> value(String key) {
            JsonNode value = node.get(key);
            return value == null || value.isNull() ? Optional.empty() : Optional.of(value);
        }

        Optional<Section> section(String key) {
            return value(key).map(value -> item(key, value));
        }

        Section item(String key, JsonNode value) {
            if (!(value instanceof ObjectNode keys)) {
                throw wrong(name(key), shown(value), "keys with values");
            }
            return new Section(name(key) + ".", keys);
        }

        Optional<String> scalar(String key) {
            return value(key).map(value -> scalar(key, value));
        }

        private String scalar(String key, JsonNode value) {
            if (!value.isValueNode()) {
                throw wrong(name(key), shown(value), "one value");
            }
            return value.asText();
        }

        Optional<String> text(String key) {
            Optional<String> text = scalar(key);
            if (text.isPresent() && text.get().isBlank()) {
                throw wrong(name(key), "nothing", "a text");
            }
            return text;
        }

        Optional<Path> path(String key) {
            return text(key)
                    .map(
                            text -> {
                                try {
                                    return folder.resolve(text).normalize();
                                } catch (InvalidPathException e) {
                                    throw wrong(name(key), "'" + text + "'", "a path");
                                }
                            });
        }

        Optional<Long> whole(String key) {
            return value(key)
                    .map(
                            value -> {
                                if (!value.canConvertToLong() || !value.isIntegralNumber()) {
                                    throw wrong(name(key), shown(value), "a whole number");
                                }
                                return value.asLong();
                            });
        }

        OptionalInt integer(String key) {
            Optional<Integer> value = value(key).map(node -> integer(key, node));
            return value.isPresent() ? OptionalInt.of(value.get()) : OptionalInt.empty();
        }

        int integer(String key, JsonNode value) {
            if (!value.canConvertToInt() || !value.isIntegralNumber()) {
                throw wrong(name(key), shown(value), "a whole number");
            }
            return value.asInt();
        }

        Optional<Double> number(String key) {
            return value(key)
                    .map(
                            value -> {
                                if (!value.isNumber()) {
                                    throw wrong(name(key), shown(value), "a number");
                                }
                                return value.asDouble();
                            });
        }

        Optional<Boolean> flag(String key) {
            return value(key)
                    .map(
                            value -> {
                                if (!value.isBoolean()) {
                                    throw wrong(name(key), shown(value), "true or false");
                                }
                                return value.asBoolean();
                            });
        }

        <E extends Enum<E>> Optional<E> oneOf(String key, E[] known) {
            return value(key).map(value -> oneOf(key, value, known));
        }

        <E extends Enum<E>> E oneOf(String key, JsonNode value, E[] known) {
            return Arrays.stream(known)
                    .filter(constant -> label(constant).equals(scalar(key, value)))
                    .findFirst()
                    .orElseThrow(
                            () ->
                                    wrong(
                                            name(key),
                                            shown(value),
                                            Arrays.stream(known)
                                                    .map(QuantizeSettings::label)
                                                    .collect(Collectors.joining(", "))));
        }

        <T> Optional<List<T>> list(String key, Function<JsonNode, T> item) {
            return value(key)
                    .map(
                            value -> {
                                if (!value.isArray()) {
                                    throw wrong(name(key), shown(value), "a list in [ ]");
                                }
                                List<T> items = new ArrayList<>();
                                value.forEach(node -> items.add(item.apply(node)));
                                return items;
                            });
        }

        private static String shown(JsonNode value) {
            return value.isTextual() ? "'" + value.asText() + "'" : value.toString();
        }

        private static String remedy(String key, String... known) {
            String nearest =
                    Arrays.stream(known)
                            .min(Comparator.comparingInt(other -> slips(key, other)))
                            .orElseThrow();
            return slips(key, nearest) <= MOST_SLIPS
                    ? "did you mean " + nearest + "?"
                    : "expected one of " + String.join(", ", known);
        }

        /** Letters to put in, take out or change: Levenshtein's distance. */
        private static int slips(String a, String b) {
            int[] above = new int[b.length() + 1];
            Arrays.setAll(above, j -> j);
            for (int i = 1; i <= a.length(); i++) {
                int[] row = new int[b.length() + 1];
                row[0] = i;
                for (int j = 1; j <= b.length(); j++) {
                    int changed = above[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                    row[j] = Math.min(changed, 1 + Math.min(above[j], row[j - 1]));
                }
                above = row;
            }
            return above[b.length()];
        }
    }
}

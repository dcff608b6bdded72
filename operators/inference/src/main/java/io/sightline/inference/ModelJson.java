// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The file {@code <name>.json} as it stands; {@link ModelFile} documents its fields. */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
record ModelJson(
        String name,
        Integer inputWidth,
        Integer inputHeight,
        Integer border,
        Integer fill,
        List<String> labels,
        String layout,
        Boolean suppress,
        Float confidence,
        Float iou,
        String precision,
        String sha256,
        String target,
        Integer weightBits,
        String licence,
        String provenance) {

    static final ModelJson SILENT =
            new ModelJson(
                    null, null, null, null, null, null, null, null, null, null, null, null, null,
                    null, null, null);

    private static final Set<String> PRECISIONS = Set.of("fp32", "fp16", "int8");
    private static final Set<String> TARGETS = Set.of("onnxruntime", "tensorrt");

    private static final ObjectReader READER =
            JsonMapper.builder()
                    .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
                    .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build()
                    .readerFor(ModelJson.class);

    private static final ObjectWriter WRITER =
            JsonMapper.builder().build().writerFor(ModelJson.class).withDefaultPrettyPrinter();

    /**
     * @throws InferenceException if the file cannot be read, is no JSON object, or a field holds
     *     what it cannot hold
     */
    static ModelJson read(Path file) {
        ModelJson json;
        try {
            json = READER.readValue(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new InferenceException(
                    "%s: not a ModelSpec: %s at line %d: expected a JSON object with fields such as layout and labels"
                            .formatted(
                                    file,
                                    oneLine(e.getOriginalMessage()),
                                    e.getLocation() == null ? 1 : e.getLocation().getLineNr()),
                    e);
        } catch (IOException e) {
            throw new InferenceException(file + ": cannot be read: " + oneLine(e.toString()), e);
        }
        if (json == null) {
            throw new InferenceException(file + ": holds null: expected a JSON object");
        }
        json.validate(file);
        return json;
    }

    /**
     * Writes the file whole or not at all, without the fields that say nothing.
     *
     * @throws InferenceException if it cannot be written, or if a field holds what it cannot hold
     */
    void write(Path file) {
        validate(file);
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try {
            Files.writeString(part, WRITER.writeValueAsString(this) + "\n");
            try {
                Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new InferenceException(file + ": cannot be written: " + oneLine(e.toString()), e);
        }
    }

    private void validate(Path file) {
        require(file, "input_width", inputWidth, inputWidth == null || inputWidth > 0, "pixels");
        require(
                file,
                "input_height",
                inputHeight,
                inputHeight == null || inputHeight > 0,
                "pixels");
        require(file, "border", border, border == null || border >= 0, "0 or more pixels");
        require(file, "fill", fill, fill == null || (fill >= 0 && fill <= 255), "0 to 255");
        require(
                file,
                "labels",
                labels,
                labels == null
                        || (!labels.isEmpty()
                                && labels.stream().noneMatch(l -> l == null || l.isBlank())),
                "one name a class");
        require(file, "confidence", confidence, inUnit(confidence), "0 to 1");
        require(file, "iou", iou, inUnit(iou), "0 to 1");
        require(
                file,
                "precision",
                precision,
                precision == null || PRECISIONS.contains(precision),
                "fp32, fp16 or int8");
        require(
                file,
                "sha256",
                sha256,
                sha256 == null || sha256.toLowerCase(Locale.ROOT).matches("[0-9a-f]{64}"),
                "64 hexadecimal digits");
        require(
                file,
                "target",
                target,
                target == null || TARGETS.contains(target),
                "onnxruntime or tensorrt");
        require(
                file,
                "weight_bits",
                weightBits,
                weightBits == null || (weightBits >= 2 && weightBits <= 8),
                "2 to 8");
        if (layout != null) {
            try {
                OutputLayout.of(layout);
            } catch (IllegalArgumentException e) {
                throw new InferenceException(file + ": " + e.getMessage(), e);
            }
        }
    }

    private static boolean inUnit(Float value) {
        return value == null || (value >= 0 && value <= 1);
    }

    private static void require(
            Path file, String field, Object value, boolean holds, String expected) {
        if (!holds) {
            throw new InferenceException(
                    "%s: %s is %s: expected %s".formatted(file, field, value, expected));
        }
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }
}

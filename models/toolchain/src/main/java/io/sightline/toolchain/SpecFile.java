// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sightline.inference.InputSize;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The JSON beside a model, {@code <name>.json} beside {@code <name>.onnx}, as a tree: fields that
 * the toolchain does not know are carried along. {@link io.sightline.inference.ModelFile} documents
 * the others.
 */
public final class SpecFile {

    private static final ObjectMapper MAPPER =
            new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private SpecFile() {}

    /** Where a model's JSON lies. */
    public static Path beside(Path onnx) {
        String name = String.valueOf(onnx.getFileName());
        String base =
                name.endsWith(".onnx") ? name.substring(0, name.length() - ".onnx".length()) : name;
        return onnx.resolveSibling(base + ".json");
    }

    /** An object to fill. */
    public static ObjectNode empty() {
        return JsonNodeFactory.instance.objectNode();
    }

    /**
     * What the JSON beside the model says; empty where there is none.
     *
     * @throws ToolchainException if it is no JSON object
     */
    public static Optional<ObjectNode> read(Path onnx) {
        Path file = beside(onnx);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        JsonNode tree;
        try {
            tree = MAPPER.readTree(Files.readAllBytes(file));
        } catch (JsonProcessingException e) {
            throw new ToolchainException(
                    file + ": not JSON: expected an object that describes the model", e);
        } catch (IOException e) {
            throw new ToolchainException(file + ": cannot be read: " + e, e);
        }
        if (!(tree instanceof ObjectNode spec)) {
            throw new ToolchainException(
                    file + ": holds no object: expected one that describes the model");
        }
        return Optional.of(spec);
    }

    /**
     * The input's size as the JSON beside the model states it; empty where it does not.
     *
     * @throws ToolchainException if there is one that is no JSON object
     */
    public static Optional<InputSize> inputSize(Path onnx) {
        return read(onnx)
                .filter(spec -> spec.path("input_width").isInt())
                .filter(spec -> spec.path("input_height").isInt())
                .map(
                        spec ->
                                new InputSize(
                                        spec.get("input_width").intValue(),
                                        spec.get("input_height").intValue()));
    }

    public static void write(Path onnx, ObjectNode spec) {
        Path file = beside(onnx);
        try {
            Files.writeString(file, MAPPER.writeValueAsString(spec) + "\n");
        } catch (IOException e) {
            throw new ToolchainException(file + ": cannot be written: " + e, e);
        }
    }

    /**
     * Writes what is known of one model beside another that was made of it; nothing where nothing
     * is known. Checksums are of the first file, and left out.
     *
     * @param changed further fields that do not hold of the second
     */
    public static void carry(Path from, Path to, String... changed) {
        read(from)
                .ifPresent(
                        spec -> {
                            spec.remove("sha256");
                            spec.remove(List.of(changed));
                            write(to, spec);
                        });
    }
}

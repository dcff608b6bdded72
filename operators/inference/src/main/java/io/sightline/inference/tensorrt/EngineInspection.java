// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.inference.InferenceException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the layers of an engine from the JSON that TensorRT's inspector writes for one built with
 * detailed verbosity.
 *
 * <p>A layer stands for one node of the graph or for several: their names are joined in its own
 * ({@code conv + relu}, {@code conv1 || conv2}) and listed in its metadata ({@code [ONNX Layer:
 * conv]}). With several profiles every layer is there once for each, marked {@code [profile 1]}.
 *
 * <p>The format of a tensor whose batch is open is told only where the inspector was given a
 * context with a shape, and then only for the profile of that context. Where it is not told at all,
 * the type of the weights says in what a convolution computes, or else the name of its kernel.
 */
final class EngineInspection {

    private static final JsonMapper JSON =
            JsonMapper.builder()
                    .enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS)
                    .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
                    .build();

    private static final Pattern JOINED = Pattern.compile(" \\+ | \\|\\| ");
    private static final Pattern PROFILE = Pattern.compile(" ?\\[profile \\d+]$");
    private static final Pattern METADATA = Pattern.compile("\\[ONNX Layer: ([^\\]]*)]");

    private static final Pattern INT8 = Pattern.compile("int8|i8i8", Pattern.CASE_INSENSITIVE);
    private static final String NOT_TOLD = "N/A";

    /** Layers that compute something, by the nodes of the graph they stand for. */
    private final Map<String, List<Layer>> byNode = new HashMap<>();

    /** Those whose input's format is told, with their profile. */
    private final Set<String> told = new HashSet<>();

    /**
     * A layer of a profile.
     *
     * @param inputFormat as the inspector has it; empty where it does not tell
     * @param weights type of them; empty where it has none
     * @param kernel name of it; empty where the inspector does not tell
     */
    private record Layer(
            String name, String type, String inputFormat, String weights, String kernel) {

        boolean readsInt8() {
            return INT8.matcher(evidence()).find();
        }

        private String evidence() {
            return !inputFormat.isEmpty() ? inputFormat : !weights.isEmpty() ? weights : kernel;
        }

        String found() {
            if (!inputFormat.isEmpty()) {
                return type + " reads " + inputFormat;
            }
            if (!weights.isEmpty()) {
                return type + " has weights of " + weights;
            }
            return type + " reads an unknown format" + (kernel.isEmpty() ? "" : " by " + kernel);
        }
    }

    private EngineInspection() {}

    /**
     * @param jsons of the whole engine, one for each profile that its layers were asked of
     * @throws InferenceException if it is not the JSON of an engine built with detailed verbosity
     */
    static EngineInspection of(List<String> jsons) {
        EngineInspection inspection = new EngineInspection();
        jsons.forEach(json -> layers(json).forEach(inspection::add));
        return inspection;
    }

    private static JsonNode layers(String json) {
        JsonNode layers;
        try {
            layers = JSON.readTree(json).path("Layers");
        } catch (JsonProcessingException e) {
            throw new InferenceException(
                    "TensorRT's inspector gives what is no JSON: " + e.getOriginalMessage(), e);
        }
        if (!layers.isArray() || layers.isEmpty() || !layers.get(0).isObject()) {
            throw new InferenceException(
                    "TensorRT's inspector tells nothing of the layers: the engine was not built with detailed verbosity");
        }
        return layers;
    }

    private void add(JsonNode json) {
        String type = json.path("LayerType").asText();
        if (type.equals("Reformat")) {
            return;
        }
        String full = json.path("Name").asText();
        String format = json.path("Inputs").path(0).path("Format/Datatype").asText();
        Layer layer =
                new Layer(
                        full,
                        type,
                        format.startsWith(NOT_TOLD) ? "" : format,
                        json.path("Weights").path("Type").asText(),
                        json.path("TacticName").asText());
        if (!layer.inputFormat().isEmpty()) {
            told.add(full);
        }
        String name = PROFILE.matcher(full).replaceFirst("");
        List<String> nodes = new ArrayList<>(Arrays.asList(JOINED.split(name, -1)));
        Matcher metadata = METADATA.matcher(json.path("Metadata").asText());
        while (metadata.find()) {
            nodes.add(metadata.group(1));
        }
        nodes.stream()
                .distinct()
                .forEach(node -> byNode.computeIfAbsent(node, n -> new ArrayList<>()).add(layer));
    }

    /**
     * @param convolutions names of the quantised ones in the graph
     */
    Int8Report int8(List<String> convolutions) {
        List<String> exceptions = new ArrayList<>();
        for (String convolution : convolutions) {
            List<Layer> layers = byNode.getOrDefault(convolution, List.of());
            if (layers.isEmpty()) {
                exceptions.add(convolution + ": no layer bears its name");
            } else {
                layers.stream()
                        // Of a layer that is told with one context and not with another, the first.
                        .filter(
                                layer ->
                                        !layer.inputFormat().isEmpty()
                                                || !told.contains(layer.name()))
                        .filter(layer -> !layer.readsInt8())
                        .findFirst()
                        .ifPresent(layer -> exceptions.add(convolution + ": " + layer.found()));
            }
        }
        return new Int8Report(
                convolutions.size(), convolutions.size() - exceptions.size(), exceptions);
    }
}

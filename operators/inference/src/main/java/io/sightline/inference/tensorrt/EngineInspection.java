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
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the layers of an engine from the JSON that TensorRT's inspector writes for one built with
 * detailed verbosity.
 *
 * <p>A layer stands for one node of the graph or for several: their names are joined in its own
 * ({@code conv + relu}, {@code conv1 || conv2}) and listed in its metadata ({@code [ONNX Layer:
 * conv]}). With several profiles every layer is there once for each, marked {@code [profile 1]}.
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

    /** Layers that compute something, by the nodes of the graph they stand for. */
    private final Map<String, List<Layer>> byNode = new HashMap<>();

    private record Layer(String name, String type, String inputFormat) {

        boolean readsInt8() {
            return inputFormat.toLowerCase(Locale.ROOT).contains("int8");
        }
    }

    private EngineInspection() {}

    /**
     * @param json of the whole engine
     * @throws InferenceException if it is not the JSON of an engine built with detailed verbosity
     */
    static EngineInspection of(String json) {
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
        EngineInspection inspection = new EngineInspection();
        layers.forEach(inspection::add);
        return inspection;
    }

    private void add(JsonNode json) {
        String type = json.path("LayerType").asText();
        if (type.equals("Reformat")) {
            return;
        }
        String name = PROFILE.matcher(json.path("Name").asText()).replaceFirst("");
        Layer layer =
                new Layer(name, type, json.path("Inputs").path(0).path("Format/Datatype").asText());
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
                        .filter(layer -> !layer.readsInt8())
                        .findFirst()
                        .ifPresent(
                                layer ->
                                        exceptions.add(
                                                "%s: %s reads %s"
                                                        .formatted(
                                                                convolution,
                                                                layer.type(),
                                                                layer.inputFormat().isEmpty()
                                                                        ? "an unknown format"
                                                                        : layer.inputFormat())));
            }
        }
        return new Int8Report(
                convolutions.size(), convolutions.size() - exceptions.size(), exceptions);
    }
}

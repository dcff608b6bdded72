// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything that an engine depends on: equal keys, equal engines.
 *
 * @param onnxSha256 of the model file
 * @param sm compute capability that its kernels are for, such as sm_75
 * @param tensorRt version of the library that built it: no other version loads it
 * @param precision int8, fp16 or fp32
 * @param profiles batch sizes it is tuned for, such as 1,2-8,9-32
 * @param inputSize as the user or the ModelSpec states it; empty where only the graph does
 * @param flags how the builder was set beyond that
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
record EngineKey(
        String onnxSha256,
        String sm,
        String tensorRt,
        String precision,
        String profiles,
        String inputSize,
        String flags) {

    /** What distinguishes this engine from another in a sentence; empty where nothing does. */
    String difference(EngineKey other) {
        Map<String, String> mine = fields();
        Map<String, String> theirs = other.fields();
        List<String> differences = new ArrayList<>();
        for (Map.Entry<String, String> field : mine.entrySet()) {
            String value = theirs.get(field.getKey());
            if (!field.getValue().equals(value)) {
                differences.add(
                        "%s is %s, expected %s".formatted(field.getKey(), value, field.getValue()));
            }
        }
        return String.join(", ", differences);
    }

    /**
     * Its file name without an ending: readable, and another for every other key.
     *
     * @param model the model's short name
     */
    String fileName(String model) {
        return "%s-%s-%s-b%s-%s"
                .formatted(
                        model.replaceAll("[^A-Za-z0-9._-]", "_"),
                        sm.replace("_", ""),
                        precision,
                        profiles.substring(
                                Math.max(profiles.lastIndexOf(','), profiles.lastIndexOf('-')) + 1),
                        sha256(String.join("\n", fields().values())).substring(0, 12));
    }

    private Map<String, String> fields() {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("onnx_sha256", onnxSha256);
        fields.put("sm", sm);
        fields.put("tensor_rt", tensorRt);
        fields.put("precision", precision);
        fields.put("profiles", profiles);
        fields.put("input_size", inputSize);
        fields.put("flags", flags);
        return fields;
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(
                            MessageDigest.getInstance("SHA-256")
                                    .digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }
}

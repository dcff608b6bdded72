// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.check;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.List;
import java.util.Map;

/**
 * What an ONNX file is, what it costs, and what stands in its way.
 *
 * @param bytes size of the file
 * @param producer what wrote the file; empty where it does not say
 * @param opsets by domain; the standard operators' is {@code ai.onnx}
 * @param quantisation {@code none}, {@code static}, {@code dynamic} or {@code operators} (QLinear)
 * @param detector null where the job could not use it as one; a finding says why
 * @param operators most frequent first
 * @param unnamed how many nodes have no name
 * @param parameters of all layers
 * @param shapesKnown whether sizes and costs could be told; else layers have none
 * @param gflops of one frame: two operations a multiply-accumulate of the layers; 0 where unknown
 * @param layers convolutions and matrix products, in the graph's order
 */
public record CheckReport(
        String file,
        String sha256,
        long bytes,
        String producer,
        Map<String, Long> opsets,
        List<Port> inputs,
        List<Port> outputs,
        String quantisation,
        Detector detector,
        List<Operator> operators,
        int unnamed,
        long parameters,
        boolean shapesKnown,
        double gflops,
        Cost cost,
        List<Layer> layers,
        List<Finding> findings) {

    /** Of the programs that read the JSON. */
    private static final ObjectMapper MAPPER =
            JsonMapper.builder()
                    .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
                    .enable(SerializationFeature.WRITE_ENUMS_USING_TO_STRING)
                    .enable(SerializationFeature.INDENT_OUTPUT)
                    .build();

    /**
     * An input or output.
     *
     * @param type null where the file leaves it to the engine
     * @param shape sizes, or names of those left open
     */
    public record Port(String name, String type, List<String> shape) {

        @Override
        public String toString() {
            return "%s %s %s".formatted(name, type == null ? "?" : type, shape);
        }
    }

    /**
     * How the job would read it.
     *
     * @param layout of the output
     * @param width of the input, pixels
     * @param height of the input, pixels
     * @param bytesIn whether it takes the letterboxed bytes; else floats
     * @param batch frames of a run; 0 for any number
     * @param classes how many labels
     * @param suppress whether boxes are still to be suppressed
     * @param border of the letterbox, pixels
     * @param borderStated whether the JSON beside the model says so; else it is assumed
     */
    public record Detector(
            String layout,
            int width,
            int height,
            boolean bytesIn,
            int batch,
            int classes,
            boolean suppress,
            int border,
            boolean borderStated) {}

    /**
     * All nodes of one kind.
     *
     * @param operator with its domain where that is not the standard's
     * @param millis estimated, in float; 0 where unknown or nothing is computed
     */
    public record Operator(String operator, int count, double millis) {}

    /**
     * A convolution or matrix product. Sizes and costs are of one frame, and 0 where unknown.
     *
     * @param kind {@code 3x3/2}, {@code depthwise 5x5/1}, {@code transposed 2x2/2} or {@code
     *     matrix}
     * @param input shape; empty where unknown
     * @param output shape; empty where unknown
     * @param macs multiply-accumulates
     * @param elements read and written: input, weights and output
     * @param floatMillis estimated for {@link Cost#core()}
     * @param int8Millis estimated; a depthwise convolution's is its float time, as no instruction
     *     adds up products across channels for it
     * @param memoryBound whether memory rather than arithmetic sets its time, in float
     */
    public record Layer(
            String name,
            String operator,
            String kind,
            List<Long> input,
            List<Long> output,
            long parameters,
            long macs,
            long elements,
            double floatMillis,
            double int8Millis,
            boolean memoryBound) {

        boolean depthwise() {
            return kind.startsWith("depthwise");
        }
    }

    /**
     * Estimated, of one frame.
     *
     * @param core what it is estimated for
     * @param layerFloatMillis of the layers
     * @param layerInt8Millis of the layers, all of them in INT8
     * @param otherMillis of everything else, each operator by itself; an engine fuses many
     */
    public record Cost(
            String core, double layerFloatMillis, double layerInt8Millis, double otherMillis) {}

    /** For programs: an object, keys in snake_case. */
    public String toJson() {
        try {
            return MAPPER.writeValueAsString(this);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}

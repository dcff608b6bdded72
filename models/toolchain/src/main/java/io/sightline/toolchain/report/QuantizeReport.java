// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import io.sightline.toolchain.evaluate.Evaluation;
import io.sightline.toolchain.evaluate.ObjectSize;
import io.sightline.toolchain.evaluate.PairedBootstrap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Everything that one quantisation found out: what goes into {@code report.json}, and into the page
 * made from it. Times are milliseconds, sizes bytes, accuracies mAP 50-95 from 0 to 1 unless they
 * say otherwise. What was not measured is null.
 *
 * @param created ISO 8601
 * @param model the float detector
 * @param settings as given, file and flags together
 * @param images the three disjoint sets
 * @param floatAccuracy of the float model on the report set
 * @param targets one result for each engine asked for
 * @param layers each convolution, in the order it runs
 * @param variants other ways to quantise, for comparison, on the report set
 * @param lowBits simulated, on the report set
 * @param nodes what ONNX Runtime really ran of the INT8 file, slowest first
 * @param warnings what a reviewer should know
 * @param passed whether every gate of every target held
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record QuantizeReport(
        String created,
        Model model,
        Map<String, Object> settings,
        Machine machine,
        List<ImageSet> images,
        Accuracy floatAccuracy,
        List<TargetResult> targets,
        List<Layer> layers,
        List<Variant> variants,
        List<Variant> lowBits,
        List<RunNode> nodes,
        List<String> warnings,
        boolean passed) {

    /**
     * @param layout of its output
     * @param gflops 2 × multiply-accumulates of one picture
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Model(
            String name,
            String file,
            String sha256,
            long bytes,
            String layout,
            int inputWidth,
            int inputHeight,
            int border,
            long parameters,
            double gflops,
            List<String> preparation) {}

    /**
     * @param int8Instructions the widest that the CPU has for INT8
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Machine(
            String cpu, String int8Instructions, int cores, String java, String onnxruntime) {}

    /**
     * @param purpose calibrate, select or report
     * @param pictures file name to sha256
     * @param problems flat or doubled pictures and the like
     */
    public record ImageSet(
            String purpose, String path, Map<String, String> pictures, List<String> problems) {}

    /**
     * @param small objects below 32² pixels; medium below 96²; large the others
     */
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Accuracy(
            double map,
            double map50,
            double map75,
            Double small,
            Double medium,
            Double large,
            Map<String, Double> classes) {

        /** Of what an evaluation found; classes without objects are left out. */
        public static Accuracy of(Evaluation evaluation) {
            Map<String, Double> classes = new TreeMap<>();
            for (Evaluation.OfClass each : evaluation.classes()) {
                if (each.objects() > 0) {
                    classes.put(each.label(), each.map());
                }
            }
            return new Accuracy(
                    evaluation.map(),
                    evaluation.map50(),
                    evaluation.map75(),
                    finite(evaluation.map(ObjectSize.SMALL)),
                    finite(evaluation.map(ObjectSize.MEDIUM)),
                    finite(evaluation.map(ObjectSize.LARGE)),
                    classes);
        }

        private static Double finite(double value) {
            return Double.isFinite(value) ? value : null;
        }
    }

    /**
     * A difference in mAP 50-95 to the float model on the same images.
     *
     * @param low lower end of the 95% interval of a paired bootstrap over images
     */
    public record Difference(double delta, double low, double high) {

        public static Difference of(PairedBootstrap.Difference found) {
            return new Difference(found.delta(), found.low(), found.high());
        }
    }

    /**
     * @param target onnxruntime or tensorrt
     * @param file null where the float model is kept
     * @param int8Share of the multiply-accumulates of convolutions: as the runtime's profile shows
     *     them for onnxruntime, as the file asks for them for tensorrt
     * @param speed null for tensorrt: it is not timed on a CPU
     * @param kept what is to be deployed, and why, in one sentence
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record TargetResult(
            String target,
            String file,
            String sha256,
            Long bytes,
            String method,
            int weightBits,
            boolean corrected,
            Accuracy accuracy,
            Difference loss,
            double int8Share,
            List<FloatLayer> floatLayers,
            Speed speed,
            List<Gate> gates,
            boolean passed,
            String kept) {}

    /** A convolution that stays float, and why. */
    public record FloatLayer(String layer, String reason) {}

    /**
     * Medians of interleaved runs of one picture on one thread.
     *
     * @param floatMillis the float model as given
     * @param preparedMillis the float model with the same input and output as the INT8 one
     * @param ratio of the faster float one to INT8
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    public record Speed(
            double floatMillis,
            double preparedMillis,
            double int8Millis,
            double ratio,
            int rounds) {}

    /**
     * @param limit that the value has to keep
     */
    public record Gate(String what, double value, double limit, boolean passed) {}

    /**
     * @param share of all multiply-accumulates of convolutions
     * @param input element type in the file, of what it takes: uint8, int8 or float32
     * @param output the same of what it gives, behind its rectifier
     * @param runs what ONNX Runtime made of it: its operator's name
     * @param mse mean squared error of its output where only this layer is INT8
     * @param snr signal to noise of the same, dB
     * @param cosine similarity of the same
     * @param outputMse mean squared error of the network's output where only this layer is INT8
     * @param outputCosine similarity of the network's output where only this layer is INT8
     * @param apLoss mAP 50-95 on the select set where only this layer is INT8, minus float
     * @param floatMillis with the activation behind it
     * @param int8Millis the same in INT8, with conversions
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Layer(
            String name,
            String shape,
            long macs,
            double share,
            String input,
            String output,
            String runs,
            Double mse,
            Double snr,
            Double cosine,
            Double outputMse,
            Double outputCosine,
            Double apLoss,
            Double floatMillis,
            Double int8Millis,
            String decision) {}

    /**
     * @param name few words
     * @param what one sentence
     */
    @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
    @JsonInclude(JsonInclude.Include.NON_NULL)
    public record Variant(
            String name, String what, Double map, Difference loss, Double int8Share) {}

    /**
     * @param precision int8 (signed or not), float32 or another type that it computes with; mixed
     *     where it takes one and gives another
     */
    public record RunNode(String name, String operator, String precision, double millis) {}
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InferenceException;
import java.util.List;
import org.junit.jupiter.api.Test;

/** JSON in the form that TensorRT 10's inspector documents, with detailed verbosity. */
class EngineInspectionTest {

    private static final String INT8 = "Thirty-two wide channel vectorized row major Int8 format";
    private static final String FP16 = "Channel major FP16 format where channel % 8 == 0";

    private static String layer(String name, String type, String input, String metadata) {
        return """
        {"Name": "%s", "LayerType": "%s",
         "Inputs": [{"Name": "in", "Location": "Device", "Dimensions": [1,32,80,80],
                     "Format/Datatype": "%s"},
                    {"Name": "residual", "Format/Datatype": "Int8"}],
         "Outputs": [{"Name": "out", "Format/Datatype": "Int8"}],
         "ParameterType": "Convolution", "TacticValue": "0x0", "StreamId": 0, "Metadata": "%s"}"""
                .formatted(name, type, input, metadata);
    }

    private static Int8Report report(List<String> convolutions, String... layers) {
        return EngineInspection.of(List.of(json(layers))).int8(convolutions);
    }

    private static String json(String... layers) {
        return "{\"Layers\": [" + String.join(",", layers) + "], \"Bindings\": [\"images\"]}";
    }

    /** As the inspector shows a layer whose batch is open and whose profile it was not asked of. */
    private static String open(String name, String more) {
        return """
        {"Name": "%s", "LayerType": "CaskConvolution",
         "Inputs": [{"Name": "in", "Dimensions": [-1,32,80,80],
                     "Format/Datatype": "N/A due to dynamic shapes"}]%s}"""
                .formatted(name, more);
    }

    @Test
    void shouldTellByWeightsAndKernelWhereFormatsAreNotTold() {
        Int8Report report =
                report(
                        List.of("a", "b", "c", "d", "e"),
                        open("a", ", \"Weights\": {\"Type\": \"Int8\", \"Count\": 9216}"),
                        open("b", ", \"Weights\": {\"Type\": \"Half\", \"Count\": 9216}"),
                        open(
                                "c",
                                ", \"TacticName\": \"sm75_xmma_fprop_implicit_gemm_interleaved_i8i8_i8i32_f32\""),
                        open("d", ", \"TacticName\": \"sm75_xmma_fprop_implicit_gemm_f16f16\""),
                        open("e", ""));
        assertThat(report.int8()).isEqualTo(2);
        assertThat(report.exceptions())
                .containsExactly(
                        "b: CaskConvolution has weights of Half",
                        "d: CaskConvolution reads an unknown format by sm75_xmma_fprop_implicit_gemm_f16f16",
                        "e: CaskConvolution reads an unknown format");
    }

    @Test
    void shouldTakeALayersFormatFromTheContextOfItsOwnProfile() {
        String ofFirst =
                json(
                        layer("stem [profile 0]", "CaskConvolution", INT8, ""),
                        layer("head [profile 0]", "CaskConvolution", INT8, ""),
                        open("stem [profile 1]", ""),
                        open("head [profile 1]", ""));
        String ofSecond =
                json(
                        open("stem [profile 0]", ""),
                        open("head [profile 0]", ""),
                        layer("stem [profile 1]", "CaskConvolution", INT8, ""),
                        layer("head [profile 1]", "CaskConvolution", FP16, ""));
        assertThat(EngineInspection.of(List.of(ofFirst, ofSecond)).int8(List.of("stem", "head")))
                .isEqualTo(new Int8Report(2, 1, List.of("head: CaskConvolution reads " + FP16)));
    }

    @Test
    void shouldFindConvolutionsByTheNamesThatAreJoinedInTheirLayers() {
        Int8Report report =
                report(
                        List.of("stem", "left", "right", "tail"),
                        layer(
                                "stem.weight + stem_q + stem + stem_relu",
                                "CaskConvolution",
                                INT8,
                                ""),
                        layer("left || right", "CaskConvolution", INT8, ""),
                        layer(
                                "fused_12",
                                "CaskConvolution",
                                INT8,
                                "[ONNX Layer: tail_q]\\u001e[ONNX Layer: tail]"));
        assertThat(report).isEqualTo(new Int8Report(4, 4, List.of()));
    }

    @Test
    void shouldListWhatReadsSomethingElse() {
        Int8Report report =
                report(
                        List.of("stem", "head", "gone"),
                        layer("stem", "CaskConvolution", INT8, ""),
                        layer("head + head_relu", "CaskConvolution", FP16, ""));
        assertThat(report.quantised()).isEqualTo(3);
        assertThat(report.int8()).isEqualTo(1);
        assertThat(report.exceptions())
                .containsExactly(
                        "head: CaskConvolution reads " + FP16, "gone: no layer bears its name");
    }

    @Test
    void shouldLookAtEveryProfile() {
        Int8Report report =
                report(
                        List.of("stem", "head"),
                        layer("stem [profile 0]", "CaskConvolution", INT8, ""),
                        layer("head [profile 0]", "CaskConvolution", INT8, ""),
                        layer("stem [profile 1]", "CaskConvolution", INT8, ""),
                        layer("head [profile 1]", "CaskConvolution", FP16, ""));
        assertThat(report.int8()).isEqualTo(1);
        assertThat(report.exceptions()).containsExactly("head: CaskConvolution reads " + FP16);
    }

    @Test
    void shouldNotTakeACopyThatIsNamedAfterALayerForTheLayer() {
        Int8Report report =
                report(
                        List.of("head"),
                        layer(
                                "Reformatting CopyNode for Input Tensor 0 to stem + head",
                                "Reformat",
                                "Row major linear FP32",
                                ""),
                        layer("stem + head", "CaskConvolution", INT8, ""));
        assertThat(report.exceptions()).isEmpty();
    }

    @Test
    void shouldBearWhatTensorRtWritesBesidesJson() {
        Int8Report report =
                report(
                        List.of("stem"),
                        layer("stem", "CaskConvolution", INT8, "a\u001eb")
                                .replace(
                                        "\"StreamId\": 0", "\"Alpha\": nan".replace("nan", "NaN")));
        assertThat(report.int8()).isEqualTo(1);
    }

    @Test
    void shouldRefuseAnEngineThatTellsNamesOnly() {
        assertThatThrownBy(() -> EngineInspection.of(List.of("{\"Layers\": [\"stem\", \"head\"]}")))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("was not built with detailed verbosity");
        assertThatThrownBy(() -> EngineInspection.of(List.of("{}")))
                .hasMessageContaining("detailed verbosity");
        assertThatThrownBy(() -> EngineInspection.of(List.of("Layers:")))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("no JSON");
    }
}

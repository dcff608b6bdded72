// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static io.sightline.inference.testing.OnnxGraph.FLOAT32;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelFile;
import io.sightline.inference.testing.OnnxGraph;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrecisionTest {

    @TempDir Path folder;

    private ModelFile floating() {
        return ModelFile.read(
                new OnnxGraph()
                        .input("images", FLOAT32, 1, 3, 64, 64)
                        .floats("w", new int[] {4, 3, 1, 1}, new float[12])
                        .node("Conv", "conv", List.of("images", "w"))
                        .output("conv", FLOAT32, 1, 4, 64, 64)
                        .write(folder.resolve("float.onnx")));
    }

    private ModelFile quantised(String target) throws Exception {
        Path onnx =
                new OnnxGraph()
                        .input("images", FLOAT32, 1, 3, 64, 64)
                        .floats("w", new int[] {4, 3, 1, 1}, new float[12])
                        .floats("scale", new int[] {}, 0.1f)
                        .node("QuantizeLinear", "images_q", List.of("images", "scale"))
                        .node("DequantizeLinear", "images_dq", List.of("images_q", "scale"))
                        .node("QuantizeLinear", "w_q", List.of("w", "scale"))
                        .node("DequantizeLinear", "w_dq", List.of("w_q", "scale"))
                        .node("Conv", "both", List.of("images_dq", "w_dq"))
                        .node("Conv", "data_alone", List.of("images_dq", "w"))
                        .node("Conv", "neither", List.of("images", "w"))
                        .output("both", FLOAT32, 1, 4, 64, 64)
                        .write(folder.resolve("quantised.onnx"));
        Files.writeString(folder.resolve("quantised.json"), "{\"target\": \"" + target + "\"}");
        return ModelFile.read(onnx);
    }

    @Test
    void shouldSuitTheModelWhereTheUserLeavesItOpen() throws Exception {
        assertThat(Precision.of(floating(), null)).isEqualTo(Precision.FP16);
        assertThat(Precision.of(floating(), Precision.FP32)).isEqualTo(Precision.FP32);
        assertThat(Precision.of(quantised("tensorrt"), null)).isEqualTo(Precision.INT8);
        assertThat(Precision.of(quantised("tensorrt"), Precision.INT8)).isEqualTo(Precision.INT8);
    }

    @Test
    void shouldRefuseWhatTheModelCannotBeRunIn() throws Exception {
        assertThatThrownBy(() -> Precision.of(floating(), Precision.INT8))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("float.onnx: has no Q/DQ pairs")
                .hasMessageContaining("./sightline model quantize --target tensorrt");
        ModelFile quantised = quantised("tensorrt");
        assertThatThrownBy(() -> Precision.of(quantised, Precision.FP16))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("use --precision int8, or the float model for fp16");
    }

    @Test
    void shouldRefuseAModelForAnotherEngine() throws Exception {
        ModelFile other = quantised("onnxruntime");
        assertThatThrownBy(() -> Precision.of(other, null))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("is quantised for onnxruntime, which TensorRT cannot take")
                .hasMessageContaining("--target tensorrt");
    }

    @Test
    void shouldKnowTheConvolutionsThatAreQuantised() throws Exception {
        assertThat(quantised("tensorrt").quantisedConvolutions()).containsExactly("both");
        assertThat(floating().quantisedConvolutions()).isEmpty();
    }
}

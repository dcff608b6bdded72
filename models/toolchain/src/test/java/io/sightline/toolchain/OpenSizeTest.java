// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.RawOutput;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackend;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.inference.testing.TestModels;
import io.sightline.toolchain.check.CheckReport;
import io.sightline.toolchain.check.Checker;
import io.sightline.toolchain.fuse.Fuser;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.TensorShapes;
import io.sightline.toolchain.graph.ValueInfo.Dim;
import io.sightline.toolchain.prepare.PrepareSettings;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.prepare.Preparer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Networks that leave the size of their pictures open, while the JSON states the usual one. */
class OpenSizeTest {

    @TempDir Path folder;

    private Path model;

    @BeforeEach
    void writeModel() {
        model = TestModels.openDetector(folder);
    }

    /** Sizes, −1 where open: of the file alone, whatever the JSON beside it says. */
    private static long[] inputOfFile(Path onnx) throws Exception {
        return Graph.of(Files.readAllBytes(onnx)).inputs().get(0).dims().stream()
                .mapToLong(Dim::size)
                .toArray();
    }

    private static float[] run(Path onnx, int width, int height) {
        ModelOptions options =
                new ModelOptions(
                        Optional.empty(),
                        OptionalInt.empty(),
                        Optional.of(new InputSize(width, height)));
        try (OnnxRuntimeBackend backend =
                        OnnxRuntimeBackend.open(
                                ModelFile.read(onnx), options, 1, SessionSettings.reference(1));
                var buffer = backend.newBuffer()) {
            byte[] picture = new byte[3 * width * height];
            new Random(5).nextBytes(picture);
            buffer.slot(0).put(0, picture);
            backend.submit(buffer, 1);
            RawOutput.Tensor output = backend.await(buffer).tensors().get(0);
            float[] values = new float[output.rowSize()];
            output.floats().get(0, values);
            return values;
        }
    }

    @Test
    void shouldWorkOnThemAtTheUsualSizeAndWriteThemOpen() throws Exception {
        Graph graph = Graph.read(model);
        assertThat(graph.inputs()).hasToString("['images' UINT8 [batch, height, width, 3]]");
        assertThat(TensorShapes.of(graph).of("cells")).containsExactly(1, 3, 2, 2);
        Path written = folder.resolve("written.onnx");
        graph.copy().write(written);
        assertThat(inputOfFile(written)).containsExactly(-1, -1, -1, 3);
    }

    @Test
    void shouldLeaveThemOpenWhereNobodyKnowsASize() throws Exception {
        Files.delete(SpecFile.beside(model));
        Graph graph = Graph.read(model);
        assertThatThrownBy(() -> Fuser.fuse(graph, false))
                .isInstanceOf(ToolchainException.class)
                .hasMessageContaining("leaves its size open: state \"input_width\"");
    }

    @Test
    void shouldFuseThemForEverySize() throws Exception {
        Path fused = folder.resolve("fused.onnx");
        Fuser.fuse(Graph.read(model), false).graph().write(fused);
        SpecFile.carry(model, fused);
        assertThat(inputOfFile(fused)).containsExactly(-1, -1, -1, 3);
        assertThat(run(fused, 96, 64)).isEqualTo(run(model, 96, 64));
    }

    @Test
    void shouldPrepareThemForEverySize() throws Exception {
        Prepared prepared =
                Preparer.prepare(model, ModelOptions.NONE, PrepareSettings.of(Target.ONNXRUNTIME));
        Path written = folder.resolve("prepared.onnx");
        ModelFile file = prepared.write(written);
        assertThat(file.inputSize()).contains(new InputSize(64, 64));
        assertThat(inputOfFile(written)).containsExactly(-1, -1, -1, 3);
        assertThat(run(written, 96, 64)).isEqualTo(run(model, 96, 64));
    }

    /** Of the four cells of the usual size all are kept, of the six of another the best four. */
    @Test
    void shouldKeepAsManyRowsAsTheUsualSizeHas() throws Exception {
        Prepared prepared =
                Preparer.prepare(model, ModelOptions.NONE, PrepareSettings.of(Target.TENSORRT));
        Path written = folder.resolve("prepared.onnx");
        prepared.write(written);
        assertThat(inputOfFile(written)).containsExactly(-1, -1, -1, 3);
        assertThat(run(written, 64, 64)).hasSize(12 * 6);
        assertThat(run(written, 96, 64)).hasSize(12 * 6);
    }

    @Test
    void shouldCheckThemAtTheUsualSize() {
        CheckReport report = Checker.check(model);
        assertThat(report.shapesKnown()).isTrue();
        assertThat(report.detector().width()).isEqualTo(64);
        assertThat(report.inputs().get(0).shape()).containsExactly("batch", "height", "width", "3");
    }
}

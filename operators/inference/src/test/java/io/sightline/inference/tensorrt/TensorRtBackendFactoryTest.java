// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InferenceException;
import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TensorRtBackendFactoryTest {

    @TempDir Path folder;

    private static TensorRtBackendFactory factory(String model, Integer... gpus) {
        return new TensorRtBackendFactory(
                model, null, null, null, 32, 32, Precision.FP16, List.of(gpus), "engines");
    }

    @Test
    void shouldTakeTheGpusThatFlinkAssignsWhereTheUserNamesNone() {
        TensorRtBackendFactory factory = factory("m.onnx");
        assertThat(factory.defaultLanes()).isEqualTo(1);
        assertThat(factory.onGpus(List.of())).isEqualTo(factory);
        assertThat(factory.onGpus(List.of(1, 3))).isEqualTo(factory("m.onnx", 1, 3));
        assertThat(factory.onGpus(List.of(1, 3)).defaultLanes()).isEqualTo(2);
        assertThat(factory("m.onnx", 2).onGpus(List.of(1, 3))).isEqualTo(factory("m.onnx", 2));
    }

    @Test
    void shouldStayTheSameOnItsWayToATaskManager() throws Exception {
        TensorRtBackendFactory factory = factory("m.onnx");
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(factory);
        }
        try (ObjectInputStream in =
                new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            assertThat(in.readObject()).isEqualTo(factory);
        }
    }

    @Test
    void shouldEstimateItsLibrariesOnceAndTheModelForEveryLane() throws Exception {
        Path model = Files.write(folder.resolve("m.onnx"), new byte[1000]);
        for (TensorRtBackendFactory factory :
                List.of(factory(model.toString()), factory(model.toString(), 0, 1, 2))) {
            assertThat(factory.estimatedProcessBytes()).isEqualTo(512L << 20);
            assertThat(factory.estimatedLaneBytes()).isEqualTo(1000);
        }
    }

    @Test
    void shouldNameAModelThatIsNotThere() {
        assertThatThrownBy(() -> factory("none.onnx").open(1))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("none.onnx: no such file");
        assertThat(factory("none.onnx").estimatedLaneBytes()).isZero();
    }

    @Test
    void shouldKeyEnginesByAllTheyDependOnAndSayHowToBuildThemAnew() {
        Path onnx =
                TestModels.anchorDetector(
                        folder, 96, 96, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR);
        ModelFile model = ModelFile.read(onnx);
        GpuDevice t4 = new GpuDevice(2, "Tesla T4", 7, 5, "10.6.0.26");
        TensorRtEngines engines =
                new TensorRtEngines(
                        model,
                        new ModelOptions(
                                Optional.empty(),
                                OptionalInt.empty(),
                                Optional.of(new InputSize(96, 96))),
                        null,
                        16,
                        "engines");
        assertThat(engines.key(t4))
                .isEqualTo(
                        new EngineKey(
                                model.sha256(),
                                "sm_75",
                                "10.6.0.26",
                                "fp16",
                                "1,2-8,9-16",
                                "96x96",
                                "weakly-typed-1"));
        assertThat(engines.rebuildCommand(t4))
                .isEqualTo(
                        "./sightline model build --onnx "
                                + onnx
                                + " --max-batch 16 --precision fp16 --gpu-device 2 --engine-cache engines --input-size 96x96 --rebuild");
    }
}

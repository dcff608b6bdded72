// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.InputSize;
import io.sightline.inference.ModelFile;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.onnxruntime.OnnxRuntimeBackendFactory;
import io.sightline.inference.tensorrt.TensorRtBackendFactory;
import io.sightline.inference.testing.TestModels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class BundledBackendFactoryTest {

    /** On the class path of the tests, as the bundled model is on the job's. */
    private static final String RESOURCE = "/models-of-tests/colour-detector";

    private static Path onnx;

    @BeforeAll
    static void writeModel() throws Exception {
        Path classes = Path.of(BundledBackendFactoryTest.class.getResource("/").toURI());
        Path folder = Files.createDirectories(classes.resolve("models-of-tests"));
        onnx = TestModels.colourDetector(folder, 64, 64, 1, ModelSpec.InputFormat.BYTES_NHWC_BGR);
    }

    private static BundledBackendFactory factory(String resource) {
        return new BundledBackendFactory(
                new OnnxRuntimeBackendFactory(resource, null, null, null, 1));
    }

    private static List<Path> unpacked() throws Exception {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(
                            file -> file.getFileName().toString().startsWith("sightline-model-"))
                    .toList();
        }
    }

    @Test
    void shouldOpenAModelOfTheClassPathWithItsSpecAndLeaveNothingBehind() throws Exception {
        List<Path> before = unpacked();
        List<InferenceBackend> lanes = factory(RESOURCE).open(2);
        try {
            assertThat(unpacked()).isEqualTo(before);
            assertThat(lanes).hasSize(2);
            assertThat(lanes.get(0).spec().name()).isEqualTo("colour-detector");
            assertThat(lanes.get(0).spec().licence()).isEqualTo("Apache-2.0");
        } finally {
            lanes.forEach(InferenceBackend::close);
        }
        assertThat(factory(RESOURCE).estimatedLaneBytes()).isEqualTo(4 * Files.size(onnx));
    }

    @Test
    void shouldStayTheSameOnItsWayToATaskManager() throws Exception {
        BundledBackendFactory factory =
                new BundledBackendFactory(
                        new OnnxRuntimeBackendFactory(
                                RESOURCE, null, 3, new InputSize(640, 384), 1));
        BundledBackendFactory arrived =
                InstantiationUtil.deserializeObject(
                        InstantiationUtil.serializeObject(factory), getClass().getClassLoader());
        assertThat(arrived).isEqualTo(factory);
    }

    @Test
    void shouldSayThatABuildBundlesNoModelAndLeaveNothingBehind() throws Exception {
        List<Path> before = unpacked();
        assertThatThrownBy(() -> factory("/models/none").open(1))
                .isInstanceOf(InferenceException.class)
                .hasMessage(
                        "no models/none.onnx on the class path: this build has no bundled model, name one with --model FILE");
        assertThat(unpacked()).isEqualTo(before);
    }

    @Test
    void shouldBeWhatRunsWhereNoModelIsNamed() {
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice)).parseArgs("--input-size=640x640");
        assertThat(choice.backendFactory(2))
                .isEqualTo(
                        new BundledBackendFactory(
                                new OnnxRuntimeBackendFactory(
                                        "/models/sightline-n6",
                                        null,
                                        null,
                                        new InputSize(640, 640),
                                        2)));
    }

    @Test
    void shouldBringTheFileThatIsForTensorRtWhereThatRuns() {
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice))
                .parseArgs("--backend=tensorrt", "--gpu-device=1", "--input-size=640x640");
        BackendFactory factory = choice.backendFactory(8);
        assertThat(factory)
                .isEqualTo(
                        new BundledBackendFactory(
                                new TensorRtBackendFactory(
                                        "/models/sightline-n6-tensorrt",
                                        null,
                                        null,
                                        new InputSize(640, 640),
                                        8,
                                        8,
                                        null,
                                        List.of(1),
                                        null)));
        assertThat(factory.backend()).isEqualTo("tensorrt");
        assertThat(factory.defaultLanes()).isEqualTo(1);
        assertThat(factory.estimatedProcessBytes()).isEqualTo(512L << 20);
        assertThat(factory.estimatedLaneBytes()).isBetween(1L << 20, 64L << 20);
    }

    @Test
    void shouldRunOnTheGpusOfTheTaskManager() {
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice)).parseArgs("--backend=tensorrt");
        BackendFactory here = choice.backendFactory(8).onGpus(List.of(2, 3));
        assertThat(here.defaultLanes()).isEqualTo(2);
        assertThat(here).isInstanceOf(BundledBackendFactory.class);
    }

    @Test
    void shouldBringOneDetectorForBothEngines() throws Exception {
        Path folder = Path.of("src/main/resources/models");
        ModelFile cpu = ModelFile.read(folder.resolve("sightline-n6.onnx"));
        ModelFile gpu = ModelFile.read(folder.resolve("sightline-n6-tensorrt.onnx"));
        assertThat(cpu.target()).contains("onnxruntime");
        assertThat(gpu.target()).contains("tensorrt");
        assertThat(gpu.name()).isEqualTo(cpu.name());
        assertThat(gpu.precision()).isEqualTo("int8");
        assertThat(gpu.inputSize()).isEqualTo(cpu.inputSize());
        assertThat(gpu.border()).isEqualTo(cpu.border());
        assertThat(Files.size(cpu.path()) + Files.size(gpu.path())).isLessThan(12_000_000);
        String card = Files.readString(folder.resolve("MODEL_CARD.md"));
        assertThat(card).contains(cpu.sha256(), gpu.sha256());
    }

    @ParameterizedTest
    @ValueSource(strings = {"640x640", "416x416", "384x640"})
    void shouldOpenAtOtherSizes(String size) {
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice)).parseArgs("--input-size=" + size);
        try (InferenceBackend lane = choice.backendFactory(1).open(1).get(0)) {
            assertThat(lane.spec().inputWidth() + "x" + lane.spec().inputHeight()).isEqualTo(size);
            int cells = lane.spec().inputWidth() * lane.spec().inputHeight() / (32 * 32);
            // Rows of 4 + 1 + 6 floats, at strides 8, 16 and 32: known before any run.
            assertThat(lane.bufferBytes())
                    .isEqualTo(lane.spec().slotBytes() + 4L * 11 * 21 * cells);
        }
    }

    @Test
    void shouldBringAModelThatKnowsPersonsAndVehicles() {
        boolean there = getClass().getResource("/models/sightline-n6.onnx") != null;
        if (!there) {
            System.out.println("skipped: no bundled model in this build");
        }
        assumeTrue(there, "no bundled model in this build");
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice)).parseArgs();
        try (InferenceBackend lane = choice.backendFactory(1).open(1).get(0)) {
            ModelSpec spec = lane.spec();
            assertThat(spec.labels())
                    .containsExactly("person", "bicycle", "car", "motorcycle", "bus", "truck");
            assertThat(spec.inputWidth()).isEqualTo(640);
            assertThat(spec.inputHeight()).isEqualTo(384);
            assertThat(spec.precision()).isEqualTo("int8");
            assertThat(spec.licence()).isNotEmpty();
        }
    }
}

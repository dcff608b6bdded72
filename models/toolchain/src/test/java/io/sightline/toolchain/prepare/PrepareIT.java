// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.prepare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.testing.SharedFiles;
import io.sightline.inference.ModelOptions;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.fuse.Fuser;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.testing.FoundObjects;
import io.sightline.vision.Detections;
import io.sightline.vision.NmsSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Real detectors: prepared they find in real pictures what they found before. */
class PrepareIT {

    private static final int PICTURES = 6;
    private static final int TOP_K = 1000;

    @TempDir Path folder;

    private static PrepareSettings settings(Target target) {
        return new PrepareSettings(target, OptionalInt.empty(), OptionalInt.of(TOP_K));
    }

    @ParameterizedTest
    @CsvSource({
        "yolov5n-640, ONNXRUNTIME",
        "yolov5n-640, TENSORRT",
        "yolov6-lite-s-320, ONNXRUNTIME",
        "yolov6-lite-s-320, TENSORRT",
        "yolov8n-320-qdq-int8, ONNXRUNTIME"
    })
    void shouldFindWhatTheModelFoundBefore(String model, Target target) throws Exception {
        Path file = SharedFiles.require("models/" + model + ".onnx");
        Prepared prepared = Preparer.prepare(file, ModelOptions.NONE, settings(target));
        prepared.steps().forEach(step -> System.out.println(model + ": " + step));
        Path written = folder.resolve("prepared.onnx");
        prepared.write(written);

        assertThat(prepared.spec().dynamicBatch()).isTrue();
        assertThat(prepared.graph().outputs().get(0)).asString().endsWith("FLOAT [batch, 1000, 6]");
        // The file for the other engine as ONNX defines it: what it computes is what counts.
        boolean optimise = target == Target.ONNXRUNTIME;
        NmsSettings everyClass = new NmsSettings(0.2f, 0.65f, 30_000, 300, true);
        List<Detections> before =
                detect(
                        file,
                        bordered(prepared),
                        1,
                        optimise,
                        NmsSettings.infer(0.4f, 0.45f),
                        everyClass);
        List<Detections> after =
                detect(
                        written,
                        ModelOptions.NONE,
                        3,
                        optimise,
                        NmsSettings.infer(0.4f, 0.45f),
                        everyClass);
        for (int i = 0; i < before.size(); i++) {
            FoundObjects.assertSame(before.get(i), after.get(i), model + " picture " + i / 2);
        }
    }

    /** With the border that was assumed for the prepared model, which its JSON states. */
    private static ModelOptions bordered(Prepared prepared) {
        return new ModelOptions(Optional.empty(), OptionalInt.of(prepared.spec().border()));
    }

    private static List<Detections> detect(
            Path model, ModelOptions options, int batch, boolean optimise, NmsSettings... settings)
            throws Exception {
        List<Path> pictures;
        try (Stream<Path> files =
                Files.list(SharedFiles.require("data/coco-val-dev/images")).sorted()) {
            pictures = files.limit(PICTURES).toList();
        }
        return FoundObjects.in(pictures, model, options, batch, optimise, settings);
    }

    @Test
    void shouldFreeABatchThatTheRowsOfAllFramesShare() throws Exception {
        Path dynamic = SharedFiles.require("models/yolov10n-640-dynamic-int8.onnx");
        Graph graph = Fuser.fuse(Graph.read(dynamic), true).graph();
        Path file = folder.resolve("yolov10n.onnx");
        graph.write(file);

        Prepared prepared = Preparer.prepare(file, ModelOptions.NONE, settings(Target.ONNXRUNTIME));

        prepared.steps().forEach(step -> System.out.println("yolov10n: " + step));
        assertThat(prepared.spec().dynamicBatch()).isTrue();
        assertThat(prepared.steps()).anyMatch(s -> s.contains("pairs is compact: left as it is"));
        assertThat(prepared.spec().suppress()).isFalse();
        Path written = folder.resolve("prepared.onnx");
        prepared.write(written);
        NmsSettings nms = NmsSettings.infer(0.4f, 0.45f);
        List<Detections> before = detect(file, bordered(prepared), 1, true, nms);
        List<Detections> after = detect(written, ModelOptions.NONE, 3, true, nms);
        for (int i = 0; i < before.size(); i++) {
            FoundObjects.assertSame(before.get(i), after.get(i), "picture " + i);
        }
        assertThat(before.stream().mapToInt(Detections::size).sum()).isGreaterThan(PICTURES);
    }

    @Test
    void shouldSayWhyADynamicallyQuantisedModelKeepsItsBatch() throws Exception {
        Path file = SharedFiles.require("models/yolov10n-640-dynamic-int8.onnx");
        Prepared prepared = Preparer.prepare(file, ModelOptions.NONE, settings(Target.ONNXRUNTIME));
        prepared.steps().forEach(step -> System.out.println("yolov10n dynamic: " + step));
        assertThat(prepared.steps())
                .anyMatch(
                        step ->
                                step.startsWith("batch is fixed at 1: DynamicQuantizeLinear")
                                        && step.contains("fuse --dequantize"));
        assertThat(prepared.spec().dynamicBatch()).isFalse();
    }

    @Test
    void shouldLoseNothingThatFewerRowsCanHold() throws Exception {
        Path file = SharedFiles.require("models/yolov6-lite-s-320.onnx");
        Prepared few =
                Preparer.prepare(
                        file,
                        ModelOptions.NONE,
                        new PrepareSettings(
                                Target.ONNXRUNTIME, OptionalInt.of(1), OptionalInt.of(40)));
        Path written = folder.resolve("prepared.onnx");
        few.write(written);
        NmsSettings nms = NmsSettings.infer(0.6f, 0.45f);
        List<Detections> before = detect(file, bordered(few), 1, true, nms);
        List<Detections> after = detect(written, ModelOptions.NONE, 1, true, nms);
        for (int i = 0; i < before.size(); i++) {
            if (after.get(i).size() > 0) {
                assertThat(after.get(i).confidence(0))
                        .isCloseTo(before.get(i).confidence(0), within(1e-4f));
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.ModelSpec;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.OutputLayout;
import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.fuse.Fuser;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.graph.ValueInfo;
import io.sightline.toolchain.prepare.PrepareSettings;
import io.sightline.toolchain.prepare.Prepared;
import io.sightline.toolchain.prepare.Preparer;
import io.sightline.toolchain.testing.RandomGraphs;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;

/** The whole chain on detectors that nobody thought of; preparing proves each of its steps. */
class RandomGraphsPrepareTest {

    /** Boxes in pixels and scores, behind a dozen layers of 8 bits, dB. */
    private static final double LEAST_SNR = 8;

    private static ModelSpec spec(Graph graph) {
        ValueInfo input = graph.inputs().get(0);
        return new ModelSpec(
                "random",
                "0".repeat(64),
                (int) input.dims().get(3).size(),
                (int) input.dims().get(2).size(),
                InputFormat.FLOAT_NCHW_RGB,
                1,
                false,
                3,
                114,
                IntStream.range(0, RandomGraphs.CLASSES).mapToObj(i -> "class-" + i).toList(),
                OutputLayout.ANCHORS_OBJ,
                true,
                0.4f,
                0.45f,
                "fp32",
                "MIT",
                "made here");
    }

    @Property(tries = 15, seed = "5")
    void shouldPrepareAndQuantizeAnyDetector(@ForAll @LongRange(min = 0, max = 100_000) long seed) {
        Graph fused = Fuser.fuse(RandomGraphs.detector(seed), false).graph();
        CalibrationTable table = null;
        for (Target target : Target.values()) {
            Prepared prepared =
                    Preparer.prepare(
                            fused,
                            spec(fused),
                            new PrepareSettings(target, OptionalInt.empty(), OptionalInt.empty()));
            Graph graph = prepared.graph();
            assertThat(prepared.steps())
                    .as("seed %d", seed)
                    .anyMatch(step -> step.startsWith("proven: bytes give"))
                    .anyMatch(step -> step.startsWith("proven: 2 and 3 frames"));
            assertThat(prepared.spec().dynamicBatch()).isTrue();
            assertThat(prepared.spec().inputFormat()).isEqualTo(InputFormat.BYTES_NHWC_BGR);
            if (table == null) {
                table = SmallNet.observed(graph);
            }

            // One table serves both.
            Quantizer.Result result =
                    Quantizer.quantize(graph, table, QuantizePlan.of(target, RangeMethod.MAX));
            result.graph().validate();
            GraphSession.open(result.graph().toBytes(), SessionSettings.serving(1)).close();
            assertThat(result.int8Layers()).isEqualTo(Quantizer.layers(fused));
            Agreement agreement =
                    SmallNet.agreement(
                            SmallNet.values(graph, "outputs", false),
                            SmallNet.values(result.graph(), "outputs", false));
            assertThat(agreement.snr()).as("%s, seed %d", target, seed).isGreaterThan(LEAST_SNR);
        }
    }
}

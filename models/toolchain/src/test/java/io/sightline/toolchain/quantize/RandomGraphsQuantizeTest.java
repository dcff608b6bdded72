// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.onnxruntime.GraphSession;
import io.sightline.inference.onnxruntime.SessionSettings;
import io.sightline.toolchain.Target;
import io.sightline.toolchain.calibrate.CalibrationTable;
import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.fuse.Fuser;
import io.sightline.toolchain.graph.Graph;
import io.sightline.toolchain.testing.RandomGraphs;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;

/** The chain on networks that nobody thought of. */
class RandomGraphsQuantizeTest {

    /** Rounding to 8 bits in a dozen layers leaves at least this, dB. */
    private static final double LEAST_SNR = 8;

    @Property(tries = 40, seed = "11")
    void shouldFuseAndQuantizeAnyNetwork(@ForAll @LongRange(min = 0, max = 100_000) long seed) {
        Graph fused = Fuser.fuse(RandomGraphs.plain(seed), false).graph();
        CalibrationTable table = SmallNet.observed(fused);
        String output = fused.outputs().get(0).name();
        float[] truth = SmallNet.values(fused, output, false);
        for (Target target : Target.values()) {
            Quantizer.Result result =
                    Quantizer.quantize(fused, table, QuantizePlan.of(target, RangeMethod.MAX));
            result.graph().validate();
            GraphSession.open(result.graph().toBytes(), SessionSettings.serving(1)).close();
            assertThat(result.int8Layers()).isEqualTo(Quantizer.layers(fused));
            Agreement agreement =
                    SmallNet.agreement(truth, SmallNet.values(result.graph(), output, false));
            assertThat(agreement.snr()).as("%s, seed %d", target, seed).isGreaterThan(LEAST_SNR);
        }
        assertThat(List.copyOf(fused.nodes())).noneMatch(node -> node.is("QuantizeLinear"));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.Progress;
import io.sightline.toolchain.report.QuantizeReport;
import java.time.Clock;

/** Holds the place of the run. */
public final class QuantizeRun {

    private QuantizeRun() {}

    public static QuantizeReport run(QuantizeSettings settings, Progress progress, Clock clock) {
        return null;
    }
}

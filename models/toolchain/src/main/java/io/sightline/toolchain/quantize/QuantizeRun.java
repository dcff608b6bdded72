// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.quantize;

import io.sightline.toolchain.Progress;
import io.sightline.toolchain.ToolchainException;
import io.sightline.toolchain.report.QuantizeReport;
import java.nio.file.Files;
import java.time.Clock;

/** Holds the place of the run. */
public final class QuantizeRun {

    private QuantizeRun() {}

    public static QuantizeReport run(QuantizeSettings settings, Progress progress, Clock clock) {
        if (!Files.isRegularFile(settings.model())) {
            throw new ToolchainException("model " + settings.model() + ": no such file");
        }
        return null;
    }
}

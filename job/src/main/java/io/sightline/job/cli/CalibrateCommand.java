// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.toolchain.quantize.QuantizeRun;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ./sightline model calibrate}: the first part of a quantisation, on its own. */
@Command(
        name = "calibrate",
        description =
                "Observe what a float detector's tensors hold on pictures, and write the table that quantize chooses its scales from (calibration.table in its settings file).",
        mixinStandardHelpOptions = true)
final class CalibrateCommand implements Callable<Integer> {

    @Mixin CalibrationFlags flags;

    @Override
    public Integer call() {
        QuantizeRun.Calibrated calibrated;
        try (ProgressLine progress = ProgressLine.open()) {
            calibrated = QuantizeRun.calibrate(flags.settingsHere(), progress);
        }
        System.out.printf(
                "calibration: %s: %d tensors observed on %d pictures%n",
                calibrated.table(), calibrated.tensors(), calibrated.pictures());
        calibrated.remarks().forEach(remark -> System.out.println("warning: " + remark));
        return 0;
    }
}

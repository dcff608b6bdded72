// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.toolchain.calibrate.RangeMethod;
import io.sightline.toolchain.quantize.QuantizeSettings;
import picocli.CommandLine.Option;

/** What to observe, and how ranges are chosen from that. */
class RangeFlags extends CalibrationFlags {

    @Option(
            names = "--method",
            paramLabel = "METHOD",
            description = "How ranges are chosen: max, percentile, mse or entropy. Default: mse.")
    RangeMethod.Kind method;

    @Option(
            names = "--percentile",
            paramLabel = "P",
            description = "Share of values to keep, for --method percentile. Default: 99.99.")
    Double percentile;

    @Override
    void apply(QuantizeSettings.Builder builder) {
        super.apply(builder);
        given(method).ifPresent(builder::method);
        given(percentile).ifPresent(builder::percentile);
    }
}

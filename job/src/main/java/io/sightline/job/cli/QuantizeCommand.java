// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.job.UserException;
import io.sightline.toolchain.quantize.QuantizeRun;
import io.sightline.toolchain.quantize.QuantizeSettings;
import io.sightline.toolchain.report.QuantizeReport;
import io.sightline.toolchain.report.ReportWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ./sightline model quantize}: INT8 models, and a report of what they cost and gain. */
@Command(
        name = "quantize",
        description =
                "Turn a float detector into INT8 ones for ONNX Runtime and TensorRT, measure them, and write report.html and report.json. Ends with status 1 where a gate fails. Flags win over the settings file; without one --model, --images and --out are enough.",
        mixinStandardHelpOptions = true)
final class QuantizeCommand implements Callable<Integer> {

    @Mixin QuantizeFlags flags;

    @Override
    public Integer call() {
        QuantizeSettings settings = flags.settingsHere();
        QuantizeReport report;
        try (ProgressLine progress = ProgressLine.open()) {
            report = QuantizeRun.run(settings, progress, Clock.systemUTC());
        }
        ReportWriter.write(report, settings.output());
        System.out.print(ReportWriter.summary(report));
        Path page = settings.output().resolve(ReportWriter.HTML_NAME);
        System.out.println("report: " + page);
        if (!report.passed()) {
            throw new UserException(
                    "gate failed: "
                            + String.join("; ", ReportWriter.failures(report))
                            + ": see "
                            + page);
        }
        return 0;
    }
}

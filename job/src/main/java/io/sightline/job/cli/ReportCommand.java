// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.toolchain.report.QuantizeReport;
import io.sightline.toolchain.report.ReportWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ./sightline model report}: what a quantisation found out, shown again. */
@Command(
        name = "report",
        description =
                "Print what a quantisation found out, from its report.json, and draw the page again.",
        mixinStandardHelpOptions = true)
final class ReportCommand implements Callable<Integer> {

    @Parameters(paramLabel = "REPORT_JSON", description = "report.json of a quantisation.")
    Path json;

    @Option(
            names = "--html",
            paramLabel = "FILE",
            description = "Page to write. Default: report.html beside the JSON.")
    Path html;

    @Override
    public Integer call() {
        QuantizeReport report = ReportWriter.read(json);
        Path page = html == null ? json.resolveSibling(ReportWriter.HTML_NAME) : html;
        ReportWriter.writeHtml(report, page);
        System.out.print(ReportWriter.summary(report));
        System.out.println("report: " + page);
        return 0;
    }
}

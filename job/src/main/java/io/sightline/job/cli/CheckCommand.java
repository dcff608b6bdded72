// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.toolchain.check.CheckReport;
import io.sightline.toolchain.check.CheckText;
import io.sightline.toolchain.check.Checker;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code ./sightline model check}. */
@Command(
        name = "check",
        description =
                "Say what an ONNX file is, what it costs, and what stands in its way on ONNX Runtime, on TensorRT and to INT8.",
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {

    @Parameters(paramLabel = "FILE", description = "ONNX file.")
    Path file;

    @Option(names = "--json", description = "Print JSON instead of a table.")
    boolean json;

    @Override
    public Integer call() {
        CheckReport report = Checker.check(file);
        System.out.print(json ? report.toJson() + "\n" : CheckText.of(report));
        return 0;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** {@code ./sightline model}: from a float detector to an INT8 one that can be trusted. */
@Command(
        name = "model",
        description = "Turn a float ONNX detector into a measured INT8 one.",
        mixinStandardHelpOptions = true,
        subcommands = {
            CheckCommand.class,
            SynthCommand.class,
            FuseCommand.class,
            PrepareCommand.class,
            EvaluateCommand.class,
            CalibrateCommand.class,
            SensitivityCommand.class,
            QuantizeCommand.class,
            BuildCommand.class,
            ModelBenchCommand.class,
            ReportCommand.class
        })
final class ModelCommand implements Callable<Integer> {

    @Spec private CommandSpec spec;

    /** Without a command there is nothing to do but to say which there are. */
    @Override
    public Integer call() {
        spec.commandLine().usage(spec.commandLine().getErr());
        return spec.exitCodeOnInvalidInput();
    }
}

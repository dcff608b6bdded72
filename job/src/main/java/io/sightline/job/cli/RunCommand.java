// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.job.DetectionJob;
import io.sightline.job.DetectionOptions;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code ./sightline run}: the job in this process against a broker of the user's. */
@Command(
        name = RunCommand.NAME,
        description = "Run the job in a local Flink runtime, against your Kafka.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class RunCommand implements Callable<Integer> {

    static final String NAME = "run";

    @Mixin DetectionOptions options;

    @Override
    public Integer call() throws Exception {
        options.requireUsableModelHere();
        DetectionJob.run(options);
        System.out.println("all frames up to --until have their answer");
        return 0;
    }
}

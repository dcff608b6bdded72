// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.BackendFactory;
import io.sightline.kafka.CheckpointTiming;
import io.sightline.kafka.KafkaPreflight;
import java.time.Duration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** What {@code flink run sightline-job.jar} starts: options, checks, topology, and off it goes. */
@Command(
        name = "sightline-job",
        description = "Camera frames in, detection events out.",
        mixinStandardHelpOptions = true)
public final class DetectionJob {

    private static final Duration INTERVAL_AT_LEAST_ONCE = Duration.ofSeconds(10);

    /**
     * Under exactly-once events appear with the checkpoint that holds them, so it sets their
     * latency.
     */
    private static final Duration INTERVAL_EXACTLY_ONCE = Duration.ofSeconds(1);

    private static final Duration PREFLIGHT_PATIENCE = Duration.ofSeconds(15);

    private static final Logger LOG = LoggerFactory.getLogger(DetectionJob.class);

    private DetectionJob() {}

    public static void main(String[] args) throws Exception {
        DetectionOptions options = new DetectionOptions();
        CommandLine commandLine = OptionTypes.register(new CommandLine(new DetectionJob()));
        commandLine.addMixin("options", options);
        OptionsFile.apply(commandLine, args);
        try {
            if (CommandLine.printHelpIfRequested(commandLine.parseArgs(args))) {
                return;
            }
        } catch (CommandLine.ParameterException e) {
            throw new UserException(e.getMessage(), e);
        }
        run(options);
    }

    /**
     * Runs the job to its end, on the cluster that submits it or in this process where there is
     * none.
     */
    public static void run(DetectionOptions options) throws Exception {
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.getExecutionEnvironment();
        prepare(environment, options);
        LOG.info("running: {}", options.route());
        environment.execute(options.jobName);
    }

    /**
     * Checks the options against each other, the cluster's configuration and the brokers, and only
     * then builds the topology.
     *
     * @throws UserException naming all that is wrong
     */
    public static void prepare(StreamExecutionEnvironment environment, DetectionOptions options) {
        options.validate();
        prepare(environment, options, options.backendFactory());
    }

    /** With engines other than the options', which are checked already. */
    static void prepare(
            StreamExecutionEnvironment environment,
            DetectionOptions options,
            BackendFactory engines) {
        configure(environment, options);
        preflight(environment, options);
        DetectionPipeline.build(environment, options, engines);
    }

    private static void configure(
            StreamExecutionEnvironment environment, DetectionOptions options) {
        ReadableConfig cluster = environment.getConfiguration();
        if (cluster.get(CheckpointingOptions.ENABLE_UNALIGNED)) {
            throw new UserException(
                    "execution.checkpointing.unaligned.enabled is true, expected false: unaligned checkpoints would write"
                            + " frames into the checkpoint; the operator drains before the barrier instead");
        }
        Configuration ours = new Configuration();
        if (options.checkpointInterval != null) {
            ours.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, options.checkpointInterval);
        } else if (cluster.getOptional(CheckpointingOptions.CHECKPOINTING_INTERVAL).isEmpty()) {
            ours.set(
                    CheckpointingOptions.CHECKPOINTING_INTERVAL,
                    options.exactlyOnce() ? INTERVAL_EXACTLY_ONCE : INTERVAL_AT_LEAST_ONCE);
        }
        // Barriers that are not aligned let frames behind them into the transaction before them,
        // and without a checkpoint after the last frame the last transaction is never committed.
        ours.set(
                CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE,
                CheckpointingMode.EXACTLY_ONCE);
        ours.set(CheckpointingOptions.ENABLE_CHECKPOINTS_AFTER_TASKS_FINISH, true);
        ours.set(CheckpointingOptions.CHECKPOINTING_TIMEOUT, options.checkpointTimeout);
        environment.configure(ours);
        if (options.parallelism > 0) {
            environment.setParallelism(options.parallelism);
        }
        if (options.repartition == DetectionOptions.Repartition.BY_CAMERA) {
            // A frame must not wait in a network buffer for others to fill it.
            environment.setBufferTimeout(1);
        }
    }

    private static void preflight(
            StreamExecutionEnvironment environment, DetectionOptions options) {
        KafkaPreflight.Findings findings =
                KafkaPreflight.check(
                        options.sourceSettings(),
                        options.sinkSettings(),
                        new CheckpointTiming(
                                Duration.ofMillis(
                                        environment.getCheckpointConfig().getCheckpointInterval()),
                                options.checkpointTimeout,
                                Duration.ofMillis(
                                        environment
                                                .getCheckpointConfig()
                                                .getMinPauseBetweenCheckpoints()),
                                environment
                                        .getCheckpointConfig()
                                        .getTolerableCheckpointFailureNumber(),
                                options.longestRestart),
                        PREFLIGHT_PATIENCE);
        findings.warnings().forEach(LOG::warn);
        int parallelism = environment.getParallelism();
        if (options.repartition == DetectionOptions.Repartition.NONE
                && parallelism > findings.framePartitions()) {
            LOG.warn(
                    "topic {} has {} partitions for {} subtasks: {} of them will have nothing to do; give it more partitions or"
                            + " use --repartition by-camera",
                    options.framesTopic,
                    findings.framePartitions(),
                    parallelism,
                    parallelism - findings.framePartitions());
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceException;
import io.sightline.kafka.Delivery;
import io.sightline.kafka.FrameSourceSettings;
import io.sightline.kafka.KafkaConnection;
import io.sightline.kafka.SinkSettings;
import io.sightline.kafka.TopicPosition;
import io.sightline.streaming.DetectSettings;
import io.sightline.streaming.OverloadPolicy;
import io.sightline.streaming.OverloadSettings;
import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.flink.configuration.MemorySize;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import picocli.CommandLine;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * Every option of the job: of {@code ./sightline run} and of what {@code flink run} starts. Given
 * as flags, or in a file ({@code --options}) with a line {@code name=value} each; flags win.
 */
public final class DetectionOptions {

    /** What happens to events when the job fails and starts again. */
    public enum Guarantee {
        /** None is lost; some may come twice, with equal ids. */
        AT_LEAST_ONCE,
        /** None is lost or doubled for consumers that read committed records. */
        EXACTLY_ONCE
    }

    /** How frames are spread over the subtasks. */
    public enum Repartition {
        /** As the topic's partitions are: no frame crosses the network. */
        NONE,
        /** By camera: for topics with fewer partitions than the cluster has cores. */
        BY_CAMERA
    }

    private static final MemorySize MOST_FRAME_BYTES = MemorySize.ofMebiBytes(1023);

    /** Whose decoded bytes, three a pixel, are still counted by an int. */
    private static final int MOST_FRAME_PIXELS = Integer.MAX_VALUE / 3;

    @Option(
            names = OptionsFile.FLAG,
            paramLabel = "FILE",
            description = "File with more options, a line name=value each; flags win.")
    Path optionsFile;

    @Option(
            names = "--bootstrap-servers",
            required = true,
            paramLabel = "HOST:PORT",
            description = "Kafka brokers, separated by commas.")
    String bootstrapServers;

    @Option(
            names = "--kafka-properties",
            paramLabel = "FILE",
            description =
                    "Properties for every Kafka client, such as security settings. Read where the job is submitted; never logged.")
    Path kafkaProperties;

    @Option(
            names = "--frames-topic",
            paramLabel = "TOPIC",
            defaultValue = "camera-frames",
            description = "Topic the cameras' frames are read from.")
    String framesTopic;

    @Option(
            names = "--events-topic",
            paramLabel = "TOPIC",
            defaultValue = "detections",
            description = "Topic the detection events are written to.")
    String eventsTopic;

    @Option(
            names = "--dead-letter-topic",
            paramLabel = "TOPIC",
            defaultValue = "camera-frames-dead-letter",
            description = "Topic for frames that cannot be analysed, with the reason.")
    String deadLetterTopic;

    @Option(
            names = "--camera-status-topic",
            paramLabel = "TOPIC",
            defaultValue = "camera-status",
            description =
                    "Topic for what became of each camera's frames, at each checkpoint, and which were dropped.")
    String statusTopic;

    @Option(
            names = "--group-id",
            paramLabel = "GROUP",
            description = "Consumer group that offsets are committed for; absent: the job's name.")
    String groupId;

    @Option(
            names = "--from",
            paramLabel = "POSITION",
            defaultValue = "committed",
            description =
                    "Where a job without a savepoint starts: committed (else latest), latest, earliest, a time"
                            + " (2026-11-23T10:00:00Z or milliseconds), or offsets (0:100,3:250: these partitions only).")
    String from;

    @Option(
            names = "--until",
            paramLabel = "POSITION",
            description =
                    "Where the job ends by itself: latest (as of its start), a time that has passed, or offsets. Without it the job runs on.")
    String until;

    @Mixin ModelChoice model;

    @Option(
            names = "--lanes",
            paramLabel = "N",
            defaultValue = "0",
            description = "Engines side by side on a task manager; 0 for one a core, or one a GPU.")
    int lanes;

    @Option(
            names = "--max-batch",
            paramLabel = "N",
            description =
                    "Most frames in one run, for models with a dynamic batch; absent: 1, with tensorrt "
                            + ModelChoice.MAX_BATCH_ON_GPU
                            + ". On a CPU larger batches gain nothing.")
    Integer maxBatch;

    @Option(
            names = "--max-batch-delay",
            paramLabel = "DURATION",
            defaultValue = "0ms",
            description = "How long a frame may wait for a fuller batch while a lane is free.")
    Duration maxBatchDelay;

    @Option(
            names = "--buffers-per-lane",
            paramLabel = "N",
            description =
                    "Batch buffers of a lane; absent: 2, so that the next frame is decoded while one runs; with an overload policy that drops 1, so that it is the newest; with tensorrt 3, of which two run.")
    Integer buffersPerLane;

    @Option(
            names = "--delivery",
            paramLabel = "GUARANTEE",
            defaultValue = "at-least-once",
            description =
                    "at-least-once (doubles after a failure have equal ids) or exactly-once (events appear with the checkpoint).")
    Guarantee delivery;

    @Option(
            names = "--checkpoint-interval",
            paramLabel = "DURATION",
            description =
                    "Time between checkpoints. Default: the cluster's, else 10s, or 1s under exactly-once.")
    Duration checkpointInterval;

    @Option(
            names = "--checkpoint-timeout",
            paramLabel = "DURATION",
            defaultValue = "2min",
            description = "A checkpoint that takes longer is given up.")
    Duration checkpointTimeout;

    @Option(
            names = "--longest-restart",
            paramLabel = "DURATION",
            defaultValue = "5min",
            description =
                    "The longest outage after which exactly-once still must hold: Kafka keeps open transactions that long.")
    Duration longestRestart;

    @Option(
            names = "--transaction-timeout",
            paramLabel = "DURATION",
            defaultValue = "10min",
            description =
                    "Kafka's limit for an open transaction under exactly-once; at most the broker's transaction.max.timeout.ms.")
    Duration transactionTimeout;

    @Option(
            names = "--max-frame-bytes",
            paramLabel = "SIZE",
            defaultValue = "4mb",
            description = "Larger frames are dead letters.")
    MemorySize maxFrameBytes;

    @Option(
            names = "--max-frame-pixels",
            paramLabel = "N",
            defaultValue = "16777216",
            description =
                    "Pictures with more pixels are dead letters, told from their header before they are decoded.")
    int maxFramePixels;

    @Option(
            names = "--dead-letter-max-bytes",
            paramLabel = "SIZE",
            defaultValue = "512kb",
            description = "Longer values are cut in the dead-letter topic, and marked.")
    MemorySize deadLetterMaxBytes;

    @Option(
            names = "--source-memory",
            paramLabel = "SIZE",
            defaultValue = "64mb",
            description =
                    "Heap that frames between Kafka and the operator may take in a subtask whose partitions times --fetch-bytes are at most half of it.")
    MemorySize sourceMemory;

    @Option(
            names = "--fetch-bytes",
            paramLabel = "SIZE",
            defaultValue = "256kb",
            description =
                    "What one partition may deliver before the next has its turn: less is fairer, more is cheaper.")
    MemorySize fetchBytes;

    @Option(
            names = "--room-frames",
            paramLabel = "N",
            defaultValue = "8",
            description =
                    "Encoded frames that wait in a subtask, before it stops reading or drops; one of each camera has a place beside them where its policy drops.")
    int roomFrames;

    @Option(
            names = "--room-bytes",
            paramLabel = "SIZE",
            defaultValue = "16mb",
            description =
                    "Bytes of encoded frames that wait in a subtask, before it stops reading or drops.")
    MemorySize roomBytes;

    @Option(
            names = "--max-cameras",
            paramLabel = "N",
            defaultValue = "1000",
            description =
                    "Cameras told apart in a subtask, with metrics of their own; the rest are counted as 'other'.")
    int maxCameras;

    @Option(
            names = "--overload-policy",
            paramLabel = "POLICY",
            defaultValue = "process-all",
            description =
                    "When more frames come than can be analysed: process-all (stop reading, drop none), latest (a camera's older waiting frame gives way to its newer one), or max-age (drop what is older than --max-age).")
    OverloadPolicy overloadPolicy;

    @Option(
            names = "--camera-policy",
            paramLabel = "ID=POLICY",
            hideParamSyntax = true,
            split = ",",
            description =
                    "The policy of one camera, where it is not that of the others; repeatable, or separated by commas.")
    Map<String, OverloadPolicy> cameraPolicies;

    @Option(
            names = "--max-age",
            paramLabel = "DURATION",
            description = "Time from capture after which policy max-age drops a frame.")
    Duration maxAge;

    @Option(
            names = "--silent-after",
            paramLabel = "DURATION",
            defaultValue = "10s",
            description =
                    "A camera from which nothing came for so long is reported as silent, and no longer holds event time back.")
    Duration silentAfter;

    @Option(
            names = "--clock-tolerance",
            paramLabel = "DURATION",
            defaultValue = "5s",
            description =
                    "By how much cameras' clocks may differ: event time lags by it, and a clock that steps further is reported to have jumped.")
    Duration clockTolerance;

    @Option(
            names = "--repartition",
            paramLabel = "HOW",
            defaultValue = "none",
            description =
                    "none, or by-camera: spreads the cameras of few partitions over more subtasks, at the cost of a shuffle.")
    Repartition repartition;

    @Option(
            names = "--parallelism",
            paramLabel = "N",
            defaultValue = "0",
            description = "Subtasks; 0 for the cluster's default (a core each in a local run).")
    int parallelism;

    @Option(
            names = "--job-name",
            paramLabel = "NAME",
            defaultValue = "sightline",
            description =
                    "Name of the job, its consumer group where --group-id is absent, and the start of its transactional ids: two jobs on one broker need two names.")
    String jobName;

    /**
     * Options with every default, for commands that bring their own broker.
     *
     * @param arguments further options, as flags
     */
    public static DetectionOptions of(
            String bootstrapServers, ModelChoice model, String... arguments) {
        DetectionOptions options = new DetectionOptions();
        CommandLine commandLine = OptionTypes.register(new CommandLine(options));
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of("--bootstrap-servers", bootstrapServers));
        commandLine.parseArgs(all.toArray(new String[0]));
        options.model = model;
        return options;
    }

    /**
     * Checks everything that can be checked without a broker, all of it before anything starts.
     *
     * @throws UserException naming every option that is wrong
     */
    void validate() {
        List<String> problems = new ArrayList<>();
        atLeast(problems, "--lanes", lanes, 0);
        atLeast(problems, "--max-batch", maxBatch == null ? 1 : maxBatch, 1);
        atLeast(problems, "--buffers-per-lane", buffersPerLane(), 1);
        atLeast(problems, "--max-frame-pixels", maxFramePixels, 1);
        if (maxFramePixels > MOST_FRAME_PIXELS) {
            problems.add(
                    "--max-frame-pixels is "
                            + maxFramePixels
                            + ", expected at most "
                            + MOST_FRAME_PIXELS);
        }
        atLeast(problems, "--room-frames", roomFrames, 1);
        atLeast(problems, "--max-cameras", maxCameras, 1);
        atLeast(problems, "--parallelism", parallelism, 0);
        atLeast(problems, "--max-frame-bytes", maxFrameBytes.getBytes(), 1);
        atLeast(problems, "--dead-letter-max-bytes", deadLetterMaxBytes.getBytes(), 0);
        atLeast(problems, "--room-bytes", roomBytes.getBytes(), 1);
        model.validate(problems);
        atMost(problems, "--max-frame-bytes", maxFrameBytes, MOST_FRAME_BYTES);
        atMost(
                problems,
                "--dead-letter-max-bytes",
                deadLetterMaxBytes,
                MemorySize.ofMebiBytes(512));
        atMost(problems, "--fetch-bytes", fetchBytes, MemorySize.ofMebiBytes(1024));
        if (checkpointInterval != null && checkpointInterval.isZero()) {
            problems.add(
                    "--checkpoint-interval is 0, expected more: without checkpoints no event is ever safe");
        }
        List<String> topics = List.of(framesTopic, eventsTopic, deadLetterTopic, statusTopic);
        if (Set.copyOf(topics).size() < topics.size()) {
            problems.add(
                    "--frames-topic, --events-topic, --dead-letter-topic and --camera-status-topic are "
                            + topics
                            + ", expected four different topics");
        }
        if (silentAfter.isZero()) {
            problems.add("--silent-after is 0, expected more: every camera would be silent");
        }
        try {
            overload();
        } catch (IllegalArgumentException e) {
            problems.add("--overload-policy, --camera-policy, --max-age: " + e.getMessage());
        }
        if (!problems.isEmpty()) {
            throw new UserException(String.join("; ", problems));
        }
    }

    static void atLeast(List<String> problems, String option, long value, long least) {
        if (value < least) {
            problems.add(option + " is " + value + ", expected at least " + least);
        }
    }

    /**
     * The largest encoded frame that may be sent, in bytes.
     *
     * @throws UserException if no job would take frames so large
     */
    public static int maxFrameBytes(MemorySize size) {
        List<String> problems = new ArrayList<>();
        atLeast(problems, "--max-frame-bytes", size.getBytes(), 1);
        atMost(problems, "--max-frame-bytes", size, MOST_FRAME_BYTES);
        if (!problems.isEmpty()) {
            throw new UserException(problems.get(0));
        }
        return (int) size.getBytes();
    }

    private static void atMost(
            List<String> problems, String option, MemorySize value, MemorySize most) {
        if (value.compareTo(most) > 0) {
            problems.add(option + " is " + value + ", expected at most " + most);
        }
    }

    private OverloadSettings overload() {
        return new OverloadSettings(
                overloadPolicy, maxAge, cameraPolicies == null ? Map.of() : cameraPolicies);
    }

    boolean exactlyOnce() {
        return delivery == Guarantee.EXACTLY_ONCE;
    }

    private KafkaConnection kafka() {
        return KafkaConnection.of(bootstrapServers, kafkaClientProperties(kafkaProperties));
    }

    FrameSourceSettings sourceSettings() {
        return new FrameSourceSettings(
                kafka(),
                framesTopic,
                groupId == null ? jobName : groupId,
                TopicPosition.parseStart(from),
                until == null ? null : TopicPosition.parseStop(until),
                (int) maxFrameBytes.getBytes(),
                (int) fetchBytes.getBytes(),
                sourceMemory.getBytes());
    }

    SinkSettings sinkSettings() {
        return new SinkSettings(
                kafka(),
                eventsTopic,
                deadLetterTopic,
                statusTopic,
                (int) deadLetterMaxBytes.getBytes(),
                exactlyOnce()
                        ? Delivery.exactlyOnce(jobName, transactionTimeout)
                        : Delivery.atLeastOnce());
    }

    BackendFactory backendFactory() {
        return maxBatch == null ? model.backendFactory() : model.backendFactory(maxBatch);
    }

    private int buffersPerLane() {
        if (buffersPerLane != null) {
            return buffersPerLane;
        }
        // One that is decoded while a lane runs another can no longer give way to a newer one.
        return overloadPolicy.drops() && !model.onGpu() ? 1 : model.buffersPerLane();
    }

    DetectSettings detectSettings(BackendFactory engines) {
        return new DetectSettings(
                engines,
                lanes,
                buffersPerLane(),
                maxBatchDelay,
                model.confidence,
                model.iou,
                model.interpolation,
                (int) maxFrameBytes.getBytes(),
                maxFramePixels,
                roomFrames,
                roomBytes.getBytes(),
                maxCameras,
                overload(),
                silentAfter,
                clockTolerance);
    }

    /**
     * For runs in this process: a model that cannot be opened would otherwise show as a job that is
     * restarted for ever.
     *
     * @throws UserException naming every option that is wrong, or a model file that is not there
     * @throws InferenceException if it is none that can be run
     */
    public void requireUsableModelHere() {
        validate();
        model.requireUsableHere();
    }

    /** Where frames come from and events go to, for people. */
    String route() {
        return framesTopic
                + " -> "
                + eventsTopic
                + ", else "
                + deadLetterTopic
                + ", at "
                + bootstrapServers;
    }

    /**
     * What a file of Kafka client properties says; nothing without a file.
     *
     * @param file may be null
     * @throws UserException if it cannot be read; the message tells nothing of its content
     */
    public static Properties kafkaClientProperties(Path file) {
        if (file == null) {
            return new Properties();
        }
        Properties properties = readProperties("--kafka-properties", file);
        String login = properties.getProperty(SaslConfigs.SASL_JAAS_CONFIG);
        if (login != null && !isReadable(login)) {
            throw new UserException(
                    "--kafka-properties "
                            + file
                            + ": sasl.jaas.config cannot be read, expected: CLASS required"
                            + " username=\"…\" password=\"…\"; with all values in double quotes");
        }
        return properties;
    }

    /** What Kafka's clients say of one that they cannot read may quote a part of a password. */
    private static boolean isReadable(String jaas) {
        try {
            JaasContext.loadClientContext(Map.of(SaslConfigs.SASL_JAAS_CONFIG, new Password(jaas)));
            return true;
        } catch (IllegalArgumentException | KafkaException e) {
            return false;
        }
    }

    static Properties readProperties(String option, Path file) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            properties.load(reader);
        } catch (NoSuchFileException e) {
            throw new UserException(option + " " + file + ": no such file", e);
        } catch (IOException | IllegalArgumentException e) {
            throw new UserException(
                    option + " " + file + " cannot be read (" + e.getClass().getSimpleName() + ")",
                    e);
        }
        return properties;
    }
}

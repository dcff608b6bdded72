// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.testing.TestModels;
import io.sightline.job.local.EmbeddedBroker;
import io.sightline.kafka.KafkaConnection;
import io.sightline.kafka.TopicPosition;
import io.sightline.kafka.audit.Audit;
import io.sightline.kafka.audit.AuditReport;
import io.sightline.kafka.audit.AuditSettings;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.NativeMemory;
import io.sightline.vision.OpenCvFrameDecoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.execution.ExecutionState;
import org.apache.flink.runtime.executiongraph.AccessExecutionGraph;
import org.apache.flink.runtime.executiongraph.AccessExecutionVertex;
import org.apache.flink.runtime.jobmaster.JobResult;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import picocli.CommandLine;

/**
 * A broker, a Flink cluster of one task manager, and a detector of colours, for the tests of a
 * class: each brings up the job as it is, on topics of its own. After each test nothing of it may
 * be left: no running job, no lane's thread, no native memory.
 */
final class LivePipeline
        implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {

    static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final int SLOTS = 4;
    private static final int MAX_FRAME_BYTES = 1024 * 1024;
    private static final Duration POLL = Duration.ofMillis(10);
    private static final AtomicInteger NEXT_NAME = new AtomicInteger();

    // Brokers refuse times ahead of their clock, and delete what is older than their retention.
    private static final long CAPTURED = System.currentTimeMillis() - 3_600_000;

    private final List<Job> jobs = new ArrayList<>();
    private EmbeddedBroker broker;
    private MiniCluster cluster;
    private Path folder;
    private Path model;
    private long nativeBytes;

    @Override
    public void beforeAll(ExtensionContext context) throws Exception {
        folder = Files.createTempDirectory("sightline-it-");
        model =
                TestModels.colourDetector(
                        folder,
                        ColourFrames.INPUT,
                        ColourFrames.INPUT,
                        TestModels.DYNAMIC,
                        ModelSpec.InputFormat.BYTES_NHWC_BGR);
        keepWhatOpenCvKeeps();
        broker = EmbeddedBroker.start(2 * MAX_FRAME_BYTES);
        cluster =
                new MiniCluster(
                        new MiniClusterConfiguration.Builder()
                                .setConfiguration(new Configuration())
                                .setNumTaskManagers(1)
                                .setNumSlotsPerTaskManager(SLOTS)
                                .build());
        cluster.start();
    }

    /** Some bytes are allocated with the first picture of a process, and for good. */
    private static void keepWhatOpenCvKeeps() throws Exception {
        try (OpenCvFrameDecoder decoder =
                new OpenCvFrameDecoder(new FrameLimits(MAX_FRAME_BYTES, 1 << 20))) {
            decoder.decode(ColourFrames.jpeg(0, 0));
        }
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        nativeBytes = NativeMemory.allocatedBytes();
    }

    @Override
    public void afterEach(ExtensionContext context) throws Exception {
        List<Job> left = new ArrayList<>();
        for (Job job : jobs) {
            if (!cluster.getJobStatus(job.id).get().isGloballyTerminalState()) {
                left.add(job);
                job.engine.release();
                job.cancel();
            }
        }
        jobs.clear();
        if (context.getExecutionException().isPresent()) {
            return;
        }
        assertThat(left).as("jobs that the test left running").isEmpty();
        for (Thread lane : laneThreads()) {
            // Says that it has ended shortly before it has.
            lane.join(PATIENCE.toMillis());
        }
        assertThat(laneThreads()).as("lanes that outlived their job").isEmpty();
        assertThat(NativeMemory.allocatedBytes())
                .as("bytes allocated by JavaCPP")
                .isLessThanOrEqualTo(nativeBytes);
    }

    @Override
    public void afterAll(ExtensionContext context) throws Exception {
        try {
            if (cluster != null) {
                cluster.close();
            }
        } finally {
            if (broker != null) {
                broker.close();
            }
            deleteRecursively(folder);
        }
        try (Stream<Path> left = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            assertThat(left.map(path -> path.getFileName().toString()))
                    .as("folders of brokers of this process")
                    .noneMatch(name -> name.startsWith(EmbeddedBroker.FOLDER_PREFIX));
        }
    }

    private static List<Thread> laneThreads() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("sightline-lane-"))
                .toList();
    }

    private static void deleteRecursively(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(path);
            }
        }
    }

    /** The topics of a job, and what goes in and comes out there. */
    final class Topics {

        final String frames;
        final String events;
        final String deadLetters;
        final String statuses;
        private final String name;

        private Topics(String name, String frames, int eventPartitions) throws Exception {
            this.name = name;
            this.frames = frames;
            this.events = name + "-events";
            this.deadLetters = name + "-dead-letters";
            this.statuses = name + "-statuses";
            broker.createTopic(events, eventPartitions, Map.of());
            broker.createTopic(deadLetters, 1, Map.of());
            broker.createTopic(statuses, 1, Map.of());
        }

        /** Frames from..to − 1 of each of the first cameras, camera c in partition c. */
        void produce(int cameras, int from, int to) throws Exception {
            produce(
                    Stream.iterate(from, seq -> seq < to, seq -> seq + 1)
                            .flatMap(
                                    seq ->
                                            Stream.iterate(0, c -> c < cameras, c -> c + 1)
                                                    .map(
                                                            c ->
                                                                    frame(
                                                                            c,
                                                                            c,
                                                                            seq,
                                                                            ColourFrames.jpeg(
                                                                                    c, seq)))));
        }

        ProducerRecord<byte[], byte[]> frame(int partition, int camera, int seq, byte[] picture) {
            ProducerRecord<byte[], byte[]> record =
                    new ProducerRecord<>(
                            frames,
                            partition,
                            CAPTURED + seq,
                            ColourFrames.camera(camera).getBytes(UTF_8),
                            picture);
            for (FrameRecord.Header header : new FrameHeaders().seq(seq).toArray()) {
                record.headers().add(header.name(), header.value());
            }
            return record;
        }

        /** Each a batch of its own, as pictures of cameras are; returns when all are there. */
        void produce(Stream<ProducerRecord<byte[], byte[]>> records) throws Exception {
            try (KafkaProducer<byte[], byte[]> producer =
                    new KafkaProducer<>(
                            Map.of(
                                    "bootstrap.servers",
                                    broker.bootstrapServers(),
                                    "batch.size",
                                    0,
                                    "max.request.size",
                                    2 * MAX_FRAME_BYTES),
                            new ByteArraySerializer(),
                            new ByteArraySerializer())) {
                List<Future<?>> sent = new ArrayList<>();
                records.forEach(record -> sent.add(producer.send(record)));
                for (Future<?> future : sent) {
                    future.get();
                }
            }
        }

        /** Sees what consumers of finished transactions see. */
        EventReader committed() {
            return new EventReader(broker.bootstrapServers(), events, "read_committed");
        }

        /**
         * What became of every frame there is, once each has its answer; those without one after
         * {@link #PATIENCE} are missing.
         */
        AuditReport audit(boolean exactlyOnce) throws Exception {
            try (Audit audit =
                    new Audit(
                            new AuditSettings(
                                    KafkaConnection.of(broker.bootstrapServers()),
                                    frames,
                                    events,
                                    deadLetters,
                                    statuses,
                                    name,
                                    TopicPosition.parseStart("earliest"),
                                    TopicPosition.parseStart("latest"),
                                    exactlyOnce,
                                    PATIENCE),
                            (topic, done, total) -> {})) {
                return audit.run();
            }
        }

        /** Sees everything that was ever written. */
        EventReader uncommitted() {
            return new EventReader(broker.bootstrapServers(), events, "read_uncommitted");
        }
    }

    /** New topics; the events topic has as many partitions as the frames topic. */
    Topics topics(int partitions) throws Exception {
        return topics(partitions, partitions);
    }

    Topics topics(int partitions, int eventPartitions) throws Exception {
        String name = "it-" + NEXT_NAME.getAndIncrement();
        broker.createTopic(name, partitions, Map.of());
        return new Topics(name, name, eventPartitions);
    }

    /** New topics for what comes out, with the frames of others. */
    Topics replayOf(Topics topics) throws Exception {
        return new Topics("it-" + NEXT_NAME.getAndIncrement(), topics.frames, 1);
    }

    /** Starts the job; returns when its tasks run, or it has ended. */
    Job start(Topics topics, String... flags) throws Exception {
        return restore(topics, null, flags);
    }

    /**
     * Starts the job.
     *
     * @param savepoint to start from, or null
     */
    Job restore(Topics topics, String savepoint, String... flags) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 20);
        configuration.set(
                RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(50));
        if (savepoint != null) {
            configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, savepoint);
        }
        List<String> arguments =
                new ArrayList<>(
                        List.of(
                                "--bootstrap-servers=" + broker.bootstrapServers(),
                                "--model=" + model,
                                "--frames-topic=" + topics.frames,
                                "--events-topic=" + topics.events,
                                "--dead-letter-topic=" + topics.deadLetters,
                                "--camera-status-topic=" + topics.statuses,
                                "--group-id=" + topics.name,
                                "--job-name=" + topics.name,
                                "--max-frame-bytes=" + MAX_FRAME_BYTES,
                                "--longest-restart=1min"));
        arguments.addAll(List.of(flags));
        if (arguments.stream().noneMatch(argument -> argument.startsWith("--from="))) {
            arguments.add("--from=earliest");
        }
        DetectionOptions options = new DetectionOptions();
        OptionTypes.register(new CommandLine(options)).parseArgs(arguments.toArray(String[]::new));
        options.validate();
        RemoteEngine engine = RemoteEngine.of(options.backendFactory());
        StreamExecutionEnvironment environment =
                StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        DetectionJob.prepare(environment, options, engine);
        JobID id = cluster.submitJob(environment.getStreamGraph().getJobGraph()).get().getJobID();
        Job job = new Job(id, engine);
        jobs.add(job);
        await("all tasks run", () -> job.status().isGloballyTerminalState() || job.running());
        return job;
    }

    /** A job that was started. */
    final class Job {

        final JobID id;
        final RemoteEngine engine;

        private Job(JobID id, RemoteEngine engine) {
            this.id = id;
            this.engine = engine;
        }

        JobStatus status() throws Exception {
            return cluster.getJobStatus(id).get();
        }

        AccessExecutionGraph graph() throws Exception {
            return cluster.getExecutionGraph(id).get();
        }

        boolean running() throws Exception {
            // While a job is being set up it has no tasks.
            return status() == JobStatus.RUNNING
                    && vertices().allMatch(v -> v.getExecutionState() == ExecutionState.RUNNING);
        }

        /** How often each of its tasks was restarted. */
        List<Integer> restarts() throws Exception {
            return vertices().map(v -> v.getCurrentExecutionAttempt().getAttemptNumber()).toList();
        }

        private Stream<AccessExecutionVertex> vertices() throws Exception {
            return StreamSupport.stream(
                            graph().getAllExecutionVertices().spliterator(), /* parallel= */ false)
                    .map(vertex -> vertex);
        }

        /** Returns when a new checkpoint is complete. */
        void checkpoint() throws Exception {
            cluster.triggerCheckpoint(id).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        CheckpointStatsSnapshot checkpointStats() throws Exception {
            return graph().getCheckpointStatsSnapshot();
        }

        /**
         * Stops the job with a savepoint; returns when it has ended, as it should.
         *
         * @param drain whether it is to finish for good, as at the end of its input
         * @return where the savepoint is
         */
        String stop(boolean drain) throws Exception {
            String savepoint =
                    cluster.stopWithSavepoint(
                                    id,
                                    folder.resolve("savepoints").toUri().toString(),
                                    drain,
                                    SavepointFormatType.CANONICAL)
                            .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            awaitEnd(JobStatus.FINISHED);
            return savepoint;
        }

        /** Asks the job to end, and does not wait for it. */
        void requestCancel() throws Exception {
            cluster.cancelJob(id).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        void cancel() throws Exception {
            requestCancel();
            awaitEnd(JobStatus.CANCELED);
        }

        void awaitEnd(JobStatus expected) throws Exception {
            JobResult result =
                    cluster.requestJobResult(id).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(result.getJobStatus())
                    .as("how the job ended; %s", result.getSerializedThrowable())
                    .contains(expected);
        }
    }

    /** Looks again and again, for {@link #PATIENCE} at most. */
    static void await(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            assertThat(System.nanoTime()).as("%s, within %s", what, PATIENCE).isLessThan(deadline);
            LockSupport.parkNanos(POLL.toNanos());
        }
    }

    /** Bytes of all files of a savepoint. */
    static long bytesOnDisk(String savepoint) throws IOException {
        try (Stream<Path> files = Files.walk(Path.of(java.net.URI.create(savepoint)))) {
            return files.filter(Files::isRegularFile)
                    .mapToLong(
                            file -> {
                                try {
                                    return Files.size(file);
                                } catch (IOException e) {
                                    throw new UncheckedIOException(e);
                                }
                            })
                    .sum();
        }
    }
}

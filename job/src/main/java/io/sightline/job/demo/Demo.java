// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.camera.CameraReplay;
import io.sightline.camera.KafkaFrameSink;
import io.sightline.camera.ReplayClock;
import io.sightline.camera.ReplayPlan;
import io.sightline.camera.VideoSource;
import io.sightline.job.DetectionJob;
import io.sightline.job.DetectionOptions;
import io.sightline.job.ModelChoice;
import io.sightline.job.local.EmbeddedBroker;
import io.sightline.job.local.LocalFlink;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Everything in one process: a Kafka broker, Flink, cameras, the job, and somebody who reads its
 * events. Ends when every frame the cameras sent has its event or dead letter, and leaves nothing
 * behind.
 */
public final class Demo {

    private static final int MAX_FRAME_BYTES = 4 << 20;
    private static final int PARTITIONS = 8;

    /**
     * The job reads on while the cameras are quiet; that it has stopped altogether shows by this
     * long silence.
     */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private static final String FRAMES = "camera-frames";

    private final ModelChoice model;
    private final ReplayPlan cameras;
    private final Path eventsFile;
    private final PrintStream out;

    /**
     * @param eventsFile gets the events as they are on the topic, a line each; null for nowhere
     */
    public Demo(ModelChoice model, ReplayPlan cameras, Path eventsFile, PrintStream out) {
        this.model = model;
        this.cameras = cameras;
        this.eventsFile = eventsFile;
        this.out = out;
    }

    /**
     * Runs to the end.
     *
     * @return what came out; every frame is accounted for in it
     * @throws Exception if the model or a video does not fit, or the job failed
     */
    public EventLog.Summary run() throws Exception {
        model.requireUsableHere();
        for (String video : cameras.videos()) {
            VideoSource.open(video).close();
        }
        int cores = Runtime.getRuntime().availableProcessors();
        Configuration flink = new Configuration();
        // A demo that fails says so instead of trying again.
        flink.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
        try (EmbeddedBroker broker = EmbeddedBroker.start(2 * MAX_FRAME_BYTES);
                LocalFlink cluster = LocalFlink.start(cores, flink);
                EventLog events = new EventLog(eventsFile, out)) {
            DetectionOptions options =
                    DetectionOptions.of(
                            broker.bootstrapServers(),
                            model,
                            "--from",
                            "earliest",
                            "--parallelism",
                            Integer.toString(cores));
            broker.createTopic(FRAMES, PARTITIONS, Map.of());
            broker.createTopic("detections", 1, Map.of());
            broker.createTopic("camera-frames-dead-letter", 1, Map.of());
            StreamExecutionEnvironment environment =
                    StreamExecutionEnvironment.getExecutionEnvironment(flink);
            DetectionJob.prepare(environment, options);
            JobID job = cluster.submit(environment);
            CompletableFuture<Void> result = cluster.result(job);
            cluster.awaitRunning(job);
            events.follow(broker.bootstrapServers(), "detections", "camera-frames-dead-letter");

            long sent = replay(broker, result);
            while (events.received() < sent) {
                long before = events.received();
                if (!events.awaitMore(before, PATIENCE) && !result.isDone()) {
                    throw new IOException(
                            "the job answered "
                                    + before
                                    + " of "
                                    + sent
                                    + " frames and then nothing for "
                                    + PATIENCE.toSeconds()
                                    + " s");
                }
                if (result.isDone()) {
                    result.get();
                }
            }
            cluster.cancel(job);
            return events.summary(sent);
        }
    }

    private long replay(EmbeddedBroker broker, CompletableFuture<Void> job) throws Exception {
        try (KafkaFrameSink sink =
                        KafkaFrameSink.connect(
                                Map.of("bootstrap.servers", broker.bootstrapServers()),
                                FRAMES,
                                MAX_FRAME_BYTES);
                CameraReplay replay = new CameraReplay(cameras, sink, ReplayClock.system())) {
            // No camera plays on for a job that has ended.
            CompletableFuture<Void> ended = job.whenComplete((done, failure) -> replay.close());
            long sent = replay.run().values().stream().mapToLong(Long::longValue).sum();
            if (ended.isDone()) {
                ended.get();
            }
            return sent;
        }
    }
}

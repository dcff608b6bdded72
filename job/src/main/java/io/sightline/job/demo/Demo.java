// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.camera.KafkaFrameSink;
import io.sightline.inference.ModelSpec;
import io.sightline.job.DetectionJob;
import io.sightline.job.DetectionOptions;
import io.sightline.job.ModelChoice;
import io.sightline.job.local.EmbeddedBroker;
import io.sightline.job.local.LocalFlink;
import io.sightline.job.local.TopicTrimmer;
import io.sightline.live.HttpEndpoint;
import io.sightline.live.LiveView;
import io.sightline.live.Topics;
import io.sightline.live.WindowLimits;
import io.sightline.toolchain.Progress;
import io.sightline.vision.NmsSettings;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Everything in one process: a Kafka broker, Flink, cameras, the job, somebody who reads its
 * events, and the live page. Ends when the cameras do and every frame they sent has its event or
 * dead letter, and leaves nothing behind.
 */
public final class Demo {

    private static final int MAX_FRAME_BYTES = 4 << 20;
    private static final int PARTITIONS = 8;

    /** Small segments: only whole ones are deleted from the disk. */
    private static final Map<String, String> TRIMMED =
            Map.of("segment.bytes", Integer.toString(4 * MAX_FRAME_BYTES));

    private static final Duration TRIM_INTERVAL = Duration.ofSeconds(5);

    private static final Duration WARM_UP = Duration.ofSeconds(1);
    private static final Duration MEASURED = Duration.ofSeconds(2);

    /**
     * Where the truth is known the job gives what it is hardly sure of as well, as YOLOv6's own
     * evaluation does: average precision is an area under all scores, and cut off at the confidence
     * of the model it would be that of another detector. Suppression keeps the better box, so
     * nothing above the confidence changes.
     */
    private static final float SCORING_CONFIDENCE = NmsSettings.eval().confidence();

    /**
     * The job reads on while the cameras are quiet; that it has stopped altogether shows by this
     * long silence.
     */
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Taken by something else, any other will do. */
    private static final int PAGE_PORT = 8080;

    private static final WindowLimits WINDOW =
            new WindowLimits(150, 128L << 20, 256, Duration.ofSeconds(2));

    private static final String FRAMES = "camera-frames";
    private static final String EVENTS = "detections";
    private static final String DEAD_LETTERS = "camera-frames-dead-letter";
    private static final String CAMERA_STATUS = "camera-status";

    private final ModelChoice model;
    private final DemoCameras cameras;
    private final Path eventsFile;
    private final boolean page;
    private final Progress progress;
    private final PrintStream out;

    /**
     * @param eventsFile gets the events as they are on the topic, a line each; null for nowhere
     * @param page whether to serve the live page meanwhile
     * @param progress is told how far the cameras are made ready
     * @param out gets a line for every event, and for what goes on between them
     */
    public Demo(
            ModelChoice model,
            DemoCameras cameras,
            Path eventsFile,
            boolean page,
            Progress progress,
            PrintStream out) {
        this.model = model;
        this.cameras = cameras;
        this.eventsFile = eventsFile;
        this.page = page;
        this.progress = progress;
        this.out = out;
    }

    /**
     * Runs to the end of the cameras, or until the process is asked to end.
     *
     * @return what came out; every frame is accounted for in it
     * @throws Exception if the model or a video does not fit, or the job failed
     */
    public DemoSummary run() throws Exception {
        Measured measured = measure();
        out.println(cameras.settle(measured.carried()));
        float confidence = model.nms(measured.spec()).confidence();
        Scoring scoring = new Scoring(measured.spec(), confidence);
        if (cameras.truthIsKnown() && !scoring.possible()) {
            out.println("the model has no label such as person or car: nothing will be scored");
        }
        out.println("starting Kafka, Flink and the job");
        CompletableFuture<Void> ready = prepareBeside();
        Configuration flink = new Configuration();
        // A demo that fails says so instead of trying again.
        flink.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
        try (EmbeddedBroker broker = EmbeddedBroker.start(2 * MAX_FRAME_BYTES);
                LocalFlink cluster = LocalFlink.start(cores(), flink);
                EventLog events = new EventLog(eventsFile, confidence, scoring::add, out)) {
            broker.createTopic(FRAMES, PARTITIONS, TRIMMED);
            broker.createTopic(EVENTS, 1, TRIMMED);
            broker.createTopic(DEAD_LETTERS, 1, Map.of());
            broker.createTopic(CAMERA_STATUS, 1, Map.of());
            StreamExecutionEnvironment environment =
                    StreamExecutionEnvironment.getExecutionEnvironment(flink);
            DetectionJob.prepare(environment, options(broker, confidence));
            JobID job = cluster.submit(environment);
            CompletableFuture<Void> result = cluster.result(job);
            cluster.awaitRunning(job);
            events.follow(broker.bootstrapServers(), EVENTS, DEAD_LETTERS);
            ready.get();
            try (LiveView live = page ? servePage(broker, confidence) : null;
                    TopicTrimmer trimmer =
                            new TopicTrimmer(
                                    broker.bootstrapServers(), events::needed, TRIM_INTERVAL)) {
                long sent = play(broker, scoring, result);
                long behind = sent - events.received();
                long ended = System.nanoTime();
                if (behind > measured.carried()) {
                    out.printf("the cameras have ended; %d frames are still to come%n", behind);
                }
                awaitAnswers(events, sent, result);
                double secondsBehind = (System.nanoTime() - ended) / 1e9;
                cluster.cancel(job);
                return new DemoSummary(
                        events.summary(sent),
                        measured.carried(),
                        behind,
                        secondsBehind,
                        scoring.score());
            }
        }
    }

    private record Measured(ModelSpec spec, double carried) {}

    private Measured measure() throws IOException, InterruptedException {
        try (Capacity capacity = Capacity.open(model)) {
            ModelSpec spec = capacity.spec();
            List<byte[]> sample = cameras.sample(progress);
            out.printf(
                    "model %s, %dx%d, %s; measuring what this machine carries%n",
                    spec.name(), spec.inputWidth(), spec.inputHeight(), spec.precision());
            return new Measured(spec, capacity.framesPerSecond(sample, WARM_UP, MEASURED));
        }
    }

    private DetectionOptions options(EmbeddedBroker broker, float confidence) {
        return DetectionOptions.of(
                broker.bootstrapServers(),
                cameras.truthIsKnown()
                        ? model.withConfidence(Math.min(confidence, SCORING_CONFIDENCE))
                        : model,
                "--from=earliest",
                "--parallelism=" + cores());
    }

    private static int cores() {
        return Runtime.getRuntime().availableProcessors();
    }

    /** While the broker and Flink start. */
    private CompletableFuture<Void> prepareBeside() {
        CompletableFuture<Void> ready = new CompletableFuture<>();
        Thread thread =
                new Thread(
                        () -> {
                            try {
                                cameras.prepare(progress);
                                ready.complete(null);
                            } catch (Exception | Error e) {
                                ready.completeExceptionally(e);
                            }
                        },
                        "demo-cameras");
        thread.setDaemon(true);
        thread.start();
        return ready;
    }

    private LiveView servePage(EmbeddedBroker broker, float confidence) throws IOException {
        Map<String, Object> client = Map.of("bootstrap.servers", broker.bootstrapServers());
        Topics topics = new Topics(FRAMES, EVENTS, DEAD_LETTERS, CAMERA_STATUS);
        LiveView live;
        try {
            live = LiveView.start(client, topics, WINDOW, HttpEndpoint.loopback(PAGE_PORT));
        } catch (IOException taken) {
            live = LiveView.start(client, topics, WINDOW, HttpEndpoint.loopback(0));
        }
        // The events of a demo that is scored hold every guess, which nobody wants to see.
        out.printf(Locale.ROOT, "live page: %s#confidence=%.2f%n", live.uri(), confidence);
        return live;
    }

    private long play(EmbeddedBroker broker, Scoring scoring, CompletableFuture<Void> job)
            throws Exception {
        try (KafkaFrameSink sink =
                        KafkaFrameSink.connect(
                                Map.of("bootstrap.servers", broker.bootstrapServers()),
                                FRAMES,
                                MAX_FRAME_BYTES);
                StopSignals signals = StopSignals.to(cameras::stop)) {
            out.println("playing; Ctrl-C ends it with a summary");
            // No camera plays on for a job that has ended.
            CompletableFuture<Void> ended = job.whenComplete((done, failure) -> cameras.stop());
            long sent = cameras.play(sink, scoring);
            if (ended.isDone()) {
                ended.get();
            }
            return sent;
        }
    }

    private static void awaitAnswers(EventLog events, long sent, CompletableFuture<Void> job)
            throws Exception {
        while (events.received() < sent) {
            long before = events.received();
            if (!events.awaitMore(before, PATIENCE) && !job.isDone()) {
                throw new IOException(
                        "the job answered "
                                + before
                                + " of "
                                + sent
                                + " frames and then nothing for "
                                + PATIENCE.toSeconds()
                                + " s");
            }
            if (job.isDone()) {
                job.get();
            }
        }
    }
}

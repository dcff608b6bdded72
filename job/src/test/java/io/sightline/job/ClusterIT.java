// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.testing.TestModels;
import io.sightline.kafka.KafkaConnection;
import io.sightline.kafka.TopicPosition;
import io.sightline.kafka.audit.Audit;
import io.sightline.kafka.audit.AuditReport;
import io.sightline.kafka.audit.AuditSettings;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/**
 * The job as it is deployed: the job jar on a cluster whose processes are killed while frames keep
 * coming. Under exactly-once every frame has one event, in order, whatever died in between.
 */
class ClusterIT {

    private static final int CAMERAS = 4;

    /** Logs stay where something fails. */
    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    static Path folder;

    private static Path model;
    private static LocalCluster cluster;
    private static FrameFeed feed;

    private String name;

    @BeforeAll
    static void start() throws Exception {
        model =
                TestModels.colourDetector(
                        folder,
                        ColourFrames.INPUT,
                        ColourFrames.INPUT,
                        TestModels.DYNAMIC,
                        ModelSpec.InputFormat.BYTES_NHWC_BGR);
        cluster = LocalCluster.up(folder, "--ha", "--partitions", String.valueOf(CAMERAS));
        cluster.run("submit", options(model, 2));
        feed = FrameFeed.start(cluster.bootstrapServers(), CAMERAS);
    }

    private static String[] options(Path model, int parallelism) {
        return new String[] {
            "--model=" + model,
            "--delivery=exactly-once",
            "--parallelism=" + parallelism,
            "--lanes=1",
            "--max-frame-bytes=" + FrameFeed.MAX_FRAME_BYTES + "b",
            "--from=earliest"
        };
    }

    @BeforeEach
    void name(TestInfo test) {
        name = test.getDisplayName();
    }

    @AfterAll
    static void stop() throws Exception {
        try {
            if (feed != null) {
                feed.close();
            }
        } finally {
            if (cluster != null) {
                cluster.close();
            }
        }
    }

    @Test
    void shouldLoseAndDoubleNothingWhenATaskManagerIsKilled() throws Exception {
        survive(
                () -> {
                    cluster.run("kill-taskmanager");
                    cluster.run("start-taskmanager");
                });
    }

    @Test
    void shouldLoseAndDoubleNothingWhenTheJobManagerIsKilled() throws Exception {
        survive(
                () -> {
                    cluster.run("kill-jobmanager");
                    cluster.run("start-jobmanager");
                });
    }

    @Test
    void shouldLoseAndDoubleNothingWhenTheBrokerIsKilled() throws Exception {
        survive(
                () -> {
                    cluster.run("kill-broker");
                    cluster.run("start-broker");
                });
    }

    @Test
    @Tag("cluster")
    void shouldLoseAndDoubleNothingWhenTheBrokerIsAwayForHalfAMinute() throws Exception {
        survive(
                () -> {
                    cluster.run("kill-broker");
                    TimeUnit.SECONDS.sleep(30);
                    cluster.run("start-broker");
                });
    }

    @Test
    @Tag("cluster")
    void shouldGoOnInOrderWithAnotherParallelism() throws Exception {
        survive(() -> cluster.run("rescale", "1"));
        survive(() -> cluster.run("rescale", "2"));
    }

    @Test
    @Tag("cluster")
    void shouldGoOnInOrderWithAnotherModel() throws Exception {
        Path other =
                TestModels.colourDetector(
                        Files.createDirectory(folder.resolve("other")),
                        ColourFrames.INPUT,
                        ColourFrames.INPUT,
                        1,
                        ModelSpec.InputFormat.BYTES_NHWC_BGR);
        survive(
                () -> {
                    List<String> submit =
                            new ArrayList<>(List.of("--from-savepoint", cluster.run("savepoint")));
                    submit.addAll(List.of(options(other, 2)));
                    cluster.run("submit", submit.toArray(String[]::new));
                });
    }

    /**
     * Events stay invisible rather than come twice, the alarm rises, the job fails long before
     * Kafka would give up its transactions, and nothing is lost.
     */
    @Test
    @Tag("cluster")
    void shouldShowNothingAndFailWhileCheckpointsCannotBeWritten() throws Exception {
        Path checkpoints = folder.resolve("checkpoints");
        Path aside = folder.resolve("checkpoints.aside");
        double failed = metric("flink_jobmanager_job_numberOfFailedCheckpoints");
        double restarts = metric("flink_jobmanager_job_numRestarts");
        survive(
                () -> {
                    Files.move(checkpoints, aside);
                    Files.createFile(checkpoints);
                    LivePipeline.await(
                            "checkpoints fail",
                            () ->
                                    metric("flink_jobmanager_job_numberOfFailedCheckpoints")
                                            > failed);
                    LivePipeline.await(
                            "the job fails",
                            () -> metric("flink_jobmanager_job_numRestarts") > restarts);
                    LivePipeline.await(
                            "no event shows while more frames come",
                            () -> {
                                int before = visible();
                                feed.awaitMore();
                                return visible() == before;
                            });
                    Files.delete(checkpoints);
                    Files.move(aside, checkpoints);
                });
    }

    private static int visible() throws Exception {
        try (EventReader events =
                new EventReader(cluster.bootstrapServers(), "detections", "read_committed")) {
            return events.readAll().size();
        }
    }

    /** While a task manager dies as well. */
    @Test
    @Tag("cluster")
    void shouldAnswerEachRecordOfAPoisonStorm() throws Exception {
        AuditReport report =
                survive(
                        () -> {
                            feed.storm(true);
                            int enough = feed.bad() + 100;
                            LivePipeline.await("bad records are taken", () -> feed.bad() >= enough);
                            cluster.run("kill-taskmanager");
                            cluster.run("start-taskmanager");
                            feed.awaitMore();
                            feed.storm(false);
                        });
        assertThat(report.deadLetters()).isEqualTo(feed.bad()).isGreaterThan(100);
    }

    /** Of the job; 0 where there is none yet. */
    private static double metric(String name) throws Exception {
        for (String address : cluster.metrics()) {
            Matcher line =
                    Pattern.compile("^" + name + "\\{.*} (.*)$", Pattern.MULTILINE)
                            .matcher(get(address));
            if (line.find()) {
                return Double.parseDouble(line.group(1));
            }
        }
        return 0;
    }

    private static String get(String address) throws Exception {
        return HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(URI.create(address)).build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    /** What operators look at and are woken by has the names that the job really gives. */
    @Test
    void shouldServeEveryMetricThatDashboardAndAlertsName() throws Exception {
        try (EventReader events =
                new EventReader(cluster.bootstrapServers(), "detections", "read_committed")) {
            events.awaitFramesOfEach(CAMERAS, 1);
        }
        Set<String> named = new TreeSet<>();
        for (String file : List.of("grafana/sightline.json", "prometheus/alerts.yaml")) {
            named.addAll(metricNames(Files.readString(Path.of("..", "docker", file))));
        }
        Set<String> served = new TreeSet<>();
        for (String address : cluster.metrics()) {
            served.addAll(metricNames(get(address)));
        }
        // These are there with a GPU only.
        named.removeIf(metric -> metric.contains("_taskManager_gpu_"));
        assertThat(named).hasSizeGreaterThan(20).isSubsetOf(served);
    }

    private static List<String> metricNames(String text) {
        return Pattern.compile("\\bflink_\\w+")
                .matcher(text)
                .results()
                .map(MatchResult::group)
                .toList();
    }

    private interface Disaster {
        void strike() throws Exception;
    }

    /**
     * Frames are sent before, meanwhile and after; all of them are found as events, and the topics
     * prove that each record of any kind has one answer.
     *
     * @return the proof
     */
    private AuditReport survive(Disaster disaster) throws Exception {
        String servers = cluster.bootstrapServers();
        try (EventReader events = new EventReader(servers, "detections", "read_committed")) {
            events.awaitFramesOfEach(CAMERAS, feed.awaitMore());
            long start = System.nanoTime();
            disaster.strike();
            long again = System.nanoTime();
            int frames = feed.awaitMore();
            events.awaitFramesOfEach(CAMERAS, frames);
            System.out.printf(
                    "%s: processes are back after %.1f s; all frames have their events after %.1f s%n",
                    name, (again - start) / 1e9, (System.nanoTime() - start) / 1e9);
            List<DetectionEvent> all = events.readAll();
            EventReader.assertEachOnce(all, CAMERAS, frames);
        }
        AuditReport report = audit(servers);
        System.out.printf(
                "%s: %d offsets, %d events, %d dead letters, %d missing%n",
                name, report.offsets(), report.events(), report.deadLetters(), report.missing());
        assertThat(report.problems()).isEmpty();
        assertThat(report.sumsUnknown()).isNull();
        assertThat(report.cameras()).hasSizeGreaterThanOrEqualTo(CAMERAS);
        return report;
    }

    /** Of all there is by now. */
    private static AuditReport audit(String servers) throws Exception {
        try (Audit audit =
                new Audit(
                        new AuditSettings(
                                KafkaConnection.of(servers),
                                "camera-frames",
                                "detections",
                                "camera-frames-dead-letter",
                                "camera-status",
                                "sightline",
                                TopicPosition.parseStart("earliest"),
                                TopicPosition.parseStart("latest"),
                                /* exactlyOnce= */ true,
                                LivePipeline.PATIENCE),
                        (topic, done, total) -> {})) {
            return audit.run();
        }
    }
}

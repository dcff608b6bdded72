// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.testing.TestModels;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
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

    private static LocalCluster cluster;
    private static FrameFeed feed;

    @BeforeAll
    static void start() throws Exception {
        Path model =
                TestModels.colourDetector(
                        folder,
                        ColourFrames.INPUT,
                        ColourFrames.INPUT,
                        TestModels.DYNAMIC,
                        ModelSpec.InputFormat.BYTES_NHWC_BGR);
        cluster = LocalCluster.up(folder, "--ha", "--partitions", String.valueOf(CAMERAS));
        cluster.run(
                "submit",
                "--model=" + model,
                "--delivery=exactly-once",
                "--parallelism=2",
                "--lanes=1",
                "--from=earliest");
        feed = FrameFeed.start(cluster.bootstrapServers(), CAMERAS);
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
        HttpClient client = HttpClient.newHttpClient();
        for (String address : cluster.metrics()) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(address)).build();
            served.addAll(
                    metricNames(client.send(request, HttpResponse.BodyHandlers.ofString()).body()));
        }
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

    /** Frames are sent before, meanwhile and after; all of them are found as events. */
    private static void survive(Disaster disaster) throws Exception {
        String servers = cluster.bootstrapServers();
        try (EventReader events = new EventReader(servers, "detections", "read_committed")) {
            events.awaitFramesOfEach(CAMERAS, feed.awaitMore());
            long start = System.nanoTime();
            disaster.strike();
            long again = System.nanoTime();
            int frames = feed.awaitMore();
            events.awaitFramesOfEach(CAMERAS, frames);
            System.out.printf(
                    "processes are back after %.1f s; all events of before and since after %.1f s%n",
                    (again - start) / 1e9, (System.nanoTime() - start) / 1e9);
            List<DetectionEvent> all = events.readAll();
            EventReader.assertEachOnce(all, CAMERAS, frames);
        }
    }
}

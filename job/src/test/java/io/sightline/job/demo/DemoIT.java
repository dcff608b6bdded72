// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.camera.FrameSink;
import io.sightline.camera.Pace;
import io.sightline.camera.ReplayPlan;
import io.sightline.camera.simulated.TruthSink;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.testing.SharedFiles;
import io.sightline.job.ModelChoice;
import io.sightline.job.OptionTypes;
import io.sightline.job.accuracy.MotScore;
import io.sightline.toolchain.Progress;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The demo as its user runs it: a real broker, Flink, a real video and a real network. */
@Timeout(400)
class DemoIT {

    private static final int FRAMES = 71;

    @TempDir Path folder;

    @Test
    void shouldEndByItselfWithOneEventForEachFrameAndFindThePersons() throws Exception {
        Path model = SharedFiles.require("models/yolov6-lite-l-320.onnx");
        Path video = SharedFiles.require("data/mot/TUD-Campus.mp4");
        MotScore score = new MotScore(SharedFiles.require("data/mot/TUD-Campus-gt.txt"), 1);
        Path file = folder.resolve("out.jsonl");
        ByteArrayOutputStream shown = new ByteArrayOutputStream();
        Set<Path> before = temporaryFolders();

        DemoSummary result;
        try (PrintStream out = new PrintStream(shown, true, StandardCharsets.UTF_8)) {
            result =
                    new Demo(
                                    choose(model),
                                    new VideoCameras(plan(video)),
                                    file,
                                    false,
                                    Progress.SILENT,
                                    out)
                            .run();
        }

        System.out.println("demo: " + result);
        EventLog.Summary summary = result.events();
        assertThat(summary.frames()).isEqualTo(FRAMES);
        assertThat(summary.events()).isEqualTo(FRAMES);
        assertThat(summary.doubles()).isZero();
        assertThat(summary.deadLetters()).isZero();
        assertThat(temporaryFolders()).as("left behind").isEqualTo(before);

        List<DetectionEvent> events = new ArrayList<>();
        for (String line : Files.readAllLines(file)) {
            events.add(new DetectionEventCodec().decode(line.getBytes(StandardCharsets.UTF_8)));
        }
        // One camera: its order is the order of the topic.
        assertThat(events.stream().map(DetectionEvent::seq))
                .containsExactlyElementsOf(LongStream.range(0, FRAMES).boxed().toList());
        assertThat(events.stream().map(DetectionEvent::eventId).distinct()).hasSize(FRAMES);
        assertThat(events)
                .allSatisfy(
                        event -> {
                            assertThat(event.cameraId()).isEqualTo("cam-1");
                            assertThat(event.image()).isEqualTo(new DetectionEvent.Image(640, 480));
                            assertThat(event.model().name()).isEqualTo("yolov6-lite-l-320");
                        });
        assertThat(shown.toString(StandardCharsets.UTF_8).lines())
                .filteredOn(line -> line.contains("  cam-1    #"))
                .hasSize(FRAMES);

        events.forEach(event -> score.add(event.seq(), event.objects()));
        System.out.println("TUD-Campus, yolov6-lite-l-320: " + score);
        assertThat(score.recall()).isGreaterThanOrEqualTo(0.75);
        assertThat(score.precision()).isGreaterThanOrEqualTo(0.77);
    }

    @Test
    void shouldPlaySimulatedCamerasAndScoreTheEventsAgainstTheTruth() throws Exception {
        Path eventsFile = folder.resolve("events.jsonl");
        Path truthFile = folder.resolve("truth.jsonl");
        SceneCameras cameras =
                new SceneCameras(
                        new SceneCameras.Settings(
                                4, 2.0, SceneCameras.SEED, Duration.ofSeconds(3), 90, truthFile));

        DemoSummary result =
                new Demo(
                                bundledOrAnother(),
                                cameras,
                                eventsFile,
                                false,
                                Progress.SILENT,
                                new PrintStream(OutputStream.nullOutputStream()))
                        .run();

        System.out.println("demo: " + result);
        assertThat(result.events().events()).isEqualTo(result.events().frames());
        assertThat(result.events().lost()).isZero();
        assertThat(result.events().doubles()).isZero();
        assertThat(result.events().deadLetters()).isZero();
        assertThat(result.carried()).isPositive();
        Set<String> frames = new HashSet<>();
        for (String line : Files.readAllLines(eventsFile)) {
            DetectionEvent event =
                    new DetectionEventCodec().decode(line.getBytes(StandardCharsets.UTF_8));
            assertThat(event.image()).isEqualTo(new DetectionEvent.Image(1280, 720));
            frames.add(event.cameraId() + " " + event.epoch() + " " + event.seq());
        }
        Set<String> truths = new HashSet<>();
        for (String line : Files.readAllLines(truthFile)) {
            JsonNode truth = new ObjectMapper().readTree(line);
            truths.add(
                    truth.get("camera").asText()
                            + " "
                            + truth.get("epoch").asText()
                            + " "
                            + truth.get("seq").asText());
        }
        assertThat(frames).hasSize((int) result.events().frames()).isEqualTo(truths);
        assertThat(frames).contains("cam-1 0 0", "cam-2 0 0", "cam-3 0 0", "cam-4 0 0");
        Score score = result.score().orElseThrow();
        assertThat(score.objects()).isPositive();
        assertThat(score.classes().get(0).label()).isEqualTo("person");
        assertThat(score.classes().get(0).averagePrecision()).isGreaterThan(0.4);
        assertThat(score.precision()).isGreaterThan(0.7);
    }

    @Test
    void shouldEndWithItsSummaryWhenItIsStopped() throws Exception {
        SceneCameras scenes =
                new SceneCameras(
                        new SceneCameras.Settings(2, 5.0, SceneCameras.SEED, null, 90, null));

        EventLog.Summary summary =
                new Demo(
                                bundledOrAnother(),
                                new Stopping(scenes, 7),
                                null,
                                false,
                                Progress.SILENT,
                                new PrintStream(OutputStream.nullOutputStream()))
                        .run()
                        .events();

        assertThat(summary.frames()).isGreaterThanOrEqualTo(7);
        assertThat(summary.events()).isEqualTo(summary.frames());
    }

    /** Cameras that somebody stops after so many frames. */
    private record Stopping(DemoCameras cameras, int frames) implements DemoCameras {

        @Override
        public List<byte[]> sample(Progress progress) throws IOException, InterruptedException {
            return cameras.sample(progress);
        }

        @Override
        public String settle(double carried) {
            return cameras.settle(carried);
        }

        @Override
        public void prepare(Progress progress) throws Exception {
            cameras.prepare(progress);
        }

        @Override
        public boolean truthIsKnown() {
            return cameras.truthIsKnown();
        }

        @Override
        public long play(FrameSink sink, TruthSink truth) throws IOException, InterruptedException {
            AtomicInteger given = new AtomicInteger();
            return cameras.play(
                    sink,
                    frame -> {
                        truth.accept(frame);
                        if (given.incrementAndGet() == frames) {
                            new Thread(this::stop).start();
                        }
                    });
        }

        @Override
        public void stop() {
            cameras.stop();
        }
    }

    /** The bundled model, or in a build without it one that knows persons as well. */
    private static ModelChoice bundledOrAnother() {
        return DemoIT.class.getResource("/models/sightline-n6.onnx") == null
                ? choose(SharedFiles.require("models/yolov6-lite-l-320.onnx"))
                : choose();
    }

    private static ReplayPlan plan(Path video) {
        return new ReplayPlan(
                List.of(video.toString()),
                ReplayPlan.numberedCameras(1),
                95,
                Pace.asFilmed(),
                false,
                null);
    }

    private static ModelChoice choose(Path model) {
        return choose("--model=" + model, "--border=0", "--iou=0.45", "--confidence=0.4");
    }

    private static ModelChoice choose(String... options) {
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice)).parseArgs(options);
        return choice;
    }

    private static Set<Path> temporaryFolders() throws Exception {
        String broker = "sightline-broker-" + ProcessHandle.current().pid() + "-";
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(path -> path.getFileName().toString().startsWith(broker))
                    .collect(Collectors.toSet());
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.camera.Pace;
import io.sightline.camera.ReplayPlan;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.testing.SharedFiles;
import io.sightline.job.ModelChoice;
import io.sightline.job.OptionTypes;
import io.sightline.job.accuracy.MotScore;
import io.sightline.toolchain.Progress;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The demo as its user runs it: a real broker, Flink, a real video and a real network. */
@Timeout(240)
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
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice))
                .parseArgs("--model=" + model, "--border=0", "--iou=0.45", "--confidence=0.4");
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

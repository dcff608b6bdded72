// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.camera.KafkaFrameSink;
import io.sightline.camera.ReplayClock;
import io.sightline.camera.ReplayPlan;
import io.sightline.camera.simulated.SceneDataset;
import io.sightline.camera.simulated.SceneLoop;
import io.sightline.camera.simulated.SceneSettings;
import io.sightline.camera.simulated.SimulatedCameras;
import io.sightline.camera.simulated.TruthFile;
import io.sightline.camera.simulated.TruthSink;
import io.sightline.job.DetectionOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.flink.configuration.MemorySize;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code ./sightline simulate}: what simulated cameras see, as files or onto a broker. */
@Command(
        name = "simulate",
        description =
                "Render what simulated cameras see, with exact ground truth: as files, or live onto Kafka.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class SimulateCommand implements Callable<Integer> {

    private static final Pattern SIZE = Pattern.compile("(\\d{1,5})x(\\d{1,5})");
    private static final double FILE_FPS = 0.4;
    private static final double LIVE_FPS = 5;
    private static final double LOOP_SECONDS = 20;

    /** More cameras than this share scenes: rendering more would be waited for, and fill memory. */
    private static final int MAX_LIVE_SCENES = 8;

    /**
     * Of all loops together, which are held in memory: a picture takes a quarter of a byte each.
     */
    private static final long MAX_LIVE_PIXELS = 1600L * 1280 * 720;

    /** Files or a broker. */
    static final class Target {
        @Option(
                names = "--output",
                required = true,
                paramLabel = "DIR",
                description = "Folder to write images/, labels/, ignore/ and truth.jsonl to.")
        Path output;

        @Option(
                names = "--bootstrap-servers",
                required = true,
                paramLabel = "HOST:PORT",
                description = "Kafka brokers to play live cameras to, separated by commas.")
        String bootstrapServers;
    }

    @ArgGroup(multiplicity = "1")
    Target target;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "2000001",
            description =
                    "Of the first scene; the next have the numbers after it. The bundled model"
                            + " learnt from scenes with seeds below 1000000.")
    long seed;

    @Option(
            names = "--size",
            paramLabel = "WxH",
            defaultValue = "1280x720",
            description = "Of the pictures, pixels.")
    String size;

    @Option(
            names = "--fps",
            paramLabel = "F",
            description =
                    "Pictures per second of a scene's time; 0.4 to files, 5 to Kafka where absent.")
    Double fps;

    @Option(
            names = "--jpeg-quality",
            paramLabel = "1..100",
            defaultValue = "90",
            description = "Quality of the pictures.")
    int jpegQuality;

    @Option(
            names = "--scenes",
            paramLabel = "N",
            defaultValue = "10",
            description = "To files: how many scenes.")
    int scenes;

    @Option(
            names = "--frames-per-scene",
            paramLabel = "N",
            defaultValue = "5",
            description = "To files: pictures of each scene.")
    int framesPerScene;

    @Option(
            names = "--cameras",
            paramLabel = "N",
            defaultValue = "4",
            description = "To Kafka: how many cameras, named cam-1 to cam-N.")
    int cameras;

    @Option(
            names = "--truth",
            paramLabel = "FILE",
            description = "To Kafka: JSON lines to write with what each frame shows.")
    Path truth;

    @Option(
            names = "--topic",
            paramLabel = "TOPIC",
            defaultValue = "camera-frames",
            description = "To Kafka: frames topic.")
    String topic;

    @Option(
            names = "--kafka-properties",
            paramLabel = "FILE",
            description =
                    "To Kafka: properties for the client, such as security settings; never logged.")
    Path kafkaProperties;

    @Option(
            names = "--duration",
            paramLabel = "DURATION",
            description = "To Kafka: end after that time, such as 30s.")
    Duration duration;

    @Option(
            names = "--max-frame-bytes",
            paramLabel = "SIZE",
            defaultValue = "4mb",
            description = "To Kafka: the largest encoded frame that may be sent.")
    MemorySize maxFrameBytes;

    private int width;
    private int height;

    @Override
    public Integer call() throws Exception {
        Matcher sides = SIZE.matcher(size);
        if (!sides.matches()) {
            throw new IllegalArgumentException(
                    "--size " + size + ": expected width x height in pixels, such as 1280x720");
        }
        width = Integer.parseInt(sides.group(1));
        height = Integer.parseInt(sides.group(2));
        if (fps != null && !(fps > 0 && fps < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "--fps " + fps + ": expected a finite number above 0");
        }
        if (target.output != null) {
            write();
        } else {
            play();
        }
        return 0;
    }

    private void write() throws Exception {
        SceneDataset dataset =
                new SceneDataset(
                        seed,
                        scenes,
                        framesPerScene,
                        fps == null ? FILE_FPS : fps,
                        width,
                        height,
                        jpegQuality);
        try (ProgressLine progress = ProgressLine.open()) {
            dataset.write(target.output, done -> progress.step("scenes", done, scenes));
        }
        System.out.printf("%d pictures written to %s%n", scenes * framesPerScene, target.output);
    }

    private void play() throws Exception {
        if (cameras < 1) {
            throw new IllegalArgumentException("--cameras " + cameras + ": expected at least one");
        }
        double rate = fps == null ? LIVE_FPS : fps;
        List<String> ids = ReplayPlan.numberedCameras(cameras);
        Map<String, Object> client = KafkaFlags.client(target.bootstrapServers, kafkaProperties);
        int largest = DetectionOptions.maxFrameBytes(maxFrameBytes);
        try (TruthFile file = truth == null ? null : new TruthFile(truth);
                KafkaFrameSink frames = KafkaFrameSink.connect(client, topic, largest)) {
            Map<String, SceneLoop> loops = loops(ids, rate);
            System.out.printf("playing to topic %s as %s%n", topic, String.join(", ", ids));
            play(loops, rate, frames, file == null ? ignored -> {} : file);
        }
    }

    private Map<String, SceneLoop> loops(List<String> ids, double rate)
            throws InterruptedException {
        List<SceneSettings> scenes = new ArrayList<>();
        for (int i = 0; i < Math.min(ids.size(), MAX_LIVE_SCENES); i++) {
            scenes.add(SceneSettings.ofSeed(seed + i, width, height));
        }
        long most = MAX_LIVE_PIXELS / ((long) width * height * scenes.size());
        int frames = SceneLoop.frames(LOOP_SECONDS, duration, rate, most);
        System.out.printf("rendering %d scenes of %d frames%n", scenes.size(), frames);
        int total = frames * scenes.size();
        try (ProgressLine progress = ProgressLine.open()) {
            return SceneLoop.share(
                    ids,
                    SceneLoop.render(
                            scenes,
                            rate,
                            frames,
                            jpegQuality,
                            done -> progress.step("rendering scenes", done, total)));
        }
    }

    private void play(
            Map<String, SceneLoop> loops, double rate, KafkaFrameSink frames, TruthSink sink)
            throws Exception {
        try (SimulatedCameras playing =
                new SimulatedCameras(loops, rate, duration, frames, sink, ReplayClock.system())) {
            long start = System.nanoTime();
            SentFrames.print(playing.run(), start);
        }
    }
}

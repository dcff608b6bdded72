// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.camera.CameraReplay;
import io.sightline.camera.JpegEncoder;
import io.sightline.camera.KafkaFrameSink;
import io.sightline.camera.Pace;
import io.sightline.camera.ReplayClock;
import io.sightline.camera.ReplayPlan;
import io.sightline.camera.VideoSource;
import io.sightline.job.DetectionOptions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.MemorySize;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./sightline replay}: videos as cameras onto a broker of the user's. */
@Command(
        name = "replay",
        description = "Play video files or streams onto Kafka as cameras' frames.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class ReplayCommand implements Callable<Integer> {

    private static final long PROGRESS_MILLIS = 5_000;

    @Option(
            names = "--video",
            required = true,
            paramLabel = "FILE|URL",
            description = "Video file or stream (rtsp://…); repeatable.")
    List<String> videos;

    /** Names, or just how many. */
    static final class Cameras {
        @Option(
                names = "--camera",
                paramLabel = "ID",
                description = "Camera id; repeatable. Camera i plays video i modulo the videos.")
        List<String> ids;

        @Option(
                names = "--cameras",
                paramLabel = "N",
                description = "That many cameras, named cam-1 to cam-N.")
        Integer count;
    }

    @ArgGroup Cameras cameras;

    @Mixin KafkaFlags kafka;

    @Option(
            names = "--topic",
            paramLabel = "TOPIC",
            defaultValue = "camera-frames",
            description = "Frames topic.")
    String topic;

    @Option(
            names = "--fps",
            paramLabel = "F",
            description =
                    "Frames per second and camera. Absent: the video's own rate; of a live stream, as they come.")
    Double fps;

    @Option(
            names = "--unpaced",
            description = "As fast as frames can be decoded, encoded and sent.")
    boolean unpaced;

    @Option(
            names = "--loop",
            description =
                    "Begin again when a video ends; connect again, for as long as it takes, when a live stream is lost, which is an error otherwise.")
    boolean loop;

    @Option(
            names = "--duration",
            paramLabel = "DURATION",
            description = "End after that time, such as 30s.")
    Duration duration;

    @Option(
            names = "--jpeg-quality",
            paramLabel = "1..100",
            defaultValue = "" + JpegEncoder.DEFAULT_QUALITY,
            description = "Quality of the frames.")
    int jpegQuality;

    @Option(
            names = "--max-frame-bytes",
            paramLabel = "SIZE",
            defaultValue = "4mb",
            description = "The largest encoded frame that may be sent.")
    MemorySize maxFrameBytes;

    @Override
    public Integer call() throws Exception {
        if (unpaced && fps != null) {
            throw new IllegalArgumentException("--unpaced and --fps exclude each other: give one");
        }
        List<String> ids;
        if (cameras == null) {
            ids = ReplayPlan.numberedCameras(videos.size());
        } else if (cameras.ids != null) {
            ids = cameras.ids;
        } else {
            ids = ReplayPlan.numberedCameras(cameras.count);
        }
        Pace pace = unpaced ? Pace.unlimited() : fps == null ? Pace.asFilmed() : Pace.fps(fps);
        ReplayPlan plan = new ReplayPlan(videos, ids, jpegQuality, pace, loop, duration);
        for (String video : videos) {
            // A stream is opened once only: a camera may refuse a second viewer.
            if (!video.contains("://")) {
                VideoSource.open(video).close();
            }
        }
        try (KafkaFrameSink sink =
                        KafkaFrameSink.connect(
                                kafka.client(),
                                topic,
                                DetectionOptions.maxFrameBytes(maxFrameBytes));
                CameraReplay replay = new CameraReplay(plan, sink, ReplayClock.system())) {
            System.out.printf("playing to topic %s as %s%n", topic, String.join(", ", ids));
            long start = System.nanoTime();
            Thread progress = new Thread(() -> showProgress(replay), "progress");
            progress.setDaemon(true);
            progress.start();
            Map<String, Long> sent = replay.run();
            progress.interrupt();
            SentFrames.print(sent, start);
        }
        return 0;
    }

    private static void showProgress(CameraReplay replay) {
        try {
            while (true) {
                Thread.sleep(PROGRESS_MILLIS);
                System.out.printf("sent %d frames%n", SentFrames.total(replay.sent()));
            }
        } catch (InterruptedException e) {
            // The replay has ended.
        }
    }
}

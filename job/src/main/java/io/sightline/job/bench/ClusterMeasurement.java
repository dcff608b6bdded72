// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.job.demo.SceneCameras;
import io.sightline.toolchain.Progress;
import java.io.IOException;
import java.time.Duration;
import java.util.List;

/**
 * Measurements of a job on a cluster, for {@code docker/measure}, which starts and ends the
 * cluster: {@code overload HOST:PORT SECONDS} and {@code soak HOST:PORT SECONDS LOAD PROCESS}.
 * Tables go to standard output, progress to standard error.
 */
public final class ClusterMeasurement {

    static final String FRAMES_TOPIC = "camera-frames";
    static final int CAMERAS = 8;

    private static final String EVENTS_TOPIC = "detections";
    private static final String STATUS_TOPIC = "camera-status";
    private static final int PICTURES = 40;
    private static final int JPEG_QUALITY = 90;
    private static final Duration LONGEST_WARM_UP = Duration.ofSeconds(30);

    final String bootstrapServers;
    final Duration duration;
    final List<byte[]> pictures;

    private ClusterMeasurement(String bootstrapServers, Duration duration, List<byte[]> pictures) {
        this.bootstrapServers = bootstrapServers;
        this.duration = duration;
        this.pictures = pictures;
    }

    public static void main(String[] args) throws Exception {
        try {
            run(args);
        } catch (IOException e) {
            say(e.getMessage());
            System.exit(1);
        }
    }

    private static void run(String[] args) throws IOException, InterruptedException {
        say("rendering pictures");
        ClusterMeasurement measurement =
                new ClusterMeasurement(
                        args[1],
                        Duration.ofSeconds(Long.parseLong(args[2])),
                        SceneCameras.pictures(PICTURES, JPEG_QUALITY, Progress.SILENT));
        switch (args[0]) {
            case "overload" -> new Overload(measurement).run(System.out);
            case "soak" ->
                    new Soak(measurement, Double.parseDouble(args[3]), Long.parseLong(args[4]))
                            .run(System.out);
            default ->
                    throw new IllegalArgumentException(
                            "measurement " + args[0] + ": expected overload or soak");
        }
    }

    static void say(String what) {
        System.err.println("measure: " + what);
    }

    JobReader reader() {
        return new JobReader(bootstrapServers, EVENTS_TOPIC, STATUS_TOPIC);
    }

    CameraLoad load(double[] framesPerSecond) {
        return new CameraLoad(bootstrapServers, FRAMES_TOPIC, pictures, framesPerSecond);
    }

    /** Not longer than what is measured. */
    Duration warmUp() {
        return duration.compareTo(LONGEST_WARM_UP) < 0 ? duration : LONGEST_WARM_UP;
    }

    /** What the job carries. */
    double carried(JobReader reader) throws IOException, InterruptedException {
        say("what does the job carry? " + 2 * warmUp().toSeconds() + " s or more");
        return Saturation.framesPerSecond(
                bootstrapServers, pictures, CAMERAS, reader, warmUp(), warmUp());
    }
}

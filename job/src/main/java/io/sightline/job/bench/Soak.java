// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.ToDoubleFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;

/**
 * A share of what the job carries, evenly and for long: whether its task manager's memory, handles
 * and threads, and the job's throughput, stay as they were. The job has to answer every frame.
 */
final class Soak {

    private static final int SAMPLES = 60;
    private static final int SHARES = 5;
    private static final double MIB = 1024 * 1024;

    private final ClusterMeasurement measurement;
    private final double loadShare;
    private final long process;

    /**
     * @param loadShare of what the job carries
     * @param process the task manager's
     */
    Soak(ClusterMeasurement measurement, double loadShare, long process) {
        this.measurement = measurement;
        this.loadShare = loadShare;
        this.process = process;
    }

    /**
     * A stretch of the run.
     *
     * @param seconds how long it was
     * @param events that came out meanwhile
     * @param backlog frames sent and not answered at its end
     * @param held by the process at its end
     */
    record Sample(double seconds, long events, long backlog, ProcessSample held) {}

    void run(PrintStream out) throws IOException, InterruptedException {
        keepLittleOfWhatIsSent();
        try (JobReader reader = measurement.reader()) {
            double carried = measurement.carried(reader);
            out.printf(
                    Locale.ROOT,
                    "The job carries %.1f frames/s; %.0f%% of that are sent for %d s.%n%n",
                    carried,
                    100 * loadShare,
                    measurement.duration.toSeconds());
            List<Sample> samples = new ArrayList<>();
            try (CameraLoad load =
                    measurement.load(
                            Saturation.evenly(ClusterMeasurement.CAMERAS, loadShare * carried))) {
                out.println("| after | frames/s | waiting | resident MiB | handles | threads |");
                out.println("|---|---|---|---|---|---|");
                Duration stretch = measurement.duration.dividedBy(SAMPLES);
                long start = System.nanoTime();
                double before = 0;
                long eventsBefore = 0;
                for (int i = 1; i <= SAMPLES; i++) {
                    long due = start + stretch.multipliedBy(i).toNanos();
                    reader.read(Duration.ofNanos(due - System.nanoTime()));
                    double now = (System.nanoTime() - start) / 1e9;
                    long events = reader.events().size();
                    Sample sample =
                            new Sample(
                                    now - before,
                                    events - eventsBefore,
                                    load.sent() - events,
                                    ProcessSample.of(process));
                    before = now;
                    eventsBefore = events;
                    samples.add(sample);
                    print(out, now, sample);
                }
                load.close();
                reader.awaitAccounted(load.sent());
            }
            summarize(out, samples);
        }
    }

    /** Half an hour of pictures would fill a disk; they are of no use once they are answered. */
    private void keepLittleOfWhatIsSent() throws IOException, InterruptedException {
        ConfigResource topic =
                new ConfigResource(ConfigResource.Type.TOPIC, ClusterMeasurement.FRAMES_TOPIC);
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", measurement.bootstrapServers))) {
            admin.incrementalAlterConfigs(
                            Map.of(
                                    topic,
                                    List.of(
                                            set(TopicConfig.RETENTION_MS_CONFIG, "300000"),
                                            set(TopicConfig.SEGMENT_BYTES_CONFIG, "67108864"))))
                    .all()
                    .get();
        } catch (ExecutionException e) {
            throw new IOException("topic " + topic.name() + ": " + e.getCause().getMessage(), e);
        }
    }

    private static AlterConfigOp set(String name, String value) {
        return new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
    }

    private static void print(PrintStream out, double seconds, Sample sample) {
        out.printf(
                Locale.ROOT,
                "| %.0f s | %.1f | %d | %.0f | %d | %d |%n",
                seconds,
                sample.events / sample.seconds,
                sample.backlog,
                sample.held.residentBytes() / MIB,
                sample.held.handles(),
                sample.held.threads());
    }

    /** The first fifth is the warm-up; the second one is what the last one is held against. */
    static void summarize(PrintStream out, List<Sample> samples) {
        List<Sample> second = fifth(samples, 1);
        List<Sample> last = fifth(samples, SHARES - 1);
        out.printf(
                Locale.ROOT,
                "%nMean of the last fifth against the second (the first one is warm-up):%n%n"
                        + "| | second fifth | last fifth | change |%n|---|---|---|---|%n");
        compare(out, "frames/s", framesPerSecond(second), framesPerSecond(last));
        compare(
                out,
                "resident MiB",
                mean(second, sample -> sample.held.residentBytes() / MIB),
                mean(last, sample -> sample.held.residentBytes() / MIB));
        compare(
                out,
                "handles",
                mean(second, sample -> sample.held.handles()),
                mean(last, sample -> sample.held.handles()));
        compare(
                out,
                "threads",
                mean(second, sample -> sample.held.threads()),
                mean(last, sample -> sample.held.threads()));
        double[] resident =
                samples.subList(samples.size() / SHARES, samples.size()).stream()
                        .mapToDouble(sample -> sample.held.residentBytes() / MIB)
                        .sorted()
                        .toArray();
        out.printf(
                Locale.ROOT,
                "%nResident after the warm-up: %.0f to %.0f MiB.%n",
                resident[0],
                resident[resident.length - 1]);
    }

    private static List<Sample> fifth(List<Sample> samples, int number) {
        return samples.subList(
                samples.size() * number / SHARES, samples.size() * (number + 1) / SHARES);
    }

    private static double framesPerSecond(List<Sample> samples) {
        return samples.stream().mapToLong(Sample::events).sum()
                / samples.stream().mapToDouble(Sample::seconds).sum();
    }

    private static double mean(List<Sample> samples, ToDoubleFunction<Sample> value) {
        return samples.stream().mapToDouble(value).average().orElseThrow();
    }

    private static void compare(PrintStream out, String what, double second, double last) {
        out.printf(
                Locale.ROOT,
                "| %s | %.1f | %.1f | %+.1f%% |%n",
                what,
                second,
                last,
                100 * (last - second) / second);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.events.DropReason;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

/**
 * Twice the frames that the job carries, of eight cameras of which one floods: how long the others'
 * frames take, against the same cameras on an idle machine, and what became of the rest. Once the
 * one sends five times as many as each other, and the others alone are more than the job carries;
 * once they would be carried well if it were not for the one. The job has to run with a policy that
 * drops.
 */
final class Overload {

    private static final double TIMES_CARRIED = 2;
    private static final double IDLE = 0.2;
    private static final int FLOODING = 0;
    private static final int FLOOD = 5;

    /** What the others send together, where the job would carry them, in parts of what it does. */
    private static final double CARRIED_OTHERS = 0.6;

    /** Of each phase, before it counts. */
    private static final Duration SETTLE = Duration.ofSeconds(5);

    private final ClusterMeasurement measurement;

    Overload(ClusterMeasurement measurement) {
        this.measurement = measurement;
    }

    /** What was sent and came out within a phase. */
    private record Phase(long[] sent, double seconds, List<JobReader.Event> events) {

        /** Sorted. */
        long[] latencies(Predicate<String> camera) {
            return events.stream()
                    .filter(event -> camera.test(event.camera()))
                    .mapToLong(JobReader.Event::latencyMillis)
                    .sorted()
                    .toArray();
        }
    }

    void run(PrintStream out) throws IOException, InterruptedException {
        try (JobReader reader = measurement.reader()) {
            double carried = measurement.carried(reader);
            ClusterMeasurement.say("unloaded, " + measurement.duration.toSeconds() + " s");
            Phase idle =
                    phase(reader, Saturation.evenly(ClusterMeasurement.CAMERAS, IDLE * carried));
            out.printf(
                    Locale.ROOT,
                    "The job carries %.1f frames/s; unloaded %.1f were sent.%n",
                    carried,
                    Arrays.stream(idle.sent).sum() / idle.seconds);
            double all = TIMES_CARRIED * carried;
            double equal = all / (ClusterMeasurement.CAMERAS - 1 + FLOOD);
            measure(
                    out,
                    "One sends " + FLOOD + " times as much as each other",
                    equal,
                    all,
                    idle,
                    reader);
            double few = CARRIED_OTHERS * carried / (ClusterMeasurement.CAMERAS - 1);
            measure(out, "The others alone would be carried", few, all, idle, reader);
        }
    }

    /**
     * @param others frames a second of each camera but the one that floods
     * @param all frames a second of all together
     */
    private void measure(
            PrintStream out, String name, double others, double all, Phase idle, JobReader reader)
            throws IOException, InterruptedException {
        ClusterMeasurement.say(name + ", " + measurement.duration.toSeconds() + " s");
        double[] rates = new double[ClusterMeasurement.CAMERAS];
        Arrays.fill(rates, others);
        rates[FLOODING] = all - others * (ClusterMeasurement.CAMERAS - 1);
        reader.forget();
        Phase loaded = phase(reader, rates);
        out.printf("%n%s:%n%n", name);
        print(out, idle, loaded, reader);
    }

    private Phase phase(JobReader reader, double[] rates) throws IOException, InterruptedException {
        long[] sent = new long[ClusterMeasurement.CAMERAS];
        long start;
        long end;
        try (CameraLoad load = measurement.load(rates)) {
            reader.read(SETTLE);
            for (int camera = 0; camera < sent.length; camera++) {
                sent[camera] = -load.sent(camera);
            }
            start = System.currentTimeMillis();
            reader.read(measurement.duration);
            end = System.currentTimeMillis();
            for (int camera = 0; camera < sent.length; camera++) {
                sent[camera] += load.sent(camera);
            }
            load.close();
            reader.awaitAccounted(load.sent());
        }
        List<JobReader.Event> within =
                reader.events().stream()
                        .filter(
                                event ->
                                        event.captureMillis() >= start
                                                && event.captureMillis() < end)
                        .toList();
        return new Phase(sent, (end - start) / 1000.0, within);
    }

    private static void print(PrintStream out, Phase idle, Phase loaded, JobReader reader) {
        out.println("| camera | sent/s | events/s | p50 ms | p99 ms | unloaded p50 ms | p99 ms |");
        out.println("|---|---|---|---|---|---|---|");
        for (int camera = 0; camera < ClusterMeasurement.CAMERAS; camera++) {
            String id = CameraLoad.camera(camera);
            long[] latencies = loaded.latencies(id::equals);
            long[] unloaded = idle.latencies(id::equals);
            out.printf(
                    Locale.ROOT,
                    "| %s | %.1f | %.1f | %s | %s | %s | %s |%n",
                    id,
                    loaded.sent[camera] / loaded.seconds,
                    latencies.length / loaded.seconds,
                    percentile(latencies, 50),
                    percentile(latencies, 99),
                    percentile(unloaded, 50),
                    percentile(unloaded, 99));
        }
        printAccounts(out, reader);
        Predicate<String> others = id -> !id.equals(CameraLoad.camera(FLOODING));
        String loadedP99 = percentile(loaded.latencies(others), 99);
        String idleP99 = percentile(idle.latencies(others), 99);
        out.printf(
                Locale.ROOT,
                "%nCapture to emit of the other seven, p99: %s ms, unloaded %s ms: %s times as long.%n",
                loadedP99,
                idleP99,
                loadedP99.equals("-") || idleP99.equals("-")
                        ? "-"
                        : String.format(
                                Locale.ROOT,
                                "%.2f",
                                Double.parseDouble(loadedP99) / Double.parseDouble(idleP99)));
    }

    /** Of the whole phase, with what was sent before it counted. */
    private static void printAccounts(PrintStream out, JobReader reader) {
        StringBuilder head = new StringBuilder("| camera | frames in | events | dead letters |");
        for (DropReason reason : DropReason.values()) {
            head.append(' ').append(reason.label()).append(" |");
        }
        out.printf("%nAs camera-status has it:%n%n%s%n", head);
        out.println("|---|---|---|---|" + "---|".repeat(DropReason.values().length));
        reader.accounts()
                .forEach(
                        (camera, account) -> {
                            out.printf(
                                    "| %s | %d | %d | %d |",
                                    camera, account.framesIn, account.events, account.deadLetters);
                            for (DropReason reason : DropReason.values()) {
                                out.printf(
                                        " %d |", account.dropped.getOrDefault(reason.label(), 0L));
                            }
                            out.println();
                        });
    }

    private static String percentile(long[] sorted, int percent) {
        return sorted.length == 0 ? "-" : Long.toString(PipelineBench.at(sorted, percent));
    }
}

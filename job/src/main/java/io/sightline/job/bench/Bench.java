// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import com.sun.management.OperatingSystemMXBean;
import io.sightline.inference.BackendFactory;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.BatchingPolicy;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.MicroBatcher;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.NanoClock;
import io.sightline.job.ModelChoice;
import io.sightline.toolchain.evaluate.PictureDetector;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.Detections;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * What Sightline adds to the engine, measured in one run on the same frames with the same number of
 * workers and lanes: one lane a worker on a CPU, one a GPU there.
 *
 * <pre>
 *   a  the bare engine on ready tensors: single frames on a CPU, full batches on a GPU
 *   b  decode, letterbox, engine, parse: every worker for itself, without Kafka and Flink; on a GPU
 *      the workers fill its batches together
 *   c  the whole job, Kafka to Kafka; the frames lie in the topic before the clock starts
 * </pre>
 *
 * <p>Rounds of the three alternate, the first is thrown away, and medians are given. Each of b's
 * workers does all of a frame by itself, one after the other, which no pipeline can beat per CPU
 * second; so c/b is what the job's machinery leaves of it.
 */
public final class Bench implements AutoCloseable {

    /** How much longer the job warms up: Flink's and Kafka's code is compiled while it runs. */
    private static final int WARM_UP = 5;

    private final ModelChoice model;
    private final List<byte[]> frames;
    private final int workers;
    private final int rounds;
    private final double secondsPerRound;
    private final List<InferenceBackend> backends = new ArrayList<>();

    /**
     * @param framesPerSecond over all workers
     * @param cpuMillisPerFrame of this process
     * @param brokerCpuMillisPerFrame of the broker's process; 0 where there is none
     */
    record Result(
            double framesPerSecond, double cpuMillisPerFrame, double brokerCpuMillisPerFrame) {

        static Result median(List<Result> results) {
            return new Result(
                    median(results.stream().mapToDouble(Result::framesPerSecond).toArray()),
                    median(results.stream().mapToDouble(Result::cpuMillisPerFrame).toArray()),
                    median(
                            results.stream()
                                    .mapToDouble(Result::brokerCpuMillisPerFrame)
                                    .toArray()));
        }

        private static double median(double[] values) {
            Arrays.sort(values);
            int half = values.length / 2;
            return values.length % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
        }
    }

    /**
     * @param frames encoded pictures, taken in turn
     * @param workers threads that decode
     */
    public Bench(
            ModelChoice model,
            List<byte[]> frames,
            int workers,
            int rounds,
            double secondsPerRound) {
        this.model = model;
        this.frames = frames;
        this.workers = workers;
        this.rounds = rounds;
        this.secondsPerRound = secondsPerRound;
    }

    /** Prints as it goes. */
    public void run(PrintStream out) throws Exception {
        BackendFactory factory = model.backendFactory();
        int lanes = model.onGpu() ? factory.defaultLanes() : workers;
        backends.addAll(factory.open(lanes));
        ModelSpec spec = backends.get(0).spec();
        out.printf(
                Locale.ROOT,
                "model %s, input %dx%d; %d pictures, %.0f KB on average; %d workers, %d lanes, %d cores%n",
                spec.name(),
                spec.inputWidth(),
                spec.inputHeight(),
                frames.size(),
                frames.stream().mapToInt(frame -> frame.length).average().orElse(0) / 1e3,
                workers,
                lanes,
                Runtime.getRuntime().availableProcessors());
        List<Result> engine = new ArrayList<>();
        List<Result> inline = new ArrayList<>();
        List<Result> pipeline = new ArrayList<>();
        try (PipelineBench job = new PipelineBench(model, frames, workers, lanes)) {
            for (int round = 0; round <= rounds; round++) {
                Result a = measure(this::engineLoop);
                Result b = model.onGpu() ? batched(factory, lanes) : measure(this::inlineLoop);
                double count = b.framesPerSecond() * secondsPerRound;
                Result c = job.round((int) Math.ceil(round == 0 ? WARM_UP * count : count));
                out.printf(
                        Locale.ROOT,
                        "%-8s a %7.1f  b %7.1f  c %7.1f frames/s%n",
                        round == 0 ? "warm-up" : "round " + round,
                        a.framesPerSecond(),
                        b.framesPerSecond(),
                        c.framesPerSecond());
                if (round > 0) {
                    engine.add(a);
                    inline.add(b);
                    pipeline.add(c);
                }
            }
            Result a = Result.median(engine);
            Result b = Result.median(inline);
            Result c = Result.median(pipeline);
            print(out, "a  engine on ready tensors", a);
            print(out, "b  decode, letterbox, engine, parse", b);
            print(out, "c  job, Kafka to Kafka", c);
            out.printf(
                    Locale.ROOT,
                    "c/a %.3f   c/b %.3f   broker apart: %.2f ms CPU/frame%n",
                    c.framesPerSecond() / a.framesPerSecond(),
                    c.framesPerSecond() / b.framesPerSecond(),
                    c.brokerCpuMillisPerFrame());
            double half = c.framesPerSecond() / 2;
            out.printf(
                    Locale.ROOT,
                    "capture to event at half load (%.0f frames/s): %s%n",
                    half,
                    job.latency(half, 3 * secondsPerRound));
        }
    }

    private static void print(PrintStream out, String name, Result result) {
        out.printf(
                Locale.ROOT,
                "%-36s %7.1f frames/s  %6.2f ms CPU/frame%n",
                name,
                result.framesPerSecond(),
                result.cpuMillisPerFrame());
    }

    /** One worker's frames until the deadline; returns how many. */
    private interface Loop {
        long run(int worker, InferenceBackend backend, CyclicBarrier start) throws Exception;
    }

    private Result measure(Loop loop) throws Exception {
        long[] started = new long[2];
        int count = backends.size();
        CyclicBarrier start =
                new CyclicBarrier(
                        count,
                        () -> {
                            started[0] = System.nanoTime();
                            started[1] = processCpuNanos();
                        });
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Callable<Long>> tasks = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int worker = i;
                tasks.add(() -> loop.run(worker, backends.get(worker), start));
            }
            long done = 0;
            for (Future<Long> each : threads.invokeAll(tasks)) {
                done += each.get();
            }
            double seconds = (System.nanoTime() - started[0]) / 1e9;
            double cpuMillis = (processCpuNanos() - started[1]) / 1e6;
            return new Result(done / seconds, cpuMillis / done, 0);
        } finally {
            threads.shutdownNow();
        }
    }

    private Result batched(BackendFactory factory, int lanes) throws Exception {
        ModelSpec spec = backends.get(0).spec();
        try (MicroBatcher<Detections> batcher =
                new MicroBatcher<>(
                        factory.open(lanes),
                        model.buffersPerLane(),
                        () -> new DetectionReader(spec, model.nms(spec)),
                        BatchingPolicy.IMMEDIATE,
                        NanoClock.SYSTEM)) {
            long cpu = processCpuNanos();
            double rate =
                    BatcherLoad.framesPerSecond(
                            batcher,
                            workers,
                            worker ->
                                    BatcherLoad.pictures(
                                            spec, model.interpolation(), frames, worker),
                            Duration.ZERO,
                            Duration.ofNanos((long) (secondsPerRound * 1e9)));
            return new Result(rate, (processCpuNanos() - cpu) / 1e6 / batcher.totals().frames(), 0);
        }
    }

    private long deadline() {
        return System.nanoTime() + (long) (secondsPerRound * 1e9);
    }

    private long engineLoop(int worker, InferenceBackend backend, CyclicBarrier start)
            throws Exception {
        Deque<BatchBuffer> buffers = new ArrayDeque<>();
        int full = backend.spec().maxBatch();
        try (BatcherLoad.Filler filler =
                BatcherLoad.pictures(backend.spec(), model.interpolation(), frames, worker)) {
            for (int i = 0; i < backend.maxInFlight(); i++) {
                buffers.addLast(backend.newBuffer());
                for (int slot = 0; slot < full; slot++) {
                    filler.fill(buffers.getLast().slot(slot));
                }
            }
            start.await();
            long deadline = deadline();
            buffers.forEach(buffer -> backend.submit(buffer, full));
            long count = 0;
            while (System.nanoTime() < deadline) {
                BatchBuffer oldest = buffers.removeFirst();
                backend.await(oldest);
                backend.submit(oldest, full);
                buffers.addLast(oldest);
                count += full;
            }
            for (BatchBuffer buffer : buffers) {
                backend.await(buffer);
                count += full;
            }
            return count;
        } finally {
            buffers.forEach(BatchBuffer::close);
        }
    }

    private long inlineLoop(int worker, InferenceBackend backend, CyclicBarrier start)
            throws Exception {
        try (PictureDetector detector =
                new PictureDetector(backend, model.interpolation(), model.nms(backend.spec()))) {
            start.await();
            long deadline = deadline();
            long count = 0;
            long objects = 0;
            while (System.nanoTime() < deadline) {
                byte[] encoded = frames.get((int) ((worker + count * workers) % frames.size()));
                objects += detector.detect(encoded).objects().size();
                count++;
            }
            // Used, so that none of the work can be left out.
            return objects < 0 ? objects : count;
        }
    }

    static long processCpuNanos() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    @Override
    public void close() {
        backends.forEach(InferenceBackend::close);
    }
}

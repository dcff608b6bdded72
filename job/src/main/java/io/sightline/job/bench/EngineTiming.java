// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.events.FrameRejectedException;
import io.sightline.inference.BackendFactory;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.BatchSlot;
import io.sightline.inference.BatchingPolicy;
import io.sightline.inference.FrameCallback;
import io.sightline.inference.FrameSubmitter;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.MicroBatcher;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.NanoClock;
import io.sightline.inference.RunTiming;
import io.sightline.inference.tensorrt.TensorRtEngines;
import io.sightline.job.ModelChoice;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.Detections;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Letterbox;
import io.sightline.vision.OpenCvFrameDecoder;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * How many images a second an engine gives by itself, and what is left of them on the way there:
 *
 * <pre>
 *   alone    the engine back to back on what lies on the GPU already (TensorRT only)
 *   copies   batches that are ready, copied there and back
 *   bytes    the batcher, filled by some threads with letterboxed bytes that are ready
 *   jpegs    the same from JPEGs: decode, letterbox, engine, parse
 * </pre>
 */
public final class EngineTiming {

    /** Compilers and clocks of GPUs settle. */
    private static final double WARM_UP = 0.5;

    private final ModelChoice model;
    private final List<byte[]> pictures;
    private final int threads;
    private final double seconds;

    /**
     * Images a second.
     *
     * @param batch frames in a full batch
     * @param lanes engines side by side in {@code bytes} and {@code jpegs}
     * @param alone empty where the backend is always copied to
     */
    record Row(
            int batch, int lanes, OptionalDouble alone, double copies, double bytes, double jpegs) {

        /**
         * What the batcher leaves of the engine alone, or, where that is not known, with copies.
         */
        double ratio() {
            return bytes / alone.orElse(copies);
        }
    }

    /** Fills one slot. */
    private interface Filler extends AutoCloseable {
        void fill(ByteBuffer slot) throws FrameRejectedException;

        @Override
        void close();
    }

    /**
     * @param pictures encoded, taken in turn
     * @param threads that fill batches
     * @param seconds length of each measurement, after half as long to warm up
     */
    public EngineTiming(ModelChoice model, List<byte[]> pictures, int threads, double seconds) {
        this.model = model;
        this.pictures = pictures;
        this.threads = threads;
        this.seconds = seconds;
    }

    /** Prints a table, a line for each batch as it is measured. */
    public List<Row> run(List<Integer> batches, PrintStream out)
            throws InterruptedException, FrameRejectedException {
        List<Row> rows = new ArrayList<>();
        for (int batch : batches) {
            BackendFactory factory = model.backendFactory(batch);
            List<InferenceBackend> lanes = factory.open(factory.defaultLanes());
            ModelSpec spec = lanes.get(0).spec();
            if (rows.isEmpty()) {
                out.printf(
                        "%s %dx%d, %s, %s; %d threads fill, images/s%n| batch | lanes | engine alone | with copies | batcher, bytes | batcher, JPEG | bytes / engine |%n|---|---|---|---|---|---|---|%n",
                        spec.name(),
                        spec.inputWidth(),
                        spec.inputHeight(),
                        spec.precision(),
                        factory.backend(),
                        threads);
            }
            Row row = measure(lanes);
            rows.add(row);
            out.printf(
                    Locale.ROOT,
                    "| %d | %d | %s | %.1f | %.1f | %.1f | %.3f |%n",
                    row.batch(),
                    row.lanes(),
                    row.alone().isPresent()
                            ? "%.1f".formatted(row.alone().getAsDouble())
                            : "not apart",
                    row.copies(),
                    row.bytes(),
                    row.jpegs(),
                    row.ratio());
        }
        return rows;
    }

    private Row measure(List<InferenceBackend> lanes)
            throws InterruptedException, FrameRejectedException {
        OptionalDouble alone;
        double copies;
        ModelSpec spec;
        try {
            InferenceBackend first = lanes.get(0);
            spec = first.spec();
            alone = TensorRtEngines.framesPerSecondAlone(first, duration(seconds));
            copies = withCopies(first);
        } catch (RuntimeException | Error e) {
            lanes.forEach(InferenceBackend::close);
            throw e;
        }
        byte[] letterboxed = letterboxed(spec);
        try (MicroBatcher<Detections> batcher =
                new MicroBatcher<>(
                        lanes,
                        lanes.get(0).maxInFlight() + 1,
                        () -> new DetectionReader(spec, model.nms(spec)),
                        BatchingPolicy.IMMEDIATE,
                        NanoClock.SYSTEM)) {
            double bytes = through(batcher, thread -> new ReadyBytes(letterboxed));
            double jpegs = through(batcher, thread -> new Jpegs(spec, thread));
            return new Row(spec.maxBatch(), lanes.size(), alone, copies, bytes, jpegs);
        }
    }

    private static Duration duration(double seconds) {
        return Duration.ofNanos((long) (seconds * 1e9));
    }

    /** As many batches in flight as the engine takes. */
    private double withCopies(InferenceBackend backend) {
        Deque<BatchBuffer> idle = new ArrayDeque<>();
        Deque<BatchBuffer> running = new ArrayDeque<>();
        int full = backend.spec().maxBatch();
        try {
            for (int i = 0; i < backend.maxInFlight(); i++) {
                idle.add(backend.newBuffer());
            }
            long start = System.nanoTime();
            long counted = start + (long) (WARM_UP * seconds * 1e9);
            long end = counted + (long) (seconds * 1e9);
            long frames = 0;
            long now = start;
            while (now < end) {
                if (idle.isEmpty()) {
                    BatchBuffer first = running.removeFirst();
                    backend.await(first);
                    idle.add(first);
                    now = System.nanoTime();
                    frames += now >= counted ? full : 0;
                }
                BatchBuffer next = idle.removeFirst();
                backend.submit(next, full);
                running.addLast(next);
            }
            double perSecond = frames * 1e9 / (now - counted);
            running.forEach(backend::await);
            return perSecond;
        } finally {
            idle.forEach(BatchBuffer::close);
            running.forEach(BatchBuffer::close);
        }
    }

    private byte[] letterboxed(ModelSpec spec) throws FrameRejectedException {
        ByteBuffer slot = ByteBuffer.allocateDirect(spec.slotBytes());
        try (Jpegs first = new Jpegs(spec, 0)) {
            first.fill(slot);
        }
        byte[] bytes = new byte[spec.slotBytes()];
        slot.get(0, bytes);
        return bytes;
    }

    private interface Fillers {
        Filler of(int thread);
    }

    private double through(MicroBatcher<Detections> batcher, Fillers fillers)
            throws InterruptedException {
        AtomicBoolean enough = new AtomicBoolean();
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> workers = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int thread = i;
                workers.add(pool.submit(() -> fill(batcher, fillers, thread, enough)));
            }
            Thread.sleep(duration(WARM_UP * seconds).toMillis());
            long frames = batcher.totals().frames();
            long start = System.nanoTime();
            Thread.sleep(duration(seconds).toMillis());
            frames = batcher.totals().frames() - frames;
            double perSecond = frames * 1e9 / (System.nanoTime() - start);
            enough.set(true);
            for (Future<?> worker : workers) {
                worker.get();
            }
            return perSecond;
        } catch (ExecutionException e) {
            throw new InferenceException("filling batches failed: " + e.getCause(), e.getCause());
        } finally {
            enough.set(true);
            pool.shutdown();
        }
    }

    private static Void fill(
            MicroBatcher<Detections> batcher, Fillers fillers, int thread, AtomicBoolean enough)
            throws InterruptedException, FrameRejectedException {
        Semaphore turn = new Semaphore(0);
        try (Filler filler = fillers.of(thread);
                FrameSubmitter<Detections> submitter = batcher.newSubmitter(turn::release)) {
            while (!enough.get()) {
                BatchSlot<Detections> slot = submitter.tryClaim();
                if (slot == null) {
                    turn.acquire();
                    continue;
                }
                boolean filled = false;
                try {
                    filler.fill(slot.pixels());
                    filled = true;
                } finally {
                    if (filled) {
                        slot.commit(Dropped.INSTANCE);
                    } else {
                        slot.abort();
                    }
                }
            }
            return null;
        }
    }

    /** Nobody looks at the results; that they come is counted by the batcher. */
    private enum Dropped implements FrameCallback<Detections> {
        INSTANCE;

        @Override
        public void complete(Detections result, RunTiming timing) {}

        // Whoever claims next is told.
        @Override
        public void fail(Throwable cause) {}
    }

    private record ReadyBytes(byte[] letterboxed) implements Filler {
        @Override
        public void fill(ByteBuffer slot) {
            slot.put(0, letterboxed);
        }

        @Override
        public void close() {}
    }

    private final class Jpegs implements Filler {
        private final OpenCvFrameDecoder decoder =
                new OpenCvFrameDecoder(new FrameLimits(1 << 29, 1 << 28));
        private final Letterbox letterbox;
        private int next;

        Jpegs(ModelSpec spec, int first) {
            letterbox = new Letterbox(spec, model.interpolation());
            next = first;
        }

        @Override
        public void fill(ByteBuffer slot) throws FrameRejectedException {
            letterbox.write(decoder.decode(pictures.get(next++ % pictures.size())), slot);
        }

        @Override
        public void close() {
            letterbox.close();
            decoder.close();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.events.FrameRejectedException;
import io.sightline.inference.BackendFactory;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.BatchingPolicy;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.MicroBatcher;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.NanoClock;
import io.sightline.inference.tensorrt.TensorRtEngines;
import io.sightline.job.ModelChoice;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.Detections;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;
import java.util.concurrent.ExecutionException;
import java.util.function.IntFunction;

/**
 * How many images a second an engine gives by itself, and what is left of them on the way there:
 *
 * <pre>
 *   alone    the engine back to back on what lies on the GPU already (TensorRT only)
 *   copies   batches that are ready, copied there and back
 *   bytes    the batcher, filled by some threads with letterboxed bytes that are ready
 *   jpegs    the same from JPEGs: decode, letterbox, engine, parse
 * </pre>
 *
 * <p>All of them on the same picture's pixels: what a GPU draws, and so its clock, depends on them.
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
         * What the batcher leaves of the engine alone, or, where that is not known, with copies; of
         * as many of them as there are lanes.
         */
        double ratio() {
            return bytes / lanes / alone.orElse(copies);
        }
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

    /**
     * Prints a table, a line for each batch as it is measured. TensorRT runs all of them on the
     * engine for the largest, as the job does, each with the profile that is tuned for it.
     */
    public List<Row> run(List<Integer> batches, PrintStream out)
            throws InterruptedException, FrameRejectedException {
        List<Row> rows = new ArrayList<>();
        for (int batch : batches) {
            BackendFactory factory = model.backendFactory(batch, Collections.max(batches));
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
            if (!spec.dynamicBatch()) {
                break;
            }
        }
        return rows;
    }

    private Row measure(List<InferenceBackend> lanes)
            throws InterruptedException, FrameRejectedException {
        OptionalDouble alone;
        double copies;
        ModelSpec spec;
        byte[] letterboxed;
        try {
            InferenceBackend first = lanes.get(0);
            spec = first.spec();
            letterboxed = letterboxed(spec);
            copies = withCopies(first, letterboxed);
            // After it, on what it left there.
            alone = TensorRtEngines.framesPerSecondAlone(first, duration(seconds));
        } catch (RuntimeException | Error | FrameRejectedException e) {
            lanes.forEach(InferenceBackend::close);
            throw e;
        }
        try (MicroBatcher<Detections> batcher =
                new MicroBatcher<>(
                        lanes,
                        lanes.get(0).maxInFlight() + 1,
                        () -> new DetectionReader(spec, model.nms(spec)),
                        BatchingPolicy.IMMEDIATE,
                        NanoClock.SYSTEM)) {
            double bytes = through(batcher, thread -> BatcherLoad.bytes(letterboxed));
            double jpegs = through(batcher, thread -> filler(spec, thread));
            return new Row(spec.maxBatch(), lanes.size(), alone, copies, bytes, jpegs);
        }
    }

    private static Duration duration(double seconds) {
        return Duration.ofNanos((long) (seconds * 1e9));
    }

    /** As many batches in flight as the engine takes. */
    private double withCopies(InferenceBackend backend, byte[] letterboxed) {
        Deque<BatchBuffer> idle = new ArrayDeque<>();
        Deque<BatchBuffer> running = new ArrayDeque<>();
        int full = backend.spec().maxBatch();
        try {
            for (int i = 0; i < backend.maxInFlight(); i++) {
                BatchBuffer buffer = backend.newBuffer();
                idle.add(buffer);
                for (int slot = 0; slot < full; slot++) {
                    buffer.slot(slot).put(0, letterboxed);
                }
            }
            long start = System.nanoTime();
            long counted = start + (long) (WARM_UP * seconds * 1e9);
            long end = counted + (long) (seconds * 1e9);
            long frames = 0;
            long first = 0;
            long now = start;
            while (now < end || frames == 0) {
                if (idle.isEmpty()) {
                    BatchBuffer oldest = running.removeFirst();
                    backend.await(oldest);
                    idle.add(oldest);
                    now = System.nanoTime();
                    if (first > 0) {
                        frames += full;
                    } else if (now >= counted) {
                        first = now;
                    }
                }
                BatchBuffer next = idle.removeFirst();
                backend.submit(next, full);
                running.addLast(next);
            }
            double perSecond = frames * 1e9 / (now - first);
            running.forEach(backend::await);
            return perSecond;
        } finally {
            idle.forEach(BatchBuffer::close);
            running.forEach(BatchBuffer::close);
        }
    }

    private byte[] letterboxed(ModelSpec spec) throws FrameRejectedException {
        ByteBuffer slot = ByteBuffer.allocateDirect(spec.slotBytes());
        try (BatcherLoad.Filler first = filler(spec, 0)) {
            first.fill(slot);
        }
        byte[] bytes = new byte[spec.slotBytes()];
        slot.get(0, bytes);
        return bytes;
    }

    private BatcherLoad.Filler filler(ModelSpec spec, int first) {
        return BatcherLoad.pictures(spec, model.interpolation(), pictures, first);
    }

    private double through(
            MicroBatcher<Detections> batcher, IntFunction<BatcherLoad.Filler> fillers)
            throws InterruptedException {
        try {
            return BatcherLoad.framesPerSecond(
                    batcher, threads, fillers, duration(WARM_UP * seconds), duration(seconds));
        } catch (ExecutionException e) {
            throw new InferenceException("filling batches failed: " + e.getCause(), e.getCause());
        }
    }
}

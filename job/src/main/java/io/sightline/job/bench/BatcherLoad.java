// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.events.FrameRejectedException;
import io.sightline.inference.BatchSlot;
import io.sightline.inference.FrameCallback;
import io.sightline.inference.FrameSubmitter;
import io.sightline.inference.MicroBatcher;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.RunTiming;
import io.sightline.vision.Detections;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.Interpolation;
import io.sightline.vision.Letterbox;
import io.sightline.vision.OpenCvFrameDecoder;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;

/**
 * Threads that keep a batcher busy: each claims a slot, fills it and commits it, without pause, as
 * the job's subtasks do.
 */
public final class BatcherLoad {

    private final MicroBatcher<Detections> batcher;
    private final AtomicBoolean enough = new AtomicBoolean();

    /** Fills slots; one thread's. */
    public interface Filler extends AutoCloseable {
        void fill(ByteBuffer slot) throws FrameRejectedException;

        @Override
        void close();
    }

    private BatcherLoad(MicroBatcher<Detections> batcher) {
        this.batcher = batcher;
    }

    /** Copies of a frame that is letterboxed already. */
    public static Filler bytes(byte[] letterboxed) {
        return new Filler() {
            @Override
            public void fill(ByteBuffer slot) {
                slot.put(0, letterboxed);
            }

            @Override
            public void close() {}
        };
    }

    /**
     * Decodes and letterboxes.
     *
     * @param pictures encoded, taken in turn
     * @param first index of the picture to begin with
     */
    public static Filler pictures(
            ModelSpec spec, Interpolation interpolation, List<byte[]> pictures, int first) {
        return new Filler() {
            private final OpenCvFrameDecoder decoder =
                    new OpenCvFrameDecoder(FrameLimits.OWN_PICTURES);
            private final Letterbox letterbox = new Letterbox(spec, interpolation);
            private int next = first;

            @Override
            public void fill(ByteBuffer slot) throws FrameRejectedException {
                letterbox.write(decoder.decode(pictures.get(next++ % pictures.size())), slot);
            }

            @Override
            public void close() {
                letterbox.close();
                decoder.close();
            }
        };
    }

    /**
     * How many frames a second come out of a batcher.
     *
     * @param fillers makes the filler of each thread, counted from 0
     * @param warmUp time before it counts
     * @param measured at least that long, and until a frame is through
     * @throws ExecutionException if a thread fails, with why
     */
    public static double framesPerSecond(
            MicroBatcher<Detections> batcher,
            int threads,
            IntFunction<Filler> fillers,
            Duration warmUp,
            Duration measured)
            throws InterruptedException, ExecutionException {
        return new BatcherLoad(batcher).framesPerSecond(threads, fillers, warmUp, measured);
    }

    private double framesPerSecond(
            int threads, IntFunction<Filler> fillers, Duration warmUp, Duration measured)
            throws InterruptedException, ExecutionException {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> workers = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int thread = i;
                workers.add(pool.submit(() -> work(fillers, thread)));
            }
            TimeUnit.NANOSECONDS.sleep(warmUp.toNanos());
            long first = batcher.totals().frames();
            long start = System.nanoTime();
            TimeUnit.NANOSECONDS.sleep(measured.toNanos());
            // On a slow machine not even one may be through: there is always something to divide.
            while (batcher.totals().frames() == first
                    && workers.stream().noneMatch(Future::isDone)) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
            double rate = (batcher.totals().frames() - first) * 1e9 / (System.nanoTime() - start);
            enough.set(true);
            for (Future<?> worker : workers) {
                worker.get();
            }
            return rate;
        } finally {
            enough.set(true);
            pool.shutdown();
            // No batcher may be closed under a thread that still fills it.
            pool.awaitTermination(1, TimeUnit.MINUTES);
        }
    }

    private Void work(IntFunction<Filler> fillers, int thread)
            throws InterruptedException, FrameRejectedException {
        Semaphore turn = new Semaphore(0);
        try (Filler filler = fillers.apply(thread);
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
}

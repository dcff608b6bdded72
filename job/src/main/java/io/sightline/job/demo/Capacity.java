// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.events.FrameRejectedException;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelSpec;
import io.sightline.job.ModelChoice;
import io.sightline.toolchain.evaluate.PictureDetector;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/**
 * How many frames per second this machine carries: the job's own decode, letterbox, engine and
 * parser, on every core at once and with nothing beside them. Owns an engine a core.
 */
final class Capacity implements AutoCloseable {

    private final ModelChoice model;
    private final List<InferenceBackend> backends;
    private volatile boolean enough;

    private Capacity(ModelChoice model, List<InferenceBackend> backends) {
        this.model = model;
        this.backends = backends;
    }

    /**
     * @throws InferenceException if the model is none that can be run
     */
    static Capacity open(ModelChoice model) {
        model.requireHere();
        return new Capacity(
                model, model.backendFactory().open(Runtime.getRuntime().availableProcessors()));
    }

    ModelSpec spec() {
        return backends.get(0).spec();
    }

    /**
     * May be called once.
     *
     * @param pictures encoded, taken in turn
     * @param warmUp time before it counts: what is compiled meanwhile is slow at first
     */
    double framesPerSecond(List<byte[]> pictures, Duration warmUp, Duration measured)
            throws InterruptedException {
        LongAdder frames = new LongAdder();
        ExecutorService threads = Executors.newFixedThreadPool(backends.size());
        try {
            List<Future<?>> workers = new ArrayList<>();
            for (InferenceBackend backend : backends) {
                workers.add(threads.submit(() -> work(backend, pictures, frames)));
            }
            TimeUnit.NANOSECONDS.sleep(warmUp.toNanos());
            long first = frames.sum();
            long start = System.nanoTime();
            TimeUnit.NANOSECONDS.sleep(measured.toNanos());
            // On a slow machine not even one may be done: there is always something to divide.
            while (frames.sum() == first && workers.stream().noneMatch(Future::isDone)) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
            double rate = (frames.sum() - first) * 1e9 / (System.nanoTime() - start);
            enough = true;
            for (Future<?> worker : workers) {
                worker.get();
            }
            return rate;
        } catch (ExecutionException e) {
            throw new InferenceException(
                    "the model cannot be measured: " + e.getCause().getMessage(), e);
        } finally {
            enough = true;
            threads.shutdown();
            // No engine may be closed under a thread that still uses it.
            threads.awaitTermination(1, TimeUnit.MINUTES);
        }
    }

    private Void work(InferenceBackend backend, List<byte[]> pictures, LongAdder frames)
            throws FrameRejectedException {
        try (PictureDetector detector =
                new PictureDetector(backend, model.interpolation(), model.nms(backend.spec()))) {
            for (int i = 0; !enough; i++) {
                detector.detect(pictures.get(i % pictures.size()));
                frames.increment();
            }
        }
        return null;
    }

    @Override
    public void close() {
        backends.forEach(InferenceBackend::close);
    }
}

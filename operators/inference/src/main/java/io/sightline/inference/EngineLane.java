// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One engine and the one thread that drives it: takes a batch, runs it, reads each frame's row,
 * gives the slots back.
 *
 * <p>An engine that computes while its caller goes on gets its next batch submitted before the last
 * one is read, so that reading and computing overlap. Results never wait for anybody: callbacks
 * only leave a mail.
 */
final class EngineLane<R> {

    private static final Logger LOG = LoggerFactory.getLogger(EngineLane.class);

    private final MicroBatcher<R> batcher;
    private final InferenceBackend backend;
    private final OutputReader<R> reader;
    private final NanoClock clock;
    private final Thread thread;
    private final Deque<Run<R>> runs = new ArrayDeque<>();

    private long freeSinceNanos;

    private record Run<R>(Batch<R> batch, long startedNanos) {}

    EngineLane(
            String name,
            MicroBatcher<R> batcher,
            InferenceBackend backend,
            OutputReader<R> reader,
            NanoClock clock) {
        this.batcher = batcher;
        this.backend = backend;
        this.reader = reader;
        this.clock = clock;
        this.freeSinceNanos = clock.nanoTime();
        this.thread = new Thread(this::run, "sightline-" + name);
        this.thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Whether its thread has ended, after at most that long. */
    boolean join(long nanos) throws InterruptedException {
        // Zero would wait for ever.
        thread.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos)));
        return !thread.isAlive();
    }

    private void run() {
        try {
            while (true) {
                Batch<R> next = runs.isEmpty() ? batcher.take() : pollNext();
                if (next != null) {
                    submit(next);
                } else if (runs.isEmpty()) {
                    return;
                } else {
                    finish(runs.peekFirst());
                    runs.removeFirst();
                }
            }
        } catch (Throwable e) {
            batcher.fail(e, runs.stream().map(Run::batch).toList());
        } finally {
            batcher.laneEnded();
        }
    }

    /** What may run beside those that are not finished, or null. */
    private Batch<R> pollNext() {
        return runs.size() < backend.maxInFlight() ? batcher.poll() : null;
    }

    private void submit(Batch<R> batch) {
        // Noted before it is submitted, so that its frames are failed if that throws.
        runs.addLast(new Run<>(batch, clock.nanoTime()));
        backend.submit(batch.buffer, batch.claimed);
    }

    private void finish(Run<R> run) {
        Batch<R> batch = run.batch();
        RawOutput output = backend.await(batch.buffer);
        long inferred = clock.nanoTime();
        // What gathered during the run is computed while this batch is read.
        Batch<R> next = pollNext();
        if (next != null) {
            submit(next);
        }
        int frames = batch.committed;
        long readStart = inferred;
        for (int row = 0; row < batch.claimed; row++) {
            BatchSlot<R> slot = batch.slots.get(row);
            FrameCallback<R> callback = slot.takeCallback();
            if (callback == null) {
                continue;
            }
            R result;
            try {
                result = reader.read(output, row);
            } catch (FrameOutputException e) {
                MicroBatcher.fail(callback, e);
                continue;
            } catch (Throwable e) {
                MicroBatcher.fail(callback, e);
                throw e;
            }
            long readEnd = clock.nanoTime();
            complete(
                    callback,
                    result,
                    new RunTiming(run.startedNanos(), inferred, readEnd - readStart, frames));
            readStart = readEnd;
        }
        long now = clock.nanoTime();
        // Runs may overlap: no moment counts twice.
        long busyNanos = now - Math.max(run.startedNanos(), freeSinceNanos);
        freeSinceNanos = now;
        batcher.release(batch, busyNanos, frames);
    }

    private static <R> void complete(FrameCallback<R> callback, R result, RunTiming timing) {
        try {
            callback.complete(result, timing);
        } catch (Throwable e) {
            LOG.warn("a frame's callback threw on completion", e);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.RawOutput;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Real engines that a test can slow, hold, and make fail while the job runs them; it reaches them
 * also after the factory has travelled with the job.
 */
record RemoteEngine(int id, BackendFactory real) implements BackendFactory {

    private static final AtomicInteger IDS = new AtomicInteger();
    private static final Map<Integer, Control> CONTROLS = new ConcurrentHashMap<>();

    private static final class Control {
        /** Runs until the one that fails; none fails while this is not positive. */
        final AtomicInteger runsToFailure = new AtomicInteger();

        final AtomicInteger failures = new AtomicInteger();
        volatile long nanosPerRun;
        volatile CountDownLatch gate = new CountDownLatch(0);
        volatile CountDownLatch held = new CountDownLatch(0);
    }

    static RemoteEngine of(BackendFactory real) {
        RemoteEngine engine = new RemoteEngine(IDS.incrementAndGet(), real);
        CONTROLS.put(engine.id, new Control());
        return engine;
    }

    private Control control() {
        return CONTROLS.get(id);
    }

    /** Makes one lane fail once: in the run of that number from now, counted over all lanes. */
    void failInRun(int number) {
        control().runsToFailure.set(number);
    }

    int failures() {
        return control().failures.get();
    }

    /** Makes each run take that long at least. */
    void slow(Duration perRun) {
        control().nanosPerRun = perRun.toNanos();
    }

    /**
     * Makes the next runs wait for {@link #release}.
     *
     * @return opens when a lane waits
     */
    CountDownLatch hold() {
        CountDownLatch held = new CountDownLatch(1);
        control().held = held;
        control().gate = new CountDownLatch(1);
        return held;
    }

    void release() {
        control().gate.countDown();
    }

    @Override
    public String backend() {
        return real.backend();
    }

    @Override
    public List<InferenceBackend> open(int lanes) {
        return real.open(lanes).stream()
                .<InferenceBackend>map(lane -> new Lane(lane, control()))
                .toList();
    }

    @Override
    public long estimatedProcessBytes() {
        return real.estimatedProcessBytes();
    }

    @Override
    public long estimatedLaneBytes() {
        return real.estimatedLaneBytes();
    }

    private record Lane(InferenceBackend real, Control control) implements InferenceBackend {

        @Override
        public ModelSpec spec() {
            return real.spec();
        }

        @Override
        public long bufferBytes() {
            return real.bufferBytes();
        }

        @Override
        public BatchBuffer newBuffer() {
            return real.newBuffer();
        }

        @Override
        public void submit(BatchBuffer batch, int filled) {
            CountDownLatch gate = control.gate;
            if (gate.getCount() > 0) {
                control.held.countDown();
                try {
                    gate.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new IllegalStateException(e);
                }
            }
            if (control.nanosPerRun > 0) {
                LockSupport.parkNanos(control.nanosPerRun);
            }
            if (control.runsToFailure.get() > 0 && control.runsToFailure.decrementAndGet() == 0) {
                control.failures.incrementAndGet();
                throw new IllegalStateException("told to fail");
            }
            real.submit(batch, filled);
        }

        @Override
        public RawOutput await(BatchBuffer batch) {
            return real.await(batch);
        }

        @Override
        public int maxInFlight() {
            return real.maxInFlight();
        }

        @Override
        public void close() {
            real.close();
        }
    }
}

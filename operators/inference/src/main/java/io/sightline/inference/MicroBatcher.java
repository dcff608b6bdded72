// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Forms batches across all subtasks of a task manager and feeds them to its lanes. Owns the lanes'
 * engines, their threads and all buffers.
 *
 * <pre>
 *   free ──claim──> filling ──full, or taken by a free lane──> sealed ──no claim open──> running ──read──> free
 * </pre>
 *
 * One lock guards every count; it is never held while pixels are written, an engine runs, or
 * foreign code but a wake-up is called. Slots of the filling batch are given out in order. Sealing
 * stops further claims and waits only for those that are open, which last as long as one letterbox.
 * A batch whose every claim was aborted is empty again and goes back to the free ones.
 *
 * <p>Claims are first come, first served: each of those in line has one of the free slots reserved,
 * in their order, and is woken for it; only what is free beyond goes to whoever asks. So no wake-up
 * is lost, nobody starves, and one that is woken but busy elsewhere holds up nobody.
 *
 * <p>A lane's first failure ends the batcher: every committed frame is failed, every subtask is
 * woken to see it, and later claims throw. Memory is given back when the batcher is closed and the
 * last lane's thread has ended, whichever is later, since a lane may still be reading it, and a
 * subtask may still be writing into a slot.
 *
 * @param <R> what a lane's {@link OutputReader} makes of a row
 */
public final class MicroBatcher<R> implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(MicroBatcher.class);

    /** Well beyond any run, well before Flink gives a cancelled task up. */
    private static final Duration CLOSE_PATIENCE = Duration.ofSeconds(20);

    private final ModelSpec spec;
    private final BatchingPolicy policy;
    private final NanoClock clock;
    private final List<InferenceBackend> backends;
    private final List<Batch<R>> batches = new ArrayList<>();
    private final List<EngineLane<R>> lanes = new ArrayList<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition dispatchable = lock.newCondition();
    private final Deque<Batch<R>> free = new ArrayDeque<>();
    private final Deque<Batch<R>> sealed = new ArrayDeque<>();
    private final Set<FrameSubmitter<R>> submitters = new HashSet<>();
    private final List<FrameSubmitter<R>> line = new ArrayList<>();
    private Batch<R> filling;
    private Throwable failure;
    private boolean closed;
    private boolean disposed;
    private int runningLanes;

    private final LongAdder batchCount = new LongAdder();
    private final LongAdder frameCount = new LongAdder();
    private final LongAdder busyNanos = new LongAdder();

    /** Totals since the start, over all lanes. */
    public record Totals(long batches, long frames, long busyNanos) {}

    /**
     * Makes the buffers and starts a thread for each lane.
     *
     * @param backends one engine a lane, all of the same network; owned from here on, also if this
     *     constructor fails
     * @param buffersPerLane at least 1; with 2 the next batch fills while one runs
     * @param readers makes each lane's reader
     * @throws IllegalArgumentException if there is no backend, or no buffer
     */
    public MicroBatcher(
            List<InferenceBackend> backends,
            int buffersPerLane,
            Supplier<OutputReader<R>> readers,
            BatchingPolicy policy,
            NanoClock clock) {
        this(backends, backends.size() * buffersPerLane, policy, clock);
        try {
            for (int i = 0; i < backends.size(); i++) {
                lanes.add(
                        new EngineLane<>("lane-" + i, this, backends.get(i), readers.get(), clock));
            }
        } catch (RuntimeException | Error e) {
            dispose();
            throw e;
        }
        LOG.info(
                "model {}: {}x{} {} {}, {} lanes, batches of up to {}",
                spec.name(),
                spec.inputWidth(),
                spec.inputHeight(),
                spec.layout().label(),
                spec.precision(),
                lanes.size(),
                spec.maxBatch());
        for (EngineLane<R> lane : lanes) {
            start(lane);
        }
    }

    private void start(EngineLane<R> lane) {
        lock.lock();
        try {
            runningLanes++;
        } finally {
            lock.unlock();
        }
        try {
            lane.start();
        } catch (Error e) {
            // The system gives no more threads: nobody would ever close those that run.
            laneEnded();
            close();
            throw e;
        }
    }

    /** Without lanes: the caller takes batches itself. */
    MicroBatcher(
            List<InferenceBackend> backends, int buffers, BatchingPolicy policy, NanoClock clock) {
        this.backends = List.copyOf(backends);
        this.policy = policy;
        this.clock = clock;
        try {
            if (backends.isEmpty() || buffers < 1) {
                throw new IllegalArgumentException(
                        "lanes="
                                + backends.size()
                                + " buffers="
                                + buffers
                                + ", expected at least 1 of each");
            }
            this.spec = backends.get(0).spec();
            for (int i = 0; i < buffers; i++) {
                batches.add(new Batch<>(this, backends.get(0).newBuffer()));
            }
            free.addAll(batches);
        } catch (RuntimeException | Error e) {
            dispose();
            throw e;
        }
    }

    /** The network that all lanes run. */
    public ModelSpec spec() {
        return spec;
    }

    /** How many frames can be in slots at one time. */
    public int slots() {
        return batches.size() * spec.maxBatch();
    }

    /**
     * A door for one subtask.
     *
     * @param wakeUp called by other threads, with the batcher's lock held, when it is the subtask's
     *     turn to claim or a lane has failed: posts a mail and returns. What it throws is taken as
     *     the subtask's being gone.
     */
    public FrameSubmitter<R> newSubmitter(Runnable wakeUp) {
        FrameSubmitter<R> submitter = new FrameSubmitter<>(this, wakeUp);
        lock.lock();
        try {
            submitters.add(submitter);
        } finally {
            lock.unlock();
        }
        return submitter;
    }

    public Totals totals() {
        return new Totals(batchCount.sum(), frameCount.sum(), busyNanos.sum());
    }

    /** What each lane that runs on a GPU has done there; empty for lanes on the CPU. */
    public List<GpuUsage> gpuUsage() {
        return backends.stream().flatMap(backend -> backend.gpuUsage().stream()).toList();
    }

    /** Whether a lane has failed: the batcher is of no use any more. */
    public boolean failed() {
        lock.lock();
        try {
            return failure != null;
        } finally {
            lock.unlock();
        }
    }

    boolean reserve(FrameSubmitter<R> submitter) {
        lock.lock();
        try {
            submitter.woken = false;
            requireOpen();
            int place = line.indexOf(submitter);
            if (place < 0) {
                place = line.size();
                line.add(submitter);
            }
            submitter.woken = place < freeSlots();
            return submitter.woken;
        } finally {
            lock.unlock();
        }
    }

    BatchSlot<R> tryClaim(FrameSubmitter<R> submitter) {
        lock.lock();
        try {
            submitter.woken = false;
            requireOpen();
            int place = line.indexOf(submitter);
            if (freeSlots() <= (place < 0 ? line.size() : place)) {
                if (place < 0) {
                    line.add(submitter);
                }
                return null;
            }
            if (place >= 0) {
                line.remove(place);
            }
            return nextSlot();
        } finally {
            lock.unlock();
        }
    }

    private void requireOpen() {
        requireNoFailure();
        if (closed) {
            throw new IllegalStateException("the batcher of model " + spec.name() + " is closed");
        }
    }

    void requireRunning() {
        lock.lock();
        try {
            requireNoFailure();
        } finally {
            lock.unlock();
        }
    }

    private void requireNoFailure() {
        if (failure != null) {
            throw new InferenceException("a lane of model " + spec.name() + " failed", failure);
        }
    }

    private int freeSlots() {
        return (filling == null ? 0 : spec.maxBatch() - filling.claimed)
                + free.size() * spec.maxBatch();
    }

    private BatchSlot<R> nextSlot() {
        if (filling == null) {
            filling = free.pollFirst();
        }
        Batch<R> batch = filling;
        BatchSlot<R> slot = batch.slots.get(batch.claimed++);
        batch.open++;
        slot.claim();
        if (batch.full()) {
            seal();
        }
        return slot;
    }

    private void seal() {
        sealed.addLast(filling);
        filling = null;
    }

    void commit(BatchSlot<R> slot, FrameCallback<R> callback) {
        Throwable cause;
        lock.lock();
        try {
            cause = failure;
            slot.close(cause == null ? callback : null);
            Batch<R> batch = slot.batch();
            batch.open--;
            if (cause == null) {
                if (batch.committed++ == 0) {
                    batch.oldestCommitNanos = clock.nanoTime();
                }
                dispatchable.signal();
            }
        } finally {
            lock.unlock();
        }
        if (cause != null) {
            fail(callback, cause);
        }
    }

    void abort(BatchSlot<R> slot) {
        lock.lock();
        try {
            slot.close(null);
            Batch<R> batch = slot.batch();
            batch.open--;
            if (failure != null) {
                return;
            }
            if (batch.open == 0 && batch.committed == 0) {
                recycle(batch);
            } else {
                dispatchable.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Back to the free ones: a batch that was read, or that nobody filled. */
    private void recycle(Batch<R> batch) {
        batch.reset();
        if (filling == batch) {
            filling = null;
        } else {
            sealed.remove(batch);
        }
        free.addLast(batch);
        wakeLine();
    }

    void sealNow() {
        lock.lock();
        try {
            if (filling != null && filling.committed > 0) {
                filling.sealRequested = true;
                dispatchable.signal();
            }
        } finally {
            lock.unlock();
        }
    }

    void withdraw(FrameSubmitter<R> submitter) {
        lock.lock();
        try {
            submitter.woken = false;
            if (line.remove(submitter)) {
                wakeLine();
            }
        } finally {
            lock.unlock();
        }
    }

    void close(FrameSubmitter<R> submitter) {
        lock.lock();
        try {
            submitters.remove(submitter);
            withdraw(submitter);
        } finally {
            lock.unlock();
        }
    }

    /** Wakes those for whom a slot is free. */
    private void wakeLine() {
        int place = 0;
        while (place < line.size() && place < freeSlots()) {
            FrameSubmitter<R> next = line.get(place);
            if (next.woken || wake(next)) {
                next.woken = true;
                place++;
            } else {
                line.remove(place);
            }
        }
    }

    /** Whether it is still there to be woken. */
    private static boolean wake(FrameSubmitter<?> submitter) {
        try {
            submitter.wake();
            return true;
        } catch (RuntimeException e) {
            LOG.debug("a subtask left without a word", e);
            return false;
        }
    }

    /**
     * The next batch for a lane that is free, or null once there will be none: the batcher is
     * closed, or has failed. Blocks until then.
     */
    Batch<R> take() throws InterruptedException {
        lock.lock();
        try {
            while (true) {
                if (closed || failure != null) {
                    return null;
                }
                Batch<R> batch = nextBatch();
                if (batch != null) {
                    return batch;
                }
                long wait = nanosUntilDispatch();
                if (wait == BatchingPolicy.UNTIL_NEXT_EVENT) {
                    dispatchable.await();
                } else {
                    // How long it really took does not matter: the clock is asked again.
                    long ignored = dispatchable.awaitNanos(wait);
                }
            }
        } finally {
            lock.unlock();
        }
    }

    /** The next batch for a lane that could start another run, or null where none is ready now. */
    Batch<R> poll() {
        lock.lock();
        try {
            return closed || failure != null ? null : nextBatch();
        } finally {
            lock.unlock();
        }
    }

    private Batch<R> nextBatch() {
        Batch<R> batch = pollSealed();
        if (batch == null && filling != null && nanosUntilDispatch() <= 0) {
            seal();
            batch = pollSealed();
        }
        if (batch != null && (!sealed.isEmpty() || filling != null)) {
            // The signal that woke this lane may have stood for more than one batch.
            dispatchable.signal();
        }
        return batch;
    }

    private Batch<R> pollSealed() {
        for (Batch<R> batch : sealed) {
            if (batch.open == 0) {
                sealed.remove(batch);
                return batch;
            }
        }
        return null;
    }

    private long nanosUntilDispatch() {
        return filling == null
                ? BatchingPolicy.UNTIL_NEXT_EVENT
                : policy.nanosUntilDispatch(
                        clock.nanoTime(),
                        filling.committed,
                        filling.oldestCommitNanos,
                        filling.sealRequested);
    }

    /** A lane has read the whole batch: its slots are free again. */
    void release(Batch<R> batch, long runNanos, int frames) {
        batchCount.increment();
        frameCount.add(frames);
        busyNanos.add(runNanos);
        lock.lock();
        try {
            recycle(batch);
        } finally {
            lock.unlock();
        }
    }

    /**
     * A lane has failed, which ends the batcher.
     *
     * @param taken the batches that the lane had taken
     */
    void fail(Throwable cause, Iterable<Batch<R>> taken) {
        List<FrameCallback<R>> callbacks = new ArrayList<>();
        lock.lock();
        try {
            if (failure == null) {
                failure = cause;
                LOG.error(
                        "a lane of model {} failed; all its frames fail with it",
                        spec.name(),
                        cause);
            }
            if (filling != null) {
                filling.moveCallbacksTo(callbacks);
            }
            sealed.forEach(batch -> batch.moveCallbacksTo(callbacks));
            taken.forEach(batch -> batch.moveCallbacksTo(callbacks));
            line.clear();
            submitters.forEach(MicroBatcher::wake);
            dispatchable.signalAll();
        } finally {
            lock.unlock();
        }
        callbacks.forEach(callback -> fail(callback, cause));
    }

    static <R> void fail(FrameCallback<R> callback, Throwable cause) {
        try {
            callback.fail(cause);
        } catch (Throwable e) {
            LOG.warn("a frame's callback threw on failure", e);
        }
    }

    void laneEnded() {
        lock.lock();
        try {
            runningLanes--;
            disposeIfUnused();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Ends the lanes after the batch each is running, and waits a while for them; frames that are
     * committed and did not run are dropped without a word, since nobody is there to hear it.
     * Idempotent. Where an engine takes longer, or the calling thread is interrupted, the last lane
     * gives the memory back when it ends, and a task that is cancelled is not held up.
     */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            dispatchable.signalAll();
            disposeIfUnused();
        } finally {
            lock.unlock();
        }
        long deadline = System.nanoTime() + CLOSE_PATIENCE.toNanos();
        try {
            for (EngineLane<R> lane : lanes) {
                if (!lane.join(deadline - System.nanoTime())) {
                    LOG.warn(
                            "an engine of model {} has not ended its run after {} s: its memory is"
                                    + " given back when it does",
                            spec.name(),
                            CLOSE_PATIENCE.toSeconds());
                    return;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void disposeIfUnused() {
        if (closed && runningLanes == 0 && !disposed) {
            dispose();
        }
    }

    private void dispose() {
        disposed = true;
        batches.forEach(batch -> batch.buffer.close());
        backends.forEach(InferenceBackend::close);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.testing.FakeBackend;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Subtasks with mailboxes of their own on too few slots, with barriers, aborted claims, failing
 * lanes and cancellations in random order: never stuck, never out of order, every frame its own
 * result, and nothing left open.
 */
class MicroBatcherStressTest {

    private static final int SUBTASKS = 4;
    private static final int ROUNDS = 4_000;
    private static final int PATIENCE_SECONDS = 60;

    private final SharedBatchers<Integer> shared = new SharedBatchers<>();
    private final List<FakeBackend> opened = new ArrayList<>();
    private final AtomicLong frames = new AtomicLong();
    private final AtomicLong failures = new AtomicLong();

    @ParameterizedTest(
            name = "{0} lanes, {1} in flight, {2} buffers a lane of {3} slots, delay {4} us")
    @CsvSource({
        "1, 1, 1, 2, 0",
        "1, 1, 1, 2, 200",
        "1, 1, 2, 1, 0",
        "2, 1, 2, 3, 0",
        "2, 1, 1, 4, 100",
        "1, 2, 3, 2, 0",
        "2, 2, 3, 3, 100"
    })
    void shouldNeverStickNorMixUpFrames(
            int lanes, int inFlight, int buffersPerLane, int slots, int delayMicros)
            throws Exception {
        long seed = System.nanoTime();
        System.out.println("MicroBatcherStressTest seed " + seed);
        AtomicInteger laneSeed = new AtomicInteger();
        ExecutorService threads = Executors.newFixedThreadPool(SUBTASKS);
        try {
            List<Future<?>> subtasks = new ArrayList<>();
            for (int i = 0; i < SUBTASKS; i++) {
                Random random = new Random(seed + i);
                subtasks.add(
                        threads.submit(
                                () -> {
                                    int rounds = 0;
                                    while (rounds < ROUNDS) {
                                        rounds +=
                                                new Subtask(
                                                                random,
                                                                () ->
                                                                        open(
                                                                                seed
                                                                                        + laneSeed
                                                                                                .incrementAndGet(),
                                                                                lanes,
                                                                                inFlight,
                                                                                buffersPerLane,
                                                                                slots,
                                                                                delayMicros))
                                                        .run(ROUNDS - rounds);
                                    }
                                    return null;
                                }));
            }
            for (Future<?> subtask : subtasks) {
                subtask.get(5, TimeUnit.MINUTES);
            }
        } finally {
            threads.shutdownNow();
        }
        System.out.println(
                frames
                        + " frames, "
                        + failures
                        + " subtask failures, "
                        + opened.size()
                        + " engines");
        assertThat(failures.get()).isPositive();
        synchronized (opened) {
            assertThat(opened).allMatch(FakeBackend::closed);
        }
    }

    private MicroBatcher<Integer> open(
            long seed, int lanes, int inFlight, int buffersPerLane, int slots, int delayMicros) {
        List<InferenceBackend> backends = new ArrayList<>();
        for (int i = 0; i < lanes; i++) {
            Random random = new Random(seed * 31 + i);
            backends.add(
                    new FakeBackend(
                                    FakeBackend.spec(4, 4, slots),
                                    run -> random.nextInt(400) == 0,
                                    null)
                            .inFlight(inFlight));
        }
        synchronized (opened) {
            backends.forEach(backend -> opened.add((FakeBackend) backend));
        }
        return new MicroBatcher<>(
                backends,
                buffersPerLane,
                () ->
                        (output, row) -> {
                            var floats = output.tensors().get(0).floats();
                            int at = row * FakeBackend.VALUES;
                            return ((int) floats.get(at) << 16)
                                    | ((int) floats.get(at + 1) << 8)
                                    | ((int) floats.get(at + 2) - 256);
                        },
                new BatchingPolicy(Duration.ofNanos(delayMicros * 1000L)),
                NanoClock.SYSTEM);
    }

    /**
     * What an operator does, without Flink: a mailbox, one thread, results in the order of the
     * frames.
     */
    private final class Subtask {

        private final Random random;
        private final LinkedBlockingQueue<Runnable> mailbox = new LinkedBlockingQueue<>();
        private final Queue<Pending> pending = new ArrayDeque<>();
        private final SharedBatchers<Integer>.Lease lease;
        private final FrameSubmitter<Integer> submitter;
        private volatile boolean cancelled;
        private int sent;

        private final class Pending implements FrameCallback<Integer> {
            final int number;
            final CompletableFuture<Integer> result = new CompletableFuture<>();

            Pending(int number) {
                this.number = number;
            }

            @Override
            public void complete(Integer value, RunTiming timing) {
                if (!result.complete(value)) {
                    throw new AssertionError("a second result for frame " + number);
                }
                mail(() -> {});
            }

            @Override
            public void fail(Throwable cause) {
                if (!result.completeExceptionally(cause)) {
                    throw new AssertionError("a second end for frame " + number);
                }
                mail(() -> {});
            }
        }

        Subtask(Random random, Supplier<MicroBatcher<Integer>> opener) throws InterruptedException {
            this.random = random;
            this.lease = shared.acquire("job", opener);
            this.submitter = lease.batcher().newSubmitter(() -> mail(() -> {}));
        }

        private void mail(Runnable mail) {
            if (cancelled) {
                throw new RejectedExecutionException("cancelled");
            }
            mailbox.add(mail);
        }

        /**
         * Runs until it fails, is cancelled, or has done that many rounds; says how many it did.
         */
        int run(int rounds) throws InterruptedException {
            int round = 0;
            try {
                while (round < rounds) {
                    round++;
                    int action = random.nextInt(100);
                    if (action < 80) {
                        submit(false);
                    } else if (action < 90) {
                        submit(true);
                    } else if (action < 99) {
                        drain();
                    } else if (random.nextInt(20) == 0) {
                        break;
                    }
                    emit();
                }
                if (round == rounds) {
                    drain();
                }
            } catch (InferenceException | IllegalStateException e) {
                failures.incrementAndGet();
            } finally {
                cancelled = true;
                submitter.close();
                lease.close();
            }
            return round;
        }

        private void submit(boolean abort) throws InterruptedException {
            if (random.nextBoolean()) {
                while (!submitter.reserve()) {
                    yieldToMailbox();
                }
                if (random.nextInt(8) == 0) {
                    submitter.withdraw();
                }
            }
            BatchSlot<Integer> slot = submitter.tryClaim();
            while (slot == null) {
                if (random.nextInt(2000) == 0) {
                    throw new IllegalStateException("cancelled while waiting");
                }
                yieldToMailbox();
                slot = submitter.tryClaim();
            }
            if (abort) {
                slot.abort();
                return;
            }
            Pending frame = new Pending(random.nextInt(1 << 24));
            slot.pixels().put(0, (byte) (frame.number >> 16));
            slot.pixels().put(1, (byte) (frame.number >> 8));
            slot.pixels().put(2, (byte) frame.number);
            pending.add(frame);
            sent++;
            slot.commit(frame);
        }

        private void drain() throws InterruptedException {
            submitter.sealNow();
            while (!pending.isEmpty()) {
                emit();
                if (!pending.isEmpty()) {
                    yieldToMailbox();
                    submitter.sealNow();
                }
            }
        }

        private void yieldToMailbox() throws InterruptedException {
            Runnable mail = mailbox.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (mail == null) {
                throw new AssertionError(
                        "stuck after " + sent + " frames with " + pending.size() + " in flight");
            }
            mail.run();
            emit();
        }

        private void emit() {
            while (!pending.isEmpty() && pending.peek().result.isDone()) {
                Pending frame = pending.remove();
                try {
                    assertThat(frame.result.join()).isEqualTo(frame.number);
                } catch (CompletionException e) {
                    throw new IllegalStateException(e.getCause());
                }
                frames.incrementAndGet();
            }
        }
    }
}

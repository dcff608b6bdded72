// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import static io.sightline.inference.MicroBatcherTest.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.testing.FakeBackend;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class SharedBatchersTest {

    private final SharedBatchers<Integer> shared = new SharedBatchers<>();
    private final List<FakeBackend> opened = new CopyOnWriteArrayList<>();

    /** One is taken for each slow opening. */
    private final Semaphore doors = new Semaphore(0);

    private final AtomicInteger begun = new AtomicInteger();

    private MicroBatcher<Integer> open(boolean fails) {
        FakeBackend backend = new FakeBackend(FakeBackend.spec(4, 4, 1), run -> fails, null);
        opened.add(backend);
        return new MicroBatcher<>(
                List.of(backend),
                2,
                () -> (output, row) -> row,
                BatchingPolicy.IMMEDIATE,
                NanoClock.SYSTEM);
    }

    /** As an engine that is built: deaf to interrupts. */
    private MicroBatcher<Integer> openSlowly() {
        begun.incrementAndGet();
        doors.acquireUninterruptibly();
        return open(false);
    }

    private static final class Subtask extends FutureTask<SharedBatchers<Integer>.Lease> {
        final Thread thread = new Thread(this);

        Subtask(
                SharedBatchers<Integer> shared,
                String key,
                Supplier<MicroBatcher<Integer>> opener) {
            super(() -> shared.acquire(key, opener));
            thread.setDaemon(true);
            thread.start();
        }

        boolean waits() {
            return thread.getState() == Thread.State.WAITING;
        }

        SharedBatchers<Integer>.Lease lease() throws Exception {
            return get(30, TimeUnit.SECONDS);
        }
    }

    private Subtask acquire(String key, Supplier<MicroBatcher<Integer>> opener) {
        return new Subtask(shared, key, opener);
    }

    private static void assertInterrupted(Subtask subtask) {
        assertThatThrownBy(subtask::lease)
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(InterruptedException.class);
    }

    @Test
    void shouldShareABatcherAndReplaceOneThatFailed() throws Exception {
        Supplier<MicroBatcher<Integer>> opener = () -> open(opened.isEmpty());
        SharedBatchers<Integer>.Lease a = shared.acquire("job", opener);
        SharedBatchers<Integer>.Lease b = shared.acquire("job", opener);
        assertThat(a.batcher()).isSameAs(b.batcher());

        CountDownLatch failed = new CountDownLatch(1);
        a.batcher()
                .newSubmitter(() -> {})
                .tryClaim()
                .commit(
                        new FrameCallback<>() {
                            @Override
                            public void complete(Integer result, RunTiming timing) {}

                            @Override
                            public void fail(Throwable cause) {
                                failed.countDown();
                            }
                        });
        assertThat(failed.await(30, TimeUnit.SECONDS)).isTrue();

        a.close();
        SharedBatchers<Integer>.Lease c = shared.acquire("job", opener);
        assertThat(c.batcher()).isNotSameAs(b.batcher());
        assertThat(opened.get(0).closed()).as("b still holds it").isFalse();
        b.close();
        b.close();
        assertThat(opened.get(0).closed()).isTrue();
        assertThat(opened.get(1).closed()).isFalse();
        c.close();
        assertThat(opened.get(1).closed()).isTrue();
        assertThat(shared.acquire("job", opener).batcher()).isNotSameAs(c.batcher());
    }

    @Test
    void shouldOpenOnceForAllWhoAsk() throws Exception {
        List<Subtask> subtasks =
                List.of(
                        acquire("job", this::openSlowly),
                        acquire("job", this::openSlowly),
                        acquire("job", this::openSlowly));
        for (Subtask subtask : subtasks) {
            await(subtask::waits);
        }
        doors.release();
        for (Subtask subtask : subtasks) {
            assertThat(subtask.lease().batcher()).isSameAs(subtasks.get(0).lease().batcher());
        }
        assertThat(opened).hasSize(1);
        for (Subtask subtask : subtasks) {
            assertThat(opened.get(0).closed()).isFalse();
            subtask.lease().close();
        }
        assertThat(opened.get(0).closed()).isTrue();
    }

    @Test
    void shouldLetThoseWhoWaitGoAndCloseWhatNobodyWaitsForAnyMore() throws Exception {
        Subtask first = acquire("job", this::openSlowly);
        Subtask second = acquire("job", this::openSlowly);
        await(() -> first.waits() && second.waits());
        first.thread.interrupt();
        assertInterrupted(first);
        assertThat(second.isDone()).isFalse();
        second.thread.interrupt();
        assertInterrupted(second);

        doors.release();
        await(() -> opened.size() == 1 && opened.get(0).closed());
        doors.release();
        SharedBatchers<Integer>.Lease next = shared.acquire("job", this::openSlowly);
        assertThat(next.batcher().failed()).isFalse();
        assertThat(opened).hasSize(2);
        assertThat(opened.get(1).closed()).isFalse();
        next.close();
    }

    @Test
    void shouldGiveWhatIsBeingOpenedToWhoComesAfterTheOthersHaveLeft() throws Exception {
        Subtask first = acquire("job", this::openSlowly);
        await(() -> first.waits() && begun.get() == 1);
        first.thread.interrupt();
        assertInterrupted(first);

        Subtask second = acquire("job", this::openSlowly);
        await(second::waits);
        doors.release();
        SharedBatchers<Integer>.Lease lease = second.lease();
        assertThat(begun).hasValue(1);
        assertThat(opened.get(0).closed()).isFalse();
        lease.close();
        assertThat(opened.get(0).closed()).isTrue();
    }

    @Test
    void shouldFailAllWhoWaitAndTryAnewForTheNext() throws Exception {
        for (Throwable failure :
                List.of(new InferenceException("no such model"), new OutOfMemoryError("none"))) {
            CompletableFuture<Void> door = new CompletableFuture<>();
            Supplier<MicroBatcher<Integer>> failing =
                    () -> {
                        door.join();
                        return failWith(failure);
                    };
            Subtask first = acquire("job", failing);
            Subtask second = acquire("job", failing);
            await(() -> first.waits() && second.waits());
            door.complete(null);
            assertThatThrownBy(first::lease).cause().isSameAs(failure);
            assertThatThrownBy(second::lease).cause().isSameAs(failure);

            shared.acquire("job", () -> open(false)).close();
        }
        assertThat(opened).hasSize(2).allMatch(FakeBackend::closed);
    }

    private static MicroBatcher<Integer> failWith(Throwable failure) {
        if (failure instanceof Error error) {
            throw error;
        }
        throw (RuntimeException) failure;
    }

    @Test
    void shouldNotMakeOneKeyWaitForAnother() throws Exception {
        Subtask slow = acquire("slow", this::openSlowly);
        await(slow::waits);
        SharedBatchers<Integer>.Lease quick = shared.acquire("quick", () -> open(false));
        quick.close();
        assertThat(opened).singleElement().matches(FakeBackend::closed);
        assertThat(slow.isDone()).isFalse();
        doors.release();
        slow.lease().close();
        assertThat(opened).hasSize(2).allMatch(FakeBackend::closed);
    }

    @Test
    void shouldCloseWithoutWaitingForWhatIsBeingOpened() throws Exception {
        SharedBatchers<Integer>.Lease failed = shared.acquire("job", () -> open(true));
        failed.batcher().fail(new IllegalStateException("told to fail"), List.of());
        Subtask next = acquire("job", this::openSlowly);
        await(next::waits);
        failed.close();
        assertThat(opened).singleElement().matches(FakeBackend::closed);
        doors.release();
        assertThat(next.lease().batcher().failed()).isFalse();
        next.lease().close();
    }
}

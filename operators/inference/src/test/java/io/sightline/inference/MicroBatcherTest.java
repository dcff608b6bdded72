// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.testing.FakeBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MicroBatcherTest {

    private final ManualClock clock = new ManualClock();

    private static final class ManualClock implements NanoClock {
        private long now = 1_000;

        @Override
        public long nanoTime() {
            return now;
        }
    }

    private static final class Frame extends CompletableFuture<Integer>
            implements FrameCallback<Integer> {
        @Override
        public void complete(Integer result, RunTiming timing) {
            complete(result);
        }

        @Override
        public void fail(Throwable cause) {
            completeExceptionally(cause);
        }
    }

    /** Without lanes: the test takes the batches. */
    private MicroBatcher<Integer> batcher(int buffers, int slots, Duration delay) {
        return new MicroBatcher<>(
                List.of(new FakeBackend(FakeBackend.spec(4, 4, slots), run -> false, null)),
                buffers,
                new BatchingPolicy(delay),
                clock);
    }

    private static OutputReader<Integer> firstByte() {
        return (output, row) ->
                (int) output.tensors().get(0).floats().get(row * FakeBackend.VALUES);
    }

    @Test
    void shouldGiveWhatIsCommittedToAFreeLaneAtOnce() {
        MicroBatcher<Integer> batcher = batcher(2, 4, Duration.ZERO);
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        assertThat(batcher.poll()).isNull();

        subtask.tryClaim().commit(new Frame());
        subtask.tryClaim().commit(new Frame());

        assertThat(batcher.poll().committed).isEqualTo(2);
        assertThat(batcher.poll()).isNull();
    }

    @Test
    void shouldFillTheNextBufferWhileTheLaneIsBusy() {
        MicroBatcher<Integer> batcher = batcher(2, 2, Duration.ZERO);
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        subtask.tryClaim().commit(new Frame());
        Batch<Integer> running = batcher.poll();

        subtask.tryClaim().commit(new Frame());
        subtask.tryClaim().commit(new Frame());
        assertThat(subtask.tryClaim()).isNull();

        batcher.release(running, 1, 1);
        assertThat(subtask.tryClaim()).isNotNull();
        assertThat(batcher.poll().committed).isEqualTo(2);
    }

    @Test
    void shouldWaitForCompanyOnlyAsLongAsTold() {
        MicroBatcher<Integer> batcher = batcher(2, 4, Duration.ofNanos(50));
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        subtask.tryClaim().commit(new Frame());
        clock.now += 49;
        assertThat(batcher.poll()).isNull();
        clock.now += 1;
        assertThat(batcher.poll().committed).isEqualTo(1);
    }

    @Test
    void shouldSendAFullBatchWithoutWaiting() {
        MicroBatcher<Integer> batcher = batcher(2, 2, Duration.ofHours(1));
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        subtask.tryClaim().commit(new Frame());
        subtask.tryClaim().commit(new Frame());
        assertThat(batcher.poll().committed).isEqualTo(2);
    }

    @Test
    void shouldSealOnRequest() {
        MicroBatcher<Integer> batcher = batcher(2, 4, Duration.ofHours(1));
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        subtask.tryClaim().commit(new Frame());
        assertThat(batcher.poll()).isNull();
        subtask.sealNow();
        assertThat(batcher.poll().committed).isEqualTo(1);
    }

    @Test
    void shouldHoldASealedBatchForOpenClaimsOnly() {
        MicroBatcher<Integer> batcher = batcher(2, 3, Duration.ZERO);
        FrameSubmitter<Integer> a = batcher.newSubmitter(() -> {});
        FrameSubmitter<Integer> b = batcher.newSubmitter(() -> {});
        BatchSlot<Integer> open = a.tryClaim();
        b.tryClaim().commit(new Frame());

        assertThat(batcher.poll()).as("a claim is open").isNull();
        BatchSlot<Integer> later = b.tryClaim();
        assertThat(later.batch()).as("no claim after sealing").isNotSameAs(open.batch());

        open.abort();
        Batch<Integer> batch = batcher.poll();
        assertThat(batch.committed).isEqualTo(1);
        assertThat(batch.claimed).isEqualTo(2);
    }

    @Test
    void shouldTakeASealedBatchAndLetTheNextOneFill() {
        MicroBatcher<Integer> batcher = batcher(3, 2, Duration.ZERO);
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        for (int i = 0; i < 3; i++) {
            subtask.tryClaim().commit(new Frame());
        }
        assertThat(batcher.poll().committed).isEqualTo(2);
        subtask.tryClaim().commit(new Frame());
        assertThat(batcher.poll().committed).as("it was still filling").isEqualTo(2);
        assertThat(batcher.poll()).isNull();
    }

    @Test
    void shouldNotWaitForOpenClaimsOfASealedBatchWhereAnotherCanGo() {
        MicroBatcher<Integer> batcher = batcher(3, 2, Duration.ZERO);
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        BatchSlot<Integer> open = subtask.tryClaim();
        for (int i = 0; i < 2; i++) {
            subtask.tryClaim().commit(new Frame());
        }
        assertThat(batcher.poll().committed).as("the one that was filling").isEqualTo(1);
        assertThat(batcher.poll()).isNull();
        open.commit(new Frame());
        assertThat(batcher.poll().committed).isEqualTo(2);
    }

    @Test
    void shouldReuseABatchWhoseEveryClaimWasAborted() {
        MicroBatcher<Integer> batcher = batcher(1, 2, Duration.ZERO);
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        for (int i = 0; i < 10; i++) {
            BatchSlot<Integer> first = subtask.tryClaim();
            BatchSlot<Integer> second = subtask.tryClaim();
            first.abort();
            second.abort();
        }
        subtask.tryClaim().commit(new Frame());
        assertThat(batcher.poll().committed).isEqualTo(1);
    }

    @Test
    void shouldServeThoseInLineInTheirOrder() {
        MicroBatcher<Integer> batcher = batcher(1, 1, Duration.ZERO);
        List<String> woken = new ArrayList<>();
        FrameSubmitter<Integer> a = batcher.newSubmitter(() -> woken.add("a"));
        FrameSubmitter<Integer> b = batcher.newSubmitter(() -> woken.add("b"));
        FrameSubmitter<Integer> c = batcher.newSubmitter(() -> woken.add("c"));
        c.tryClaim().commit(new Frame());
        assertThat(a.tryClaim()).isNull();
        assertThat(b.tryClaim()).isNull();

        Batch<Integer> batch = batcher.poll();
        batcher.release(batch, 1, 1);
        assertThat(woken).containsExactly("a");
        assertThat(c.tryClaim()).as("others wait").isNull();
        assertThat(b.tryClaim()).as("a is first").isNull();
        a.tryClaim().abort();
        assertThat(woken).containsExactly("a", "b");
        b.withdraw();
        assertThat(woken).containsExactly("a", "b", "c");
        assertThat(c.tryClaim()).isNotNull();
    }

    @Test
    void shouldNotLetOneThatIsBusyElsewhereHoldUpTheOthers() {
        MicroBatcher<Integer> batcher = batcher(1, 3, Duration.ZERO);
        List<String> woken = new ArrayList<>();
        FrameSubmitter<Integer> busy = batcher.newSubmitter(() -> woken.add("busy"));
        FrameSubmitter<Integer> next = batcher.newSubmitter(() -> woken.add("next"));
        FrameSubmitter<Integer> last = batcher.newSubmitter(() -> woken.add("last"));
        for (int i = 0; i < 3; i++) {
            last.tryClaim().commit(new Frame());
        }
        assertThat(busy.tryClaim()).isNull();
        assertThat(next.tryClaim()).isNull();

        batcher.release(batcher.poll(), 1, 3);
        assertThat(woken).containsExactly("busy", "next");
        last.tryClaim().commit(new Frame());
        assertThat(last.tryClaim()).as("two slots are for two in line").isNull();
        next.tryClaim().commit(new Frame());
        assertThat(next.tryClaim()).as("one slot is for the one in line").isNull();
        assertThat(busy.tryClaim()).isNotNull();
    }

    @Test
    void shouldKeepAReservedSlotForWhoReservedIt() {
        MicroBatcher<Integer> batcher = batcher(1, 2, Duration.ZERO);
        List<String> woken = new ArrayList<>();
        FrameSubmitter<Integer> a = batcher.newSubmitter(() -> woken.add("a"));
        FrameSubmitter<Integer> b = batcher.newSubmitter(() -> woken.add("b"));
        FrameSubmitter<Integer> c = batcher.newSubmitter(() -> woken.add("c"));
        assertThat(a.reserve()).isTrue();
        assertThat(a.reserve()).as("still the same").isTrue();
        assertThat(b.reserve()).isTrue();
        assertThat(c.reserve()).isFalse();
        assertThat(c.tryClaim()).isNull();
        assertThat(b.tryClaim()).isNotNull();
        assertThat(woken).isEmpty();
        a.withdraw();
        assertThat(woken).containsExactly("c");
        assertThat(c.tryClaim()).isNotNull();
    }

    @Test
    void shouldNotHoldABatchUpForAReservation() {
        MicroBatcher<Integer> batcher = batcher(1, 2, Duration.ZERO);
        List<String> woken = new ArrayList<>();
        FrameSubmitter<Integer> decoding = batcher.newSubmitter(() -> woken.add("decoding"));
        FrameSubmitter<Integer> quick = batcher.newSubmitter(() -> {});
        assertThat(decoding.reserve()).isTrue();
        quick.tryClaim().commit(new Frame());

        Batch<Integer> batch = batcher.poll();
        assertThat(batch.committed).isEqualTo(1);
        assertThat(decoding.tryClaim()).as("the lane took its batch").isNull();
        batcher.release(batch, 1, 1);
        assertThat(woken).containsExactly("decoding");
        assertThat(decoding.tryClaim()).isNotNull();
    }

    @Test
    void shouldGiveAllThatIsFreeToOneWhereNobodyElseWaits() {
        MicroBatcher<Integer> batcher = batcher(2, 2, Duration.ZERO);
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        for (int i = 0; i < 4; i++) {
            assertThat(subtask.tryClaim()).isNotNull();
        }
        assertThat(subtask.tryClaim()).isNull();
    }

    @Test
    void shouldPassOverASubtaskThatIsGone() {
        MicroBatcher<Integer> batcher = batcher(1, 1, Duration.ZERO);
        AtomicInteger woken = new AtomicInteger();
        FrameSubmitter<Integer> gone =
                batcher.newSubmitter(
                        () -> {
                            throw new RejectedExecutionException("mailbox closed");
                        });
        FrameSubmitter<Integer> here = batcher.newSubmitter(woken::incrementAndGet);
        here.tryClaim().commit(new Frame());
        assertThat(gone.tryClaim()).isNull();
        assertThat(here.tryClaim()).isNull();
        batcher.release(batcher.poll(), 1, 1);
        assertThat(woken).hasValue(1);
        assertThat(here.tryClaim()).isNotNull();
    }

    @Test
    void shouldRefuseToCloseAClaimTwice() {
        MicroBatcher<Integer> batcher = batcher(1, 2, Duration.ZERO);
        BatchSlot<Integer> slot = batcher.newSubmitter(() -> {}).tryClaim();
        slot.commit(new Frame());
        assertThatThrownBy(slot::abort).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> slot.commit(new Frame()))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldFailEveryFrameOfEverySubtaskWithALane() {
        MicroBatcher<Integer> batcher = batcher(2, 2, Duration.ZERO);
        AtomicInteger woken = new AtomicInteger();
        FrameSubmitter<Integer> a = batcher.newSubmitter(() -> {});
        FrameSubmitter<Integer> b = batcher.newSubmitter(woken::incrementAndGet);
        List<Frame> frames = List.of(new Frame(), new Frame(), new Frame(), new Frame());
        a.tryClaim().commit(frames.get(0));
        b.tryClaim().commit(frames.get(1));
        Batch<Integer> running = batcher.poll();
        b.tryClaim().commit(frames.get(2));
        BatchSlot<Integer> open = a.tryClaim();
        assertThat(b.tryClaim()).isNull();

        Error cause = new OutOfMemoryError("no device memory");
        batcher.fail(cause, List.of(running));
        open.commit(frames.get(3));

        assertThat(frames)
                .allSatisfy(
                        frame ->
                                assertThat(frame.handle((result, e) -> e).getNow(null))
                                        .isSameAs(cause));
        assertThat(woken).as("everybody is told").hasValue(1);
        assertThatThrownBy(b::requireRunning).isInstanceOf(InferenceException.class);
        assertThatThrownBy(b::tryClaim).isInstanceOf(InferenceException.class).hasCause(cause);
        assertThat(batcher.failed()).isTrue();
    }

    private static MicroBatcher<Integer> running(FakeBackend backend) {
        return running(backend, firstByte());
    }

    private static MicroBatcher<Integer> running(
            FakeBackend backend, OutputReader<Integer> reader) {
        return new MicroBatcher<>(
                List.of(backend), 3, () -> reader, BatchingPolicy.IMMEDIATE, NanoClock.SYSTEM);
    }

    static void await(BooleanSupplier condition) throws InterruptedException {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - start).isLessThan(TimeUnit.SECONDS.toNanos(30));
            Thread.sleep(1);
        }
    }

    @ParameterizedTest(name = "{0} in flight")
    @ValueSource(ints = {1, 2})
    void shouldRunFramesOnItsLanesAndGiveEachItsOwnResult(int inFlight) throws Exception {
        FakeBackend backend =
                new FakeBackend(FakeBackend.spec(4, 4, 4), run -> false, null).inFlight(inFlight);
        MicroBatcher<Integer> batcher = running(backend);
        try (batcher) {
            Semaphore turn = new Semaphore(0);
            FrameSubmitter<Integer> subtask = batcher.newSubmitter(turn::release);
            List<Frame> frames = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                BatchSlot<Integer> slot = subtask.tryClaim();
                while (slot == null) {
                    assertThat(turn.tryAcquire(30, TimeUnit.SECONDS)).isTrue();
                    slot = subtask.tryClaim();
                }
                slot.pixels().put(0, (byte) i);
                frames.add(new Frame());
                slot.commit(frames.get(i));
            }
            for (int i = 0; i < frames.size(); i++) {
                assertThat(frames.get(i).get(30, TimeUnit.SECONDS)).isEqualTo(i & 0xff);
            }
        }
        // A lane counts a batch after it has given out its results.
        assertThat(batcher.totals().frames()).isEqualTo(200);
        assertThat(backend.closed()).isTrue();
    }

    @Test
    void shouldSubmitWhatGatheredDuringARunBeforeItIsRead() throws Exception {
        Semaphore permits = new Semaphore(0);
        FakeBackend backend =
                new FakeBackend(FakeBackend.spec(4, 4, 2), run -> false, permits).inFlight(2);
        // The result of a frame: how many runs had begun when it was read.
        MicroBatcher<Integer> batcher = running(backend, (output, row) -> backend.begun());
        try (batcher) {
            FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
            List<Frame> frames = List.of(new Frame(), new Frame(), new Frame());
            subtask.tryClaim().commit(frames.get(0));
            await(permits::hasQueuedThreads);
            subtask.tryClaim().commit(frames.get(1));
            subtask.tryClaim().commit(frames.get(2));
            permits.release(2);

            assertThat(frames.get(0)).succeedsWithin(Duration.ofSeconds(30)).isEqualTo(2);
            assertThat(frames.get(1)).succeedsWithin(Duration.ofSeconds(30)).isEqualTo(2);
            assertThat(frames.get(2)).succeedsWithin(Duration.ofSeconds(30)).isEqualTo(2);
        }
    }

    /** The first is done, the next two are with the engine, the last waits. */
    private static List<Frame> twoTaken(
            MicroBatcher<Integer> batcher, FakeBackend backend, Semaphore permits)
            throws InterruptedException {
        FrameSubmitter<Integer> subtask = batcher.newSubmitter(() -> {});
        List<Frame> frames = List.of(new Frame(), new Frame(), new Frame(), new Frame());
        subtask.tryClaim().commit(frames.get(0));
        await(permits::hasQueuedThreads);
        subtask.tryClaim().commit(frames.get(1));
        subtask.tryClaim().commit(frames.get(2));
        permits.release();
        await(() -> backend.begun() == 3);
        subtask.tryClaim().commit(frames.get(3));
        assertThat(frames.get(0)).isCompletedWithValue(0);
        return frames;
    }

    @Test
    void shouldFailAllThatTheLaneHasTakenWithIt() throws Exception {
        Semaphore permits = new Semaphore(0);
        FakeBackend backend =
                new FakeBackend(FakeBackend.spec(4, 4, 1), run -> run == 1, permits).inFlight(2);
        try (MicroBatcher<Integer> batcher = running(backend)) {
            List<Frame> frames = twoTaken(batcher, backend, permits);
            permits.release();
            for (Frame frame : frames.subList(1, 4)) {
                assertThat(frame)
                        .failsWithin(Duration.ofSeconds(30))
                        .withThrowableThat()
                        .withMessageContaining("told to fail");
            }
        }
        assertThat(backend.closed()).isTrue();
    }

    @Test
    void shouldFinishAllThatTheLaneHasTakenWhenClosed() throws Exception {
        Semaphore permits = new Semaphore(0);
        FakeBackend backend =
                new FakeBackend(FakeBackend.spec(4, 4, 1), run -> false, permits).inFlight(2);
        MicroBatcher<Integer> batcher = running(backend);
        List<Frame> frames = twoTaken(batcher, backend, permits);

        Thread.currentThread().interrupt();
        batcher.close();
        assertThat(Thread.interrupted()).isTrue();
        permits.release();
        assertThat(frames.get(1)).succeedsWithin(Duration.ofSeconds(30));
        assertThat(frames.get(2)).isNotDone();
        assertThat(backend.closed()).as("it still runs").isFalse();
        permits.release();
        batcher.close();
        assertThat(frames.get(2)).isCompletedWithValue(0);
        assertThat(frames.get(3)).as("nobody took it").isNotDone();
        assertThat(backend.closed()).isTrue();
    }

    @ParameterizedTest(name = "{0} in flight")
    @ValueSource(ints = {1, 2})
    void shouldCloseTheEngineOnlyAfterTheRunThatIsGoingOn(int inFlight) throws Exception {
        Semaphore permits = new Semaphore(0);
        FakeBackend backend =
                new FakeBackend(FakeBackend.spec(4, 4, 1), run -> false, permits)
                        .inFlight(inFlight);
        MicroBatcher<Integer> batcher = running(backend);
        Frame frame = new Frame();
        batcher.newSubmitter(() -> {}).tryClaim().commit(frame);
        await(permits::hasQueuedThreads);

        Thread.currentThread().interrupt();
        batcher.close();
        assertThat(Thread.interrupted()).as("the caller's interrupt is kept").isTrue();
        assertThat(backend.closed()).as("it still runs").isFalse();
        permits.release();
        batcher.close();
        assertThat(backend.closed()).isTrue();
        assertThat(frame).isCompletedWithValue(0);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.benchmark;

import io.sightline.inference.BatchSlot;
import io.sightline.inference.BatchingPolicy;
import io.sightline.inference.FrameCallback;
import io.sightline.inference.FrameSubmitter;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.MicroBatcher;
import io.sightline.inference.NanoClock;
import io.sightline.inference.RunTiming;
import io.sightline.inference.testing.FakeBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * What a frame costs in the batcher: claim, commit, hand-over to a lane and back, with an engine
 * that does nothing. Run the main method from an IDE, or with the test class path:
 *
 * <pre>
 * mvn -q -pl operators/inference -am test-compile dependency:build-classpath \
 *     -Dmdep.includeScope=test -Dmdep.outputFile=/tmp/cp
 * java -cp operators/inference/target/test-classes:operators/inference/target/classes:$(cat /tmp/cp) \
 *     io.sightline.inference.benchmark.MicroBatcherBenchmark
 * </pre>
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class MicroBatcherBenchmark {

    private static final int FRAMES = 1_000;

    @Param({"1", "8", "32"})
    int maxBatch;

    @Param({"1", "2"})
    int lanes;

    private MicroBatcher<Boolean> batcher;
    private FrameSubmitter<Boolean> submitter;
    private final Semaphore mailbox = new Semaphore(0);
    private final Semaphore done = new Semaphore(0);

    private final FrameCallback<Boolean> callback =
            new FrameCallback<>() {
                @Override
                public void complete(Boolean result, RunTiming timing) {
                    done.release();
                }

                @Override
                public void fail(Throwable cause) {
                    throw new IllegalStateException(cause);
                }
            };

    @Setup(Level.Trial)
    public void open() {
        List<InferenceBackend> backends = new ArrayList<>();
        for (int i = 0; i < lanes; i++) {
            backends.add(new FakeBackend(FakeBackend.spec(4, 4, maxBatch), run -> false, null));
        }
        batcher =
                new MicroBatcher<>(
                        backends,
                        2,
                        () -> (output, row) -> Boolean.TRUE,
                        BatchingPolicy.IMMEDIATE,
                        NanoClock.SYSTEM);
        submitter = batcher.newSubmitter(mailbox::release);
    }

    @TearDown(Level.Trial)
    public void close() {
        batcher.close();
    }

    @Benchmark
    @OperationsPerInvocation(FRAMES)
    public void frames() throws InterruptedException {
        for (int i = 0; i < FRAMES; i++) {
            BatchSlot<Boolean> slot = submitter.tryClaim();
            while (slot == null) {
                mailbox.acquire();
                slot = submitter.tryClaim();
            }
            slot.commit(callback);
        }
        done.acquire(FRAMES);
    }

    public static void main(String[] args) throws RunnerException {
        new Runner(
                        new OptionsBuilder()
                                .include(MicroBatcherBenchmark.class.getSimpleName())
                                .build())
                .run();
    }
}

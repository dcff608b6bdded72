// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.testing.FakeBackend;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntPredicate;

/** Fake engines that a test can still reach after the factory was serialised with the job. */
record FakeBackendFactory(int id, int width, int height, int maxBatch) implements BackendFactory {

    private static final AtomicInteger IDS = new AtomicInteger();
    private static final Map<Integer, Control> CONTROLS = new ConcurrentHashMap<>();

    private record Control(IntPredicate failsOnRun, Semaphore permits, List<FakeBackend> opened) {}

    /**
     * @param failsOnRun told the number of a run, counted over all engines; true makes it throw
     * @param permits one is taken for each run; null for as many as wanted
     */
    static FakeBackendFactory create(
            int width, int height, int maxBatch, IntPredicate failsOnRun, Semaphore permits) {
        int id = IDS.incrementAndGet();
        AtomicInteger runs = new AtomicInteger();
        CONTROLS.put(
                id,
                new Control(
                        run -> failsOnRun.test(runs.getAndIncrement()),
                        permits,
                        new CopyOnWriteArrayList<>()));
        return new FakeBackendFactory(id, width, height, maxBatch);
    }

    static FakeBackendFactory create() {
        return create(32, 32, 4, run -> false, null);
    }

    List<FakeBackend> opened() {
        return CONTROLS.get(id).opened();
    }

    @Override
    public String backend() {
        return "fake";
    }

    @Override
    public List<InferenceBackend> open(int lanes) {
        Control control = CONTROLS.get(id);
        List<InferenceBackend> backends = new ArrayList<>();
        for (int i = 0; i < lanes; i++) {
            FakeBackend backend =
                    new FakeBackend(
                            FakeBackend.spec(width, height, maxBatch),
                            control.failsOnRun(),
                            control.permits());
            control.opened().add(backend);
            backends.add(backend);
        }
        return backends;
    }

    @Override
    public long estimatedLaneBytes() {
        return 0;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.BatchingPolicy;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.MicroBatcher;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.NanoClock;
import io.sightline.job.ModelChoice;
import io.sightline.job.bench.BatcherLoad;
import io.sightline.vision.DetectionReader;
import io.sightline.vision.Detections;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;

/**
 * How many frames per second this machine carries: the job's own decode, letterbox, batcher, engine
 * and parser, with as many lanes as the job has, a thread that decodes for each core, and nothing
 * beside them. Owns the lanes.
 */
final class Capacity implements AutoCloseable {

    private final ModelChoice model;
    private final MicroBatcher<Detections> batcher;

    private Capacity(ModelChoice model, MicroBatcher<Detections> batcher) {
        this.model = model;
        this.batcher = batcher;
    }

    /**
     * @throws InferenceException if the model is none that can be run
     */
    static Capacity open(ModelChoice model) {
        model.requireHere();
        BackendFactory factory = model.backendFactory();
        List<InferenceBackend> lanes = factory.open(factory.defaultLanes());
        ModelSpec spec = lanes.get(0).spec();
        return new Capacity(
                model,
                new MicroBatcher<>(
                        lanes,
                        model.buffersPerLane(),
                        () -> new DetectionReader(spec, model.nms(spec)),
                        BatchingPolicy.IMMEDIATE,
                        NanoClock.SYSTEM));
    }

    ModelSpec spec() {
        return batcher.spec();
    }

    /**
     * @param pictures encoded, taken in turn
     * @param warmUp time before it counts: what is compiled meanwhile is slow at first
     */
    double framesPerSecond(List<byte[]> pictures, Duration warmUp, Duration measured)
            throws InterruptedException {
        try {
            return BatcherLoad.framesPerSecond(
                    batcher,
                    Runtime.getRuntime().availableProcessors(),
                    thread ->
                            BatcherLoad.pictures(
                                    batcher.spec(), model.interpolation(), pictures, thread),
                    warmUp,
                    measured);
        } catch (ExecutionException e) {
            throw new InferenceException(
                    "the model cannot be measured: " + e.getCause().getMessage(), e);
        }
    }

    @Override
    public void close() {
        batcher.close();
    }
}

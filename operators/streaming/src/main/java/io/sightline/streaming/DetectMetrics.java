// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.inference.GpuUsage;
import io.sightline.inference.MicroBatcher;
import io.sightline.vision.NativeMemory;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/**
 * What a subtask measures, in the order of a frame's way. Durations are in microseconds. Updated by
 * the task's thread alone.
 */
final class DetectMetrics {

    private static final int WINDOW = 1_000;

    final FrameAccount totals;
    final Counter malformedHeaders;
    final Counter missingEndMarkers;

    private final MetricGroup group;
    private final Histogram queue;
    private final Histogram roomWait;
    private final Histogram decode;
    private final Histogram letterbox;
    private final Histogram infer;
    private final Histogram postprocess;
    private final Histogram batchSize;
    private final Histogram drain;

    DetectMetrics(MetricGroup operatorGroup, MicroBatcher<?> batcher) {
        group = operatorGroup.addGroup("sightline");
        totals = new FrameAccount(group);
        malformedHeaders = group.counter("malformedHeaders");
        missingEndMarkers = group.counter("missingEndMarkers");
        queue = histogram("queueMicros");
        roomWait = histogram("roomWaitMicros");
        decode = histogram("decodeMicros");
        letterbox = histogram("letterboxMicros");
        infer = histogram("inferMicros");
        postprocess = histogram("postprocessMicros");
        batchSize = histogram("batchSize");
        drain = histogram("drainMicros");
        // Of the whole task manager: its subtasks share lanes and native memory, so each reports
        // the same.
        MetricGroup shared = group.addGroup("taskManager");
        shared.gauge(
                "laneBusyMillis",
                () -> TimeUnit.NANOSECONDS.toMillis(batcher.totals().busyNanos()));
        shared.gauge("laneBatches", () -> batcher.totals().batches());
        shared.gauge("laneFrames", () -> batcher.totals().frames());
        shared.gauge("nativeBytes", NativeMemory::allocatedBytes);
        List<GpuUsage> lanes = batcher.gpuUsage();
        lanes.stream()
                .map(GpuUsage::device)
                .distinct()
                .forEach(device -> registerGpu(shared, batcher, device));
    }

    /** Sums over the lanes on that GPU. */
    private static void registerGpu(MetricGroup shared, MicroBatcher<?> batcher, int device) {
        MetricGroup gpu = shared.addGroup("gpu", Integer.toString(device));
        gpu.gauge("copyMillis", () -> millis(batcher, device, GpuUsage::copyNanos));
        gpu.gauge("queueMillis", () -> millis(batcher, device, GpuUsage::queueNanos));
        gpu.gauge("computeMillis", () -> millis(batcher, device, GpuUsage::computeNanos));
        // Of the GPU, whichever lane tells.
        gpu.gauge("deviceBytes", () -> most(batcher, device, GpuUsage::deviceBytes));
        gpu.gauge("utilisationPercent", () -> most(batcher, device, GpuUsage::utilisationPercent));
    }

    private static long millis(
            MicroBatcher<?> batcher, int device, ToLongFunction<GpuUsage> nanos) {
        return TimeUnit.NANOSECONDS.toMillis(on(batcher, device).mapToLong(nanos).sum());
    }

    private static long most(MicroBatcher<?> batcher, int device, ToLongFunction<GpuUsage> value) {
        return on(batcher, device).mapToLong(value).max().orElse(0);
    }

    private static Stream<GpuUsage> on(MicroBatcher<?> batcher, int device) {
        return batcher.gpuUsage().stream().filter(usage -> usage.device() == device);
    }

    MetricGroup group() {
        return group;
    }

    private Histogram histogram(String name) {
        return group.histogram(name, new DescriptiveStatisticsHistogram(WINDOW));
    }

    void frameDone(PendingFrame frame, long queueNanos) {
        queue.update(micros(queueNanos));
        roomWait.update(micros(frame.decodeStartNanos - frame.arrivedNanos));
        decode.update(micros(frame.decodedNanos - frame.decodeStartNanos));
        letterbox.update(micros(frame.committedNanos - frame.claimedNanos));
        infer.update(micros(frame.timing.inferredNanos() - frame.timing.startedNanos()));
        postprocess.update(micros(frame.timing.readNanos()));
        batchSize.update(frame.timing.batchSize());
    }

    void drained(long nanos) {
        drain.update(micros(nanos));
    }

    private static long micros(long nanos) {
        return TimeUnit.NANOSECONDS.toMicros(nanos);
    }
}

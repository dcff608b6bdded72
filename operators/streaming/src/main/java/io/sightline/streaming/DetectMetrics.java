// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.inference.MicroBatcher;
import io.sightline.vision.NativeMemory;
import java.util.concurrent.TimeUnit;
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
    private final Histogram decode;
    private final Histogram claimWait;
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
        decode = histogram("decodeMicros");
        claimWait = histogram("claimWaitMicros");
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
    }

    MetricGroup group() {
        return group;
    }

    private Histogram histogram(String name) {
        return group.histogram(name, new DescriptiveStatisticsHistogram(WINDOW));
    }

    void frameDone(PendingFrame frame, long queueNanos) {
        queue.update(micros(queueNanos));
        decode.update(micros(frame.decodedNanos - frame.decodeStartNanos));
        claimWait.update(micros(frame.claimedNanos - frame.decodedNanos));
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

// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import com.sun.management.HotSpotDiagnosticMXBean;
import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.NativeMemory;
import io.sightline.vision.OpenCvFrameDecoder;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.execution.Environment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the operator's subtasks on one task manager need outside the heap, worked out before it is
 * allocated, so that a task manager that is too small says so at the start and not when the load
 * comes.
 *
 * @param bufferBytes batch buffers of all lanes in direct memory of the JVM
 * @param pinnedBytes batch buffers of all lanes in memory that a GPU's driver has locked
 * @param decoderBytes decoded pictures of all subtasks: JavaCPP's memory
 * @param engineBytes weights and arenas of all lanes: an estimate
 */
record MemoryPlan(long bufferBytes, long pinnedBytes, long decoderBytes, long engineBytes) {

    private static final Logger LOG = LoggerFactory.getLogger(MemoryPlan.class);

    /**
     * What this process allows; {@link Long#MAX_VALUE} stands for no limit.
     *
     * @param directBytes direct memory that is still free
     * @param decoderBytes what JavaCPP may still take
     * @param taskOffHeapBytes the task manager's configured off-heap memory for tasks
     */
    record Limits(long directBytes, long decoderBytes, long taskOffHeapBytes) {

        static Limits ofThisProcess(Configuration taskManager) {
            long javacpp = NativeMemory.maxBytes();
            return new Limits(
                    maxDirectBytes() - usedDirectBytes(),
                    javacpp <= 0 ? Long.MAX_VALUE : javacpp - NativeMemory.allocatedBytes(),
                    taskManager
                            .getOptional(TaskManagerOptions.TASK_OFF_HEAP_MEMORY)
                            .map(MemorySize::getBytes)
                            .orElse(Long.MAX_VALUE));
        }

        private static long maxDirectBytes() {
            String value =
                    ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class)
                            .getVMOption("MaxDirectMemorySize")
                            .getValue();
            long bytes = Long.parseLong(value);
            // Zero stands for the default, which is the size of the heap.
            return bytes == 0 ? Runtime.getRuntime().maxMemory() : bytes;
        }

        private static long usedDirectBytes() {
            return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                    .filter(pool -> pool.getName().equals("direct"))
                    .mapToLong(BufferPoolMXBean::getMemoryUsed)
                    .sum();
        }
    }

    /** Without batch buffers, whose size only an engine that is open can tell. */
    static MemoryPlan of(BackendFactory backend, int lanes, FrameLimits frames, int subtasks) {
        return new MemoryPlan(
                0,
                0,
                subtasks * OpenCvFrameDecoder.maxBufferBytes(frames),
                backend.estimatedProcessBytes() + backend.estimatedLaneBytes() * lanes);
    }

    /** The same with that many batch buffers. */
    MemoryPlan withBuffers(InferenceBackend lane, int buffers) {
        long bytes = lane.bufferBytes() * buffers;
        return new MemoryPlan(
                lane.pinsBuffers() ? 0 : bytes,
                lane.pinsBuffers() ? bytes : 0,
                decoderBytes,
                engineBytes);
    }

    /**
     * How many of the operator's subtasks this task manager may run: one a slot, but not more than
     * there are.
     */
    static int subtasksHere(Environment environment) {
        int slots =
                environment
                        .getTaskManagerInfo()
                        .getConfiguration()
                        .get(TaskManagerOptions.NUM_TASK_SLOTS);
        return Math.max(
                1, Math.min(slots, environment.getTaskInfo().getNumberOfParallelSubtasks()));
    }

    long totalBytes() {
        return bufferBytes + pinnedBytes + decoderBytes + engineBytes;
    }

    /** As {@link #require(Limits)}, of this process. */
    void requireOfThisProcess(Configuration taskManager) {
        LOG.info("detect needs {}", this);
        Limits limits = Limits.ofThisProcess(taskManager);
        for (int millis = 1; bufferBytes > limits.directBytes() && millis <= 100; millis *= 10) {
            // Buffers that nobody has any more, such as those of warming up, count until they are
            // collected and another thread has given their memory back.
            System.gc();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
            limits = Limits.ofThisProcess(taskManager);
        }
        require(limits);
    }

    /**
     * @throws InferenceException if a limit is too low; names the setting to raise and the least
     *     value that does, as far as the batch buffers are known
     */
    void require(Limits limits) {
        if (totalBytes() > limits.taskOffHeapBytes()) {
            throw new InferenceException(
                    "detect needs "
                            + this
                            + ", but taskmanager.memory.task.off-heap.size is "
                            + mebibytes(limits.taskOffHeapBytes())
                            + ": set it to "
                            + (knowsBuffers() ? "at least " : "more than ")
                            + mebibytes(totalBytes()));
        }
        if (bufferBytes > limits.directBytes()) {
            throw new InferenceException(
                    "detect needs "
                            + this
                            + ", but only "
                            + mebibytes(limits.directBytes())
                            + " of direct memory is free: raise taskmanager.memory.task.off-heap.size (on a cluster) or"
                            + " -XX:MaxDirectMemorySize (elsewhere) by "
                            + mebibytes(bufferBytes - limits.directBytes()));
        }
        if (decoderBytes > limits.decoderBytes()) {
            throw new InferenceException(
                    "detect needs "
                            + this
                            + ", but JavaCPP may take only "
                            + mebibytes(limits.decoderBytes())
                            + ": set -Dorg.bytedeco.javacpp.maxbytes="
                            + wholeMebibytes(decoderBytes + NativeMemory.allocatedBytes())
                            + "m and -Dorg.bytedeco.javacpp.maxphysicalbytes=0 (on a cluster in env.java.opts.taskmanager), or"
                            + " lower --max-frame-pixels");
        }
    }

    @Override
    public String toString() {
        return mebibytes(totalBytes())
                + " outside the heap ("
                + (knowsBuffers()
                        ? "batch buffers " + mebibytes(bufferBytes + pinnedBytes) + ", "
                        : "beside batch buffers: ")
                + "decoders "
                + mebibytes(decoderBytes)
                + ", engines about "
                + mebibytes(engineBytes)
                + ")";
    }

    private boolean knowsBuffers() {
        return bufferBytes + pinnedBytes > 0;
    }

    private static long wholeMebibytes(long bytes) {
        return (bytes + (1 << 20) - 1) >> 20;
    }

    private static String mebibytes(long bytes) {
        return wholeMebibytes(bytes) + " mb";
    }
}

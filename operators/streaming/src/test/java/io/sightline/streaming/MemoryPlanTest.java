// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InferenceException;
import io.sightline.streaming.MemoryPlan.Limits;
import io.sightline.vision.Interpolation;
import io.sightline.vision.NativeMemory;
import java.time.Duration;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.junit.jupiter.api.Test;

/** A task manager that is too small says which setting to raise, and to what. */
class MemoryPlanTest {

    private static final long MB = 1 << 20;
    private static final long NO_LIMIT = Long.MAX_VALUE;

    private final MemoryPlan plan = new MemoryPlan(10 * MB, 20 * MB, 40 * MB);

    @Test
    void shouldBeContentWithExactlyWhatItNeeds() {
        assertThatCode(() -> plan.require(new Limits(10 * MB, 20 * MB, 70 * MB)))
                .doesNotThrowAnyException();
        assertThatCode(() -> plan.require(new Limits(NO_LIMIT, NO_LIMIT, NO_LIMIT)))
                .doesNotThrowAnyException();
    }

    @Test
    void shouldNameTheTaskManagersOffHeapMemory() {
        assertThatThrownBy(() -> plan.require(new Limits(NO_LIMIT, NO_LIMIT, 70 * MB - 1)))
                .isInstanceOf(InferenceException.class)
                .hasMessage(
                        "detect needs 70 mb outside the heap (batch buffers 10 mb, decoders 20 mb,"
                                + " engines about 40 mb), but taskmanager.memory.task.off-heap.size"
                                + " is 70 mb: set it to at least 70 mb");
        assertThatThrownBy(() -> plan.require(new Limits(NO_LIMIT, NO_LIMIT, 0)))
                .hasMessageContaining(
                        "taskmanager.memory.task.off-heap.size is 0 mb: set it to at least 70 mb");
    }

    @Test
    void shouldNameTheDirectMemory() {
        assertThatThrownBy(() -> plan.require(new Limits(7 * MB, NO_LIMIT, NO_LIMIT)))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("only 7 mb of direct memory is free")
                .hasMessageContaining("taskmanager.memory.task.off-heap.size")
                .hasMessageContaining("-XX:MaxDirectMemorySize")
                .hasMessageEndingWith("by 3 mb");
    }

    @Test
    void shouldNameTheLimitsOfJavaCpp() {
        long taken = (NativeMemory.allocatedBytes() + MB - 1) / MB;
        assertThatThrownBy(() -> plan.require(new Limits(NO_LIMIT, 19 * MB, NO_LIMIT)))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("JavaCPP may take only 19 mb")
                .hasMessageContaining("-Dorg.bytedeco.javacpp.maxbytes=" + (20 + taken) + "m")
                .hasMessageContaining("-Dorg.bytedeco.javacpp.maxphysicalbytes=0")
                .hasMessageContaining("--max-frame-pixels");
    }

    @Test
    void shouldCountEveryBufferOfEveryLaneAndADecoderForEachSubtask() {
        DetectSettings settings =
                new DetectSettings(
                        FakeBackendFactory.create(),
                        0,
                        3,
                        Duration.ZERO,
                        null,
                        null,
                        Interpolation.LINEAR,
                        1000,
                        2000,
                        4,
                        1 << 20,
                        10,
                        OverloadSettings.PROCESS_ALL,
                        Duration.ofSeconds(10),
                        Duration.ofSeconds(5));
        MemoryPlan four = MemoryPlan.of(100, settings, 4, 1);
        assertThat(four.bufferBytes()).isEqualTo(100 * 4 * 3);
        // Encoded and decoded: three bytes a pixel.
        assertThat(four.decoderBytes()).isBetween(7000L, 7100L);
        assertThat(MemoryPlan.of(100, settings, 4, 5).decoderBytes())
                .isEqualTo(5 * four.decoderBytes());
    }

    @Test
    void shouldReadTheTaskManagersSetting() {
        Configuration configuration = new Configuration();
        assertThat(Limits.ofThisProcess(configuration).taskOffHeapBytes()).isEqualTo(NO_LIMIT);
        configuration.set(TaskManagerOptions.TASK_OFF_HEAP_MEMORY, MemorySize.ofMebiBytes(3));
        Limits limits = Limits.ofThisProcess(configuration);
        assertThat(limits.taskOffHeapBytes()).isEqualTo(3 * MB);
        assertThat(limits.directBytes()).isPositive();
        assertThat(limits.decoderBytes()).isPositive();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.streaming.MemoryPlan.Limits;
import io.sightline.vision.FrameLimits;
import io.sightline.vision.NativeMemory;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.junit.jupiter.api.Test;

/** A task manager that is too small says which setting to raise, and to what. */
class MemoryPlanTest {

    private static final long MB = 1 << 20;
    private static final long NO_LIMIT = Long.MAX_VALUE;

    private static final BackendFactory ESTIMATES =
            new BackendFactory() {
                @Override
                public String backend() {
                    return "estimates";
                }

                @Override
                public List<InferenceBackend> open(int lanes) {
                    throw new AssertionError("nothing is to be opened");
                }

                @Override
                public long estimatedProcessBytes() {
                    return 500;
                }

                @Override
                public long estimatedLaneBytes() {
                    return 7;
                }
            };

    private final MemoryPlan plan = new MemoryPlan(10 * MB, 0, 20 * MB, 40 * MB);

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
    void shouldHoldPinnedBuffersToTheTaskManagersMemoryButNoneOfTheJvm() {
        MemoryPlan pinned = new MemoryPlan(0, 10 * MB, 20 * MB, 40 * MB);
        assertThatCode(() -> pinned.require(new Limits(0, 20 * MB, 70 * MB)))
                .doesNotThrowAnyException();
        assertThatThrownBy(() -> pinned.require(new Limits(0, 20 * MB, 70 * MB - 1)))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("batch buffers 10 mb")
                .hasMessageEndingWith("set it to at least 70 mb");
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
        FrameLimits frames = new FrameLimits(1000, 2000);
        InferenceBackend lane = FakeBackendFactory.create().open(1).get(0);
        MemoryPlan four = MemoryPlan.of(ESTIMATES, 4, frames, 1);
        assertThat(four.withBuffers(lane, 12).bufferBytes())
                .isEqualTo(lane.bufferBytes() * 12)
                .isPositive();
        assertThat(four.withBuffers(lane, 12).pinnedBytes()).isZero();
        // Encoded and decoded: three bytes a pixel.
        assertThat(four.decoderBytes()).isBetween(7000L, 7100L);
        assertThat(MemoryPlan.of(ESTIMATES, 4, frames, 5).decoderBytes())
                .isEqualTo(5 * four.decoderBytes());
    }

    @Test
    void shouldCountTheProcessOnceAndEveryLane() {
        FrameLimits frames = new FrameLimits(1000, 2000);
        assertThat(MemoryPlan.of(ESTIMATES, 1, frames, 2).engineBytes()).isEqualTo(507);
        assertThat(MemoryPlan.of(ESTIMATES, 8, frames, 2).engineBytes()).isEqualTo(556);
    }

    @Test
    void shouldSayWhatIsMissingBeforeItKnowsTheBuffers() {
        assertThatThrownBy(
                        () ->
                                new MemoryPlan(0, 0, 20 * MB, 40 * MB)
                                        .require(new Limits(NO_LIMIT, NO_LIMIT, 50 * MB)))
                .isInstanceOf(InferenceException.class)
                .hasMessage(
                        "detect needs 60 mb outside the heap (beside batch buffers: decoders 20 mb,"
                                + " engines about 40 mb), but taskmanager.memory.task.off-heap.size"
                                + " is 50 mb: set it to more than 60 mb");
    }

    @Test
    void shouldNotCountDirectMemoryThatIsGarbage() {
        Configuration configuration = new Configuration();
        long free = Limits.ofThisProcess(configuration).directBytes();
        leaveGarbage((int) (32 * MB));
        assertThatCode(
                        () ->
                                new MemoryPlan(free - 16 * MB, 0, 0, 0)
                                        .requireOfThisProcess(configuration))
                .doesNotThrowAnyException();
    }

    private static void leaveGarbage(int bytes) {
        assertThat(ByteBuffer.allocateDirect(bytes).capacity()).isEqualTo(bytes);
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

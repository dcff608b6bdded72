// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.GpuUsage;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.inference.testing.FakeBackend;
import io.sightline.vision.Interpolation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.externalresource.ExternalResourceInfo;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.runtime.clusterframework.types.ResourceID;
import org.apache.flink.runtime.executiongraph.ExecutionAttemptID;
import org.apache.flink.runtime.metrics.groups.TaskManagerMetricGroup;
import org.apache.flink.runtime.metrics.groups.TaskMetricGroup;
import org.apache.flink.runtime.metrics.util.TestingMetricRegistry;
import org.apache.flink.runtime.operators.testutils.MockEnvironmentBuilder;
import org.apache.flink.runtime.util.TestingTaskManagerRuntimeInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the operator makes of the GPUs that Flink assigns; the engines are fakes. */
@Timeout(60)
class GpuLanesTest {

    /** The GPU of every lane, in the order of opening, for each test's factory. */
    private static final List<Integer> OPENED = new CopyOnWriteArrayList<>();

    private static final long MB = 1 << 20;

    /** Where Flink assigns none. */
    private static final List<Integer> SUBMITTED = List.of(5);

    private final Map<String, Metric> metrics = new TreeMap<>();
    private final Configuration taskManager = new Configuration();

    /** One lane a GPU, each with a history of its own. */
    private record GpuFactory(List<Integer> gpus) implements BackendFactory {
        @Override
        public String backend() {
            return "fake";
        }

        @Override
        public int defaultLanes() {
            return gpus.size();
        }

        @Override
        public BackendFactory onGpus(List<Integer> devices) {
            return devices.isEmpty() ? this : new GpuFactory(devices);
        }

        @Override
        public List<InferenceBackend> open(int lanes) {
            List<InferenceBackend> backends = new ArrayList<>();
            for (int i = 0; i < lanes; i++) {
                int gpu = gpus.get(i % gpus.size());
                OPENED.add(gpu);
                backends.add(
                        new FakeBackend(FakeBackend.spec(32, 32, 2), run -> false, null)
                                .reporting(
                                        new GpuUsage(
                                                gpu, 2_000_000, 3_000_000, 5_000_000, 77, 40 + i)));
            }
            return backends;
        }

        @Override
        public long estimatedProcessBytes() {
            return 64 * MB;
        }

        @Override
        public long estimatedLaneBytes() {
            return gpus.equals(SUBMITTED) ? 0 : 8 * MB;
        }
    }

    private record Gpu(String index) implements ExternalResourceInfo {
        @Override
        public Optional<String> getProperty(String key) {
            return key.equals("index") ? Optional.of(index) : Optional.empty();
        }

        @Override
        public Collection<String> getKeys() {
            return List.of("index");
        }
    }

    private DetectHarness open(int lanes, Gpu... assigned) throws Exception {
        OPENED.clear();
        TestingMetricRegistry registry =
                TestingMetricRegistry.builder()
                        .setRegisterConsumer(
                                (metric, name, group) -> {
                                    String full = group.getMetricIdentifier(name);
                                    int start = full.indexOf(".taskManager.gpu.");
                                    if (start >= 0) {
                                        metrics.put(full.substring(start + 17), metric);
                                    }
                                })
                        .build();
        TaskMetricGroup task =
                TaskManagerMetricGroup.createTaskManagerMetricGroup(
                                registry, "host", ResourceID.generate())
                        .addJob(new JobID(), "job")
                        .addTask(ExecutionAttemptID.randomId(), "task");
        DetectHarness harness =
                new DetectHarness(
                        new DetectSettings(
                                new GpuFactory(SUBMITTED),
                                lanes,
                                2,
                                Duration.ZERO,
                                null,
                                null,
                                Interpolation.LINEAR,
                                1 << 20,
                                1 << 20,
                                16,
                                1 << 20,
                                3,
                                OverloadSettings.PROCESS_ALL,
                                Duration.ofSeconds(10),
                                Duration.ofSeconds(5)),
                        new MockEnvironmentBuilder()
                                .setMetricGroup(task)
                                .setTaskManagerRuntimeInfo(
                                        new TestingTaskManagerRuntimeInfo(taskManager))
                                .setExternalResourceInfoProvider(
                                        name -> name.equals("gpu") ? Set.of(assigned) : Set.of()));
        harness.open();
        return harness;
    }

    private long number(String name) {
        assertThat(metrics).containsKey(name);
        return ((Number) ((Gauge<?>) metrics.get(name)).getValue()).longValue();
    }

    @Test
    void shouldOpenALaneOnEveryAssignedGpu() throws Exception {
        open(0, new Gpu("2"), new Gpu("0")).close();
        assertThat(OPENED).containsExactly(0, 2);
    }

    @Test
    void shouldKeepToItsOwnGpuWhereFlinkAssignsNone() throws Exception {
        open(0).close();
        assertThat(OPENED).containsExactly(5);
    }

    @Test
    void shouldPlanMemoryForTheLanesItWillHaveBeforeItOpensOne() throws Exception {
        Gpu[] gpus = {new Gpu("0"), new Gpu("1"), new Gpu("2"), new Gpu("3")};
        taskManager.set(TaskManagerOptions.TASK_OFF_HEAP_MEMORY, new MemorySize(96 * MB));
        assertThatThrownBy(() -> open(0, gpus))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("engines about 96 mb");
        assertThat(OPENED).isEmpty();

        taskManager.set(TaskManagerOptions.TASK_OFF_HEAP_MEMORY, new MemorySize(128 * MB));
        open(0, gpus).close();
        assertThat(OPENED).containsExactly(0, 1, 2, 3);
    }

    @Test
    void shouldMeasureEachGpuOverAllOfItsLanes() throws Exception {
        try (DetectHarness harness = open(3, new Gpu("0"), new Gpu("1"))) {
            assertThat(OPENED).containsExactly(0, 1, 0);
            assertThat(number("0.copyMillis")).isEqualTo(4);
            assertThat(number("0.queueMillis")).isEqualTo(6);
            assertThat(number("0.computeMillis")).isEqualTo(10);
            assertThat(number("0.deviceBytes")).isEqualTo(77);
            assertThat(number("0.utilisationPercent")).isEqualTo(42);
            assertThat(number("1.copyMillis")).isEqualTo(2);
            assertThat(number("1.utilisationPercent")).isEqualTo(41);
        }
    }
}

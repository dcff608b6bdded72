// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.CameraStatus;
import io.sightline.events.DeadLetter;
import io.sightline.events.DetectionEvent;
import io.sightline.events.FrameRecord;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.runtime.metrics.groups.TaskMetricGroup;
import org.apache.flink.runtime.operators.testutils.MockEnvironmentBuilder;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;

/** One subtask of the operator; those of one test class are of one job and share their lanes. */
final class DetectHarness extends OneInputStreamOperatorTestHarness<FrameRecord, DetectionEvent> {

    private static final JobID JOB = new JobID();

    DetectHarness(DetectSettings settings) throws Exception {
        this(settings, new MockEnvironmentBuilder());
    }

    /**
     * @param metrics where the operator registers its metrics
     */
    DetectHarness(DetectSettings settings, TaskMetricGroup metrics) throws Exception {
        this(settings, new MockEnvironmentBuilder().setMetricGroup(metrics));
    }

    private DetectHarness(DetectSettings settings, MockEnvironmentBuilder environment)
            throws Exception {
        super(
                new DetectOperatorFactory(settings),
                TypeInformation.of(FrameRecord.class).createSerializer(new SerializerConfigImpl()),
                environment.setJobID(JOB).build());
        getExecutionConfig().enableObjectReuse();
    }

    void process(FrameRecord frame) throws Exception {
        processElement(new StreamRecord<>(frame, frame.timestampMillis()));
    }

    List<DetectionEvent> events() {
        return extractOutputValues();
    }

    List<DeadLetter> deadLetters() {
        return sideOutput(DetectOperator.DEAD_LETTERS);
    }

    List<CameraStatus> statuses() {
        return sideOutput(DetectOperator.CAMERA_STATUS);
    }

    private <T> List<T> sideOutput(OutputTag<T> tag) {
        ConcurrentLinkedQueue<StreamRecord<T>> records = getSideOutput(tag);
        return records == null ? List.of() : records.stream().map(StreamRecord::getValue).toList();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent;
import io.sightline.job.LivePipeline.Job;
import io.sightline.job.LivePipeline.Topics;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What consumers get when engines fail amid the stream. */
@Timeout(180)
class DeliveryIT {

    private static final int CAMERAS = 4;

    @RegisterExtension static final LivePipeline PIPELINE = new LivePipeline();

    /**
     * Three times: a checkpoint, frames whose events are out but in no checkpoint, and a failure of
     * one lane amid further ones. Both subtasks use that lane.
     */
    @ParameterizedTest
    @ValueSource(strings = {"at-least-once", "exactly-once"})
    void shouldLoseNothingWhereEventsAreOutThatNoCheckpointHolds(String delivery) throws Exception {
        int failures = 3;
        int step = 50;
        Topics topics = PIPELINE.topics(CAMERAS);
        Job job =
                PIPELINE.start(
                        topics,
                        "--parallelism=2",
                        "--lanes=2",
                        "--max-batch=4",
                        "--delivery=" + delivery,
                        // The test triggers them.
                        "--checkpoint-interval=5min");
        int frames = 0;
        List<Integer> restarts;
        try (EventReader all = topics.uncommitted()) {
            for (int i = 1; i <= failures; i++) {
                topics.produce(CAMERAS, frames, frames += step);
                all.awaitFrames(frames * CAMERAS);
                job.checkpoint();
                topics.produce(CAMERAS, frames, frames += step);
                all.awaitFrames(frames * CAMERAS);
                job.engine.failInRun(step / 2);
                topics.produce(CAMERAS, frames, frames += step);
                all.awaitFrames(frames * CAMERAS);
                assertThat(job.engine.failures()).isEqualTo(i);
                LivePipeline.await("tasks run again", job::running);
            }
            restarts = job.restarts();
            job.stop(/* drain= */ false);
            int written = all.readAll().size();
            // What was out before each failure was written once more.
            assertThat(written).isGreaterThan(frames * CAMERAS);
            System.out.printf(
                    "%s: %d frames, %d lane failures, restarts of the subtasks %s, events written %d%n",
                    delivery, frames * CAMERAS, failures, restarts, written);
        }
        assertThat(restarts).hasSize(2).allSatisfy(n -> assertThat(n).isGreaterThanOrEqualTo(1));
        assertDelivered(topics, delivery, frames);
    }

    @ParameterizedTest
    @ValueSource(strings = {"at-least-once", "exactly-once"})
    void shouldLoseNothingWhereFailuresMeetCheckpointsAnywhere(String delivery) throws Exception {
        int frames = 500;
        int failures = 4;
        Topics topics = PIPELINE.topics(CAMERAS);
        topics.produce(CAMERAS, 0, frames);
        Job job =
                PIPELINE.start(
                        topics,
                        "--parallelism=2",
                        "--lanes=2",
                        "--delivery=" + delivery,
                        "--checkpoint-interval=50ms");
        job.engine.slow(Duration.ofMillis(1));
        long checkpoints;
        try (EventReader all = topics.uncommitted()) {
            for (int i = 1; i <= failures; i++) {
                int failed = i;
                all.awaitFrames(frames * CAMERAS * i / (failures + 2));
                job.engine.failInRun(20);
                LivePipeline.await("a lane fails", () -> job.engine.failures() == failed);
            }
            all.awaitFrames(frames * CAMERAS);
            LivePipeline.await("tasks run again", job::running);
            checkpoints = job.checkpointStats().getCounts().getNumberOfCompletedCheckpoints();
            job.stop(/* drain= */ false);
            System.out.printf(
                    "%s: %d frames, %d lane failures, %d checkpoints, events written %d%n",
                    delivery, frames * CAMERAS, failures, checkpoints, all.readAll().size());
        }
        assertThat(checkpoints).isPositive();
        assertDelivered(topics, delivery, frames);
    }

    private static void assertDelivered(Topics topics, String delivery, int frames) {
        try (EventReader reader = topics.committed()) {
            List<DetectionEvent> events = reader.readAll();
            int doubles = EventReader.assertComplete(events, CAMERAS, frames);
            if (delivery.equals("exactly-once")) {
                assertThat(doubles).isZero();
            }
            System.out.printf("%s: 0 missing, %d doubled%n", delivery, doubles);
        }
    }

    /** A subtask that has nothing to do holds on to a broken lane until frames come for it. */
    @Test
    void shouldRecoverASubtaskThatSlept() throws Exception {
        Topics topics = PIPELINE.topics(2);
        Job job =
                PIPELINE.start(
                        topics, "--parallelism=2", "--lanes=1", "--checkpoint-interval=200ms");
        try (EventReader reader = topics.committed()) {
            topics.produce(1, 0, 50);
            reader.awaitFrames(50);
            job.engine.failInRun(10);
            topics.produce(1, 50, 100);
            reader.awaitFrames(100);
            // Camera 1 now wakes the other subtask.
            topics.produce(2, 100, 150);
            reader.awaitFrames(200);
            LivePipeline.await("tasks run again", job::running);
            assertThat(job.restarts()).hasSize(2).allSatisfy(n -> assertThat(n).isPositive());
            job.stop(/* drain= */ false);
            assertThat(reader.readAll())
                    .allSatisfy(ColourFrames::assertShowsItsFrame)
                    .extracting(DetectionEvent::eventId)
                    .satisfies(ids -> assertThat(ids.stream().distinct()).hasSize(200));
        }
    }
}

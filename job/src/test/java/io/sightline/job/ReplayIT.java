// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent;
import io.sightline.job.LivePipeline.Topics;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Which frames a job reads, and in which order. */
@Timeout(180)
class ReplayIT {

    @RegisterExtension static final LivePipeline PIPELINE = new LivePipeline();

    @Test
    void shouldGiveTheSameEventsForARangeOfOffsets() throws Exception {
        Topics topics = PIPELINE.topics(2);
        topics.produce(2, 0, 100);
        PIPELINE.start(topics, "--until=latest", "--parallelism=2", "--checkpoint-interval=100ms")
                .awaitEnd(JobStatus.FINISHED);
        Topics replayed = PIPELINE.replayOf(topics);
        PIPELINE.start(
                        replayed,
                        "--from=0:10,1:25",
                        "--until=0:40,1:26",
                        "--parallelism=1",
                        "--max-batch=8",
                        "--checkpoint-interval=100ms")
                .awaitEnd(JobStatus.FINISHED);

        Map<String, DetectionEvent> first;
        try (EventReader reader = topics.committed()) {
            List<DetectionEvent> events = reader.readAll();
            assertThat(EventReader.assertComplete(events, 2, 100)).isZero();
            first =
                    events.stream()
                            .collect(
                                    Collectors.toMap(DetectionEvent::eventId, Function.identity()));
        }
        try (EventReader reader = replayed.committed()) {
            List<DetectionEvent> events = reader.readAll();
            assertThat(events)
                    .extracting(e -> e.source().partition() + ":" + e.source().offset())
                    .containsExactlyInAnyOrderElementsOf(
                            Stream.concat(
                                            IntStream.range(10, 40).mapToObj(o -> "0:" + o),
                                            Stream.of("1:25"))
                                    .toList());
            assertThat(events)
                    .allSatisfy(
                            e ->
                                    assertThat(EventReader.withoutTiming(e))
                                            .isEqualTo(
                                                    EventReader.withoutTiming(
                                                            first.get(e.eventId()))));
        }
    }

    /**
     * All frames lie in the topic, and one consumer reads it. A fetch brings it at most {@code
     * fetch-bytes} of a partition, n = fetch-bytes / least bytes of a frame, and it asks a
     * partition for more only when it has handed on all it had of it. There is one request under
     * way at a time: while that of a quiet partition waits behind another, the flood may have had
     * its turn and another one. So between two frames of a camera come at most 2 · n of any other.
     */
    @Test
    void shouldInterleaveTheOtherCamerasWithAFlood() throws Exception {
        int cameras = 4;
        int flood = 2_000;
        int quiet = 100;
        int fetchBytes = 8 * 1024;
        Topics topics = PIPELINE.topics(cameras, 1);
        topics.produce(
                Stream.concat(
                        IntStream.range(0, flood)
                                .mapToObj(s -> topics.frame(0, 0, s, ColourFrames.jpeg(0, s))),
                        IntStream.range(0, quiet * (cameras - 1))
                                .mapToObj(
                                        i -> {
                                            int camera = 1 + i % (cameras - 1);
                                            int seq = i / (cameras - 1);
                                            return topics.frame(
                                                    camera,
                                                    camera,
                                                    seq,
                                                    ColourFrames.jpeg(camera, seq));
                                        })));
        int leastFrame =
                IntStream.range(0, 256)
                        .map(s -> ColourFrames.jpeg(0, s).length)
                        .min()
                        .orElseThrow();
        int bound = 2 * (fetchBytes / leastFrame);
        PIPELINE.start(
                        topics,
                        "--until=latest",
                        "--parallelism=1",
                        "--fetch-bytes=" + fetchBytes,
                        "--checkpoint-interval=200ms")
                .awaitEnd(JobStatus.FINISHED);

        List<DetectionEvent> events;
        try (EventReader reader = topics.committed()) {
            events = reader.readAll();
        }
        assertThat(events).hasSize(flood + quiet * (cameras - 1));
        int floodSoFar = 0;
        int longest = 0;
        Map<String, Integer> floodAtLast = new HashMap<>();
        for (DetectionEvent event : events) {
            ColourFrames.assertShowsItsFrame(event);
            if (event.cameraId().equals(ColourFrames.camera(0))) {
                floodSoFar++;
            } else {
                int before = floodAtLast.getOrDefault(event.cameraId(), 0);
                longest = Math.max(longest, floodSoFar - before);
                floodAtLast.put(event.cameraId(), floodSoFar);
            }
        }
        System.out.printf(
                "a flood of %d frames beside %d of each other camera: at most %d of the flood between two frames of a camera"
                        + " (bound %d), the others' last frames after %s of it%n",
                flood, quiet, longest, bound, floodAtLast);
        assertThat(longest).isLessThanOrEqualTo(bound);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.EventId;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventLogTest {

    private static final String SHA256 = "0".repeat(64);

    private final DetectionEventCodec codec = new DetectionEventCodec();
    private final List<DetectionEvent> heard = new ArrayList<>();
    private EventLog log;

    @BeforeEach
    void open() throws Exception {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        log = new EventLog(null, 0.5f, heard::add, nowhere);
    }

    @AfterEach
    void close() throws Exception {
        log.close();
    }

    @Test
    void shouldTellEventsThatComeOnceMore() throws Exception {
        take("a", 0, 0, 10);
        take("b", 0, 1, 10);
        take("a", 1, 0, 10);
        take("a", 0, 3, 10);
        // Cameras of a partition may overtake each other, a camera's frames may not.
        take("b", 0, 2, 10);
        take("a", 0, 0, 999);
        take("b", 0, 2, 999);
        assertThat(log.received()).isEqualTo(5);
        assertThat(heard)
                .extracting(event -> event.source().offset())
                .containsExactly(0L, 1L, 0L, 3L, 2L);
        EventLog.Summary summary = log.summary(5);
        assertThat(summary.doubles()).isEqualTo(2);
        assertThat(summary.lost()).isZero();
        assertThat(summary.p99()).isEqualTo(10);
    }

    @Test
    void shouldGivePercentilesByNearestRank() throws Exception {
        for (int i = 0; i < 100; i++) {
            take("a", 0, i, 7L * ((i * 37) % 100 + 1));
        }
        EventLog.Summary summary = log.summary(100);
        assertThat(summary.p50()).isEqualTo(7 * 50);
        assertThat(summary.p95()).isEqualTo(7 * 95);
        assertThat(summary.p99()).isEqualTo(7 * 99);
    }

    @Test
    void shouldTakeLatenciesThatAreOutOfScale() throws Exception {
        assertThat(log.summary(0).p99()).isZero();
        take("a", 0, 0, -5);
        take("a", 0, 1, Long.MAX_VALUE);
        EventLog.Summary summary = log.summary(2);
        assertThat(summary.p50()).isZero();
        assertThat(summary.p99()).isEqualTo(600_000);
    }

    private void take(String camera, int partition, long offset, long millis) throws Exception {
        log.event(
                codec.encode(
                        new DetectionEvent(
                                DetectionEvent.SCHEMA,
                                EventId.of("frames", partition, offset, SHA256),
                                camera,
                                0,
                                offset,
                                "2026-11-23T10:00:00.000Z",
                                new DetectionEvent.Source("frames", partition, offset),
                                new DetectionEvent.Image(640, 480),
                                new DetectionEvent.Model("model", SHA256, "int8", "onnxruntime"),
                                List.of(),
                                new DetectionEvent.Timing(0, 0, 0, 0, 0, 1, millis),
                                null)));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.live.WindowFrame.Picture;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;

class TopicReaderTest {

    private static final TopicPartition EVENTS = new TopicPartition("detections", 0);
    private static final FrameKey KEY = new FrameKey(3, 991);

    private final SettableClock clock = new SettableClock();
    private final AtomicBoolean fails = new AtomicBoolean();
    private final FrameWindow window =
            new FrameWindow(
                    new WindowLimits(10, 1 << 20, 4, Duration.ofSeconds(2)),
                    () -> {
                        if (fails.getAndSet(false)) {
                            throw new IllegalStateException("a record that nobody thought of");
                        }
                        return clock.instant();
                    });

    @Test
    void shouldGoOnWithTheRecordsBehindOneThatItCannotTake() {
        window.frame(KEY, TestFrames.frame("gate", 10), "image/jpeg");
        String json = TestFrames.json(KEY, "gate", List.of());
        fails.set(true);
        try (TopicReader reader =
                new TopicReader(
                        Map.of("bootstrap.servers", "127.0.0.1:9"),
                        new Topics("camera-frames", "detections", "dead-letters", "camera-status"),
                        window,
                        new Viewers(Duration.ofSeconds(30)),
                        clock)) {
            reader.take(
                    new ConsumerRecords<>(
                            Map.of(EVENTS, List.of(event(0, json), event(1, json))), Map.of()));

            assertThat(fails).isFalse();
            Picture picture = window.picture("gate", KEY);
            assertThat(new String(picture.header(), StandardCharsets.UTF_8)).contains(json);
            assertThat(reader.skipped()).isEqualTo(1);
        }
    }

    private static ConsumerRecord<byte[], byte[]> event(long offset, String json) {
        return new ConsumerRecord<>(
                EVENTS.topic(),
                EVENTS.partition(),
                offset,
                null,
                json.getBytes(StandardCharsets.UTF_8));
    }
}

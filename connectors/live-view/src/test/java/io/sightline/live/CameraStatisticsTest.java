// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CameraStatisticsTest {

    private long now = 1_000_000;
    private final CameraStatistics statistics = new CameraStatistics(now);

    @Test
    void shouldTellTheRateOfTheLastSeconds() {
        frames(50, 200);
        assertThat(statistics.framesPerSecond(now)).isEqualTo(5, within(0.01));
        frames(300, 40);
        assertThat(statistics.framesPerSecond(now)).isEqualTo(25, within(0.01));
        assertThat(statistics.frames()).isEqualTo(350);
    }

    @Test
    void shouldTellNoRateOfASingleFrame() {
        frames(1, 0);
        assertThat(statistics.framesPerSecond(now)).isZero();
    }

    @Test
    void shouldBeSilentThreeSecondsAfterTheLastFrameOfAFastCamera() {
        frames(50, 200);
        now += 3_000;
        assertThat(statistics.silent(now)).isFalse();
        now += 1;
        assertThat(statistics.silent(now)).isTrue();
        assertThat(statistics.framesPerSecond(now)).isZero();
    }

    @Test
    void shouldGiveASlowCameraFiveOfItsIntervals() {
        frames(10, 2_000);
        now += 10_000;
        assertThat(statistics.silent(now)).isFalse();
        now += 1;
        assertThat(statistics.silent(now)).isTrue();
    }

    @Test
    void shouldNotTakeOnePauseForTheUsualInterval() {
        frames(20, 200);
        now += 3_600_000;
        frames(3, 200);
        assertThat(statistics.silent(now)).isFalse();
        now += 3_001;
        assertThat(statistics.silent(now)).isTrue();
    }

    @Test
    void shouldBeSilentWhereOnlyEventsAreHeard() {
        event(20);
        assertThat(statistics.silent(now + 3_000)).isFalse();
        assertThat(statistics.silent(now + 3_001)).isTrue();
        assertThat(statistics.lastCaptureMillis()).isNull();
    }

    @Test
    void shouldRankTheLatenciesOfTheLastMinute() {
        event(9_999);
        now += 60_000;
        assertThat(statistics.latency(now)).isNull();
        for (int latency : IntStream.rangeClosed(1, 100).toArray()) {
            event(latency);
        }
        assertThat(statistics.latency(now)).isEqualTo(new CameraStatistics.Latency(50, 95));
    }

    @Test
    void shouldKeepTheNewestOfMoreLatenciesThanItHolds() {
        for (int i = 0; i < 10_000; i++) {
            event(i < 5_000 ? 1_000 : 10);
        }
        assertThat(statistics.latency(now)).isEqualTo(new CameraStatistics.Latency(10, 10));
        assertThat(statistics.events()).isEqualTo(10_000);
    }

    @Test
    void shouldCountObjectsByLabelAndSecond() {
        event(10, "person", "person", "car");
        now += 1_000;
        event(10, "person");
        assertThat(statistics.counts(now)).containsOnlyKeys("person", "car");
        assertThat(lastTwo(statistics.counts(now).get("person"))).containsExactly(2, 1);
        assertThat(lastTwo(statistics.counts(now).get("car"))).containsExactly(1, 0);
        assertThat(lastTwo(statistics.eventBuckets(now))).containsExactly(1, 1);
        now += 59_000;
        assertThat(statistics.counts(now)).containsOnlyKeys("person");
    }

    @Test
    void shouldHoldFewLabelsHoweverManyThereAre() {
        for (int i = 0; i < 1_000; i++) {
            event(10, "label " + i);
        }
        assertThat(statistics.counts(now))
                .hasSize(CameraStatistics.MAX_LABELS)
                .containsKey(CameraStatistics.OTHER_LABELS);
        assertThat(
                        statistics.counts(now).values().stream()
                                .mapToInt(values -> Arrays.stream(values).sum())
                                .sum())
                .isEqualTo(1_000);
        now += 61_000;
        event(10, "fresh", "x".repeat(10_000));
        assertThat(statistics.counts(now))
                .hasSize(2)
                .containsKey("fresh")
                .containsKey("x".repeat(CameraStatistics.MAX_LABEL_CHARS) + "…");
    }

    private void frames(int count, long intervalMillis) {
        for (int i = 0; i < count; i++) {
            now += intervalMillis;
            statistics.frame(now, now - 20);
        }
    }

    private void event(long latencyMillis, String... labels) {
        List<DetectedObject> objects =
                Arrays.stream(labels)
                        .map(l -> new DetectedObject(0, l, 0.5, new BoundingBox(0, 0, 1, 1)))
                        .toList();
        statistics.event(now, now - latencyMillis, latencyMillis, objects);
    }

    private static int[] lastTwo(int[] values) {
        return new int[] {values[values.length - 2], values[values.length - 1]};
    }
}

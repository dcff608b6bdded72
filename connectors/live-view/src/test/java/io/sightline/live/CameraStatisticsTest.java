// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.live.CameraStatistics.Condition;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CameraStatisticsTest {

    private static final long JOIN_TIMEOUT_MILLIS = 12_000;

    private long now = 1_000_000;
    private final CameraStatistics statistics =
            new CameraStatistics(now, Duration.ofMillis(JOIN_TIMEOUT_MILLIS));

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
        assertThat(isSilent(now)).isFalse();
        now += 1;
        assertThat(isSilent(now)).isTrue();
        assertThat(statistics.framesPerSecond(now)).isZero();
    }

    @Test
    void shouldGiveASlowCameraFiveOfItsIntervals() {
        frames(10, 2_000);
        now += 10_000;
        assertThat(isSilent(now)).isFalse();
        now += 1;
        assertThat(isSilent(now)).isTrue();
    }

    @Test
    void shouldNotTakeOnePauseForTheUsualInterval() {
        frames(20, 200);
        now += 3_600_000;
        frames(3, 200);
        assertThat(isSilent(now)).isFalse();
        now += 3_001;
        assertThat(isSilent(now)).isTrue();
    }

    @Test
    void shouldBeSilentWhereOnlyEventsAreHeard() {
        event(20);
        assertThat(isSilent(now + 3_000)).isFalse();
        assertThat(isSilent(now + 3_001)).isTrue();
        assertThat(statistics.lastCaptureMillis()).isNull();
        assertThat(statistics.lastFrameMillis()).isNull();
    }

    @Test
    void shouldTellWhatIsWrongByTheClockOfTheServerAlone() {
        frames(20, 200, Long.MAX_VALUE);
        event(0);
        frames(15 + (int) JOIN_TIMEOUT_MILLIS / 200, 200, Long.MIN_VALUE + 1);
        assertThat(statistics.condition(now)).isEqualTo(Condition.LIVE);
        frames(1, 200, 0);
        assertThat(statistics.condition(now)).isEqualTo(Condition.NO_EVENTS);
        statistics.deadLetter(now);
        assertThat(statistics.condition(now)).isEqualTo(Condition.FAILING);
        event(0);
        assertThat(statistics.condition(now)).isEqualTo(Condition.LIVE);
        now += 3_001;
        assertThat(statistics.condition(now)).isEqualTo(Condition.SILENT);
        assertThat(statistics.lastFrameMillis()).isEqualTo(now - 3_001);
        assertThat(statistics.lastEventMillis()).isEqualTo(now - 3_001);
    }

    @Test
    void shouldWaitForTheEventsOfASlowCamera() {
        for (int i = 0; i < 20; i++) {
            frames(1, 10_000);
            event(9_000);
            if (i > 0) {
                assertThat(statistics.condition(now)).isEqualTo(Condition.LIVE);
                assertThat(statistics.condition(now + 9_999)).isEqualTo(Condition.LIVE);
                assertThat(statistics.framesPerSecond(now)).isEqualTo(0.1, within(0.001));
            }
        }
    }

    @Test
    void shouldWaitForEventsThatComeWithACheckpointOnly() {
        for (int i = 1; i <= 200; i++) {
            frames(1, 200);
            if (i % 50 == 0) {
                IntStream.range(0, 50).forEach(frame -> event(12));
            }
            assertThat(statistics.condition(now)).isEqualTo(Condition.LIVE);
        }
        frames(1 + (int) (3_000 + JOIN_TIMEOUT_MILLIS) / 200, 200);
        assertThat(statistics.condition(now)).isEqualTo(Condition.NO_EVENTS);
        statistics.deadLetter(now);
        frames((int) (3_000 + JOIN_TIMEOUT_MILLIS) / 200, 200);
        assertThat(statistics.condition(now)).isEqualTo(Condition.FAILING);
    }

    @Test
    void shouldCallACameraFailingAllWhoseFramesAreRejected() {
        for (int i = 0; i < 20; i++) {
            now += 10_000;
            statistics.arrived(now);
            statistics.deadLetter(now);
            assertThat(statistics.condition(now)).isEqualTo(Condition.FAILING);
        }
        assertThat(statistics.condition(now + 9_999)).isEqualTo(Condition.FAILING);
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

    private boolean isSilent(long at) {
        return statistics.condition(at) == Condition.SILENT;
    }

    private void frames(int count, long intervalMillis) {
        frames(count, intervalMillis, 0);
    }

    private void frames(int count, long intervalMillis, long captureMillis) {
        for (int i = 0; i < count; i++) {
            now += intervalMillis;
            statistics.frame(now, captureMillis);
        }
    }

    private void event(long latencyMillis, String... labels) {
        List<DetectedObject> objects =
                Arrays.stream(labels)
                        .map(l -> new DetectedObject(0, l, 0.5, new BoundingBox(0, 0, 1, 1)))
                        .toList();
        statistics.event(now, latencyMillis, objects);
    }

    private static int[] lastTwo(int[] values) {
        return new int[] {values[values.length - 2], values[values.length - 1]};
    }
}

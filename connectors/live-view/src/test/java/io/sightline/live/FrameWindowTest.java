// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.live.FrameWindow.CameraState;
import io.sightline.live.FrameWindow.Expired;
import io.sightline.live.FrameWindow.Joined;
import io.sightline.live.WindowFrame.Picture;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class FrameWindowTest {

    private static final FrameKey KEY = new FrameKey(3, 991);

    private final SettableClock clock = new SettableClock();
    private final FrameWindow window = window(10, 1 << 20, 4);

    @Test
    void shouldJoinAFrameWithTheEventThatFollows() throws IOException {
        assertThat(take(KEY, "gate", 100)).isNull();
        assertThat(window.newest("gate")).isNull();
        assertThat(window.answer(TestFrames.event(KEY, "gate", "person")))
                .isEqualTo(Joined.FRAME_READY);

        Picture picture = window.newest("gate");
        JsonNode header = new ObjectMapper().readTree(picture.header());
        assertThat(header.get("camera").asText()).isEqualTo("gate");
        assertThat(header.get("key").asText()).isEqualTo("3-991");
        assertThat(header.get("partition").asInt()).isEqualTo(3);
        assertThat(header.get("offset").asLong()).isEqualTo(991);
        assertThat(header.get("seq").asLong()).isEqualTo(7);
        assertThat(header.get("capture_time_ms").asLong()).isEqualTo(1_000_000);
        assertThat(header.get("content_type").asText()).isEqualTo("image/png");
        assertThat(header.at("/event/objects/0/label").asText()).isEqualTo("person");
        assertThat(header.get("dead_letter").isNull()).isTrue();
        assertThat(picture.image()).hasSize(100);
        assertThat(window.picture("gate", KEY).index()).isEqualTo(picture.index());
        assertThat(window.picture("other", KEY)).isNull();
    }

    @Test
    void shouldJoinAFrameWithTheEventThatWasThereBefore() {
        assertThat(window.answer(TestFrames.event(KEY, "gate"))).isEqualTo(Joined.EARLY);
        assertThat(take(KEY, "gate", 100)).isNotNull();
        clock.pass(10_000);
        assertThat(window.expire().answers()).isEmpty();
        assertThat(state("gate").events()).isEqualTo(1);
    }

    @Test
    void shouldJoinAFrameWithItsDeadLetter() throws IOException {
        take(KEY, "gate", 100);
        assertThat(window.answer(TestFrames.deadLetter(KEY, "gate"))).isEqualTo(Joined.FRAME_READY);
        JsonNode header = new ObjectMapper().readTree(window.newest("gate").header());
        assertThat(header.get("event").isNull()).isTrue();
        assertThat(header.at("/dead_letter/stage").asText()).isEqualTo("decode");
        assertThat(header.at("/dead_letter/reason").asText()).isEqualTo("corrupt");
        assertThat(header.at("/dead_letter/message").asText()).isEqualTo("it is broken");
        assertThat(state("gate").deadLetters()).isEqualTo(1);
    }

    @Test
    void shouldShowAFrameWithoutItsEventAfterAWhileAndTakeTheEventLater() throws IOException {
        take(KEY, "gate", 100);
        clock.pass(1_999);
        assertThat(window.expire().frames()).isEmpty();
        clock.pass(1);
        assertThat(window.expire().frames()).hasSize(1);
        assertThat(window.expire().frames()).isEmpty();
        assertThat(window.answer(TestFrames.event(KEY, "gate", "car"))).isEqualTo(Joined.LATE);
        JsonNode header = new ObjectMapper().readTree(window.picture("gate", KEY).header());
        assertThat(header.at("/event/objects/0/label").asText()).isEqualTo("car");
    }

    @Test
    void shouldNotOfferAFrameThatANewerOneHasOvertaken() {
        FrameKey newer = new FrameKey(3, 992);
        take(KEY, "gate", 100);
        take(newer, "gate", 100);
        window.answer(TestFrames.event(newer, "gate"));
        clock.pass(2_000);
        assertThat(window.expire().frames()).isEmpty();
        assertThat(window.pictures("gate")).hasSize(2);
    }

    @Test
    void shouldShowADroppedFrameAsSuchAndTakeAnEventForItAllTheSame() throws IOException {
        take(KEY, "gate", 100);
        assertThat(window.status(TestFrames.superseded("gate", KEY))).hasSize(1);
        assertThat(window.status(TestFrames.superseded("gate", KEY))).isEmpty();
        clock.pass(2_000);
        assertThat(window.expire().frames()).isEmpty();
        assertThat(header(KEY).get("dropped").asText()).isEqualTo("superseded");
        assertThat(header(KEY).get("event").isNull()).isTrue();
        // A job that failed decides anew.
        assertThat(window.answer(TestFrames.event(KEY, "gate"))).isEqualTo(Joined.LATE);
        window.status(TestFrames.superseded("gate", KEY));
        assertThat(header(KEY).get("dropped").isNull()).isTrue();
        assertThat(header(KEY).get("event").isNull()).isFalse();
    }

    @Test
    void shouldTellOfAFrameThatWasShownThatItWasDropped() throws IOException {
        FrameKey newer = new FrameKey(3, 992);
        take(KEY, "gate", 100);
        take(newer, "gate", 100);
        window.answer(TestFrames.event(newer, "gate"));
        clock.pass(2_000);
        window.expire();
        assertThat(window.status(TestFrames.superseded("gate", KEY, newer))).isEmpty();
        assertThat(header(KEY).get("dropped").asText()).isEqualTo("superseded");
        assertThat(header(newer).get("dropped").isNull()).isTrue();
    }

    private JsonNode header(FrameKey key) throws IOException {
        return new ObjectMapper().readTree(window.picture("gate", key).header());
    }

    @Test
    void shouldHearTheJobOnCamerasItKnowsAndKeepNoneForIt() {
        take(KEY, "gate", 100);
        assertThat(state("gate").job()).isNull();
        clock.pass(5_000);
        window.status(TestFrames.status("gate", 1, 10, 4));
        window.status(TestFrames.status("yard", 1, 10, 4));
        assertThat(window.cameras()).hasSize(1);
        assertThat(state("gate").lastSeenMillis()).isEqualTo(clock.millis() - 5_000);
        assertThat(state("gate").job().heardMillis()).isEqualTo(clock.millis());
        assertThat(state("gate").job().now().framesIn()).isEqualTo(10);
    }

    @Test
    void shouldGiveUpAnEventWhoseFrameNeverCame() {
        Answer.Event event = TestFrames.event(KEY, "gate");
        assertThat(window.answer(event)).isEqualTo(Joined.EARLY);
        clock.pass(2_000);
        Expired expired = window.expire();
        assertThat(expired.answers()).containsExactly(event);
        assertThat(state("gate").events()).isEqualTo(1);
    }

    @Test
    void shouldCountAnEventWhoseFrameHasGone() {
        for (int i = 0; i < 11; i++) {
            take(new FrameKey(0, i), "gate", 10);
        }
        assertThat(window.answer(TestFrames.event(new FrameKey(0, 0), "gate")))
                .isEqualTo(Joined.LATE);
        assertThat(state("gate").events()).isEqualTo(1);
    }

    @Test
    void shouldTakeARepeatedEventOnce() {
        take(KEY, "gate", 100);
        window.answer(TestFrames.event(KEY, "gate"));
        assertThat(window.answer(TestFrames.event(KEY, "gate"))).isEqualTo(Joined.REPEATED);
        assertThat(state("gate").events()).isEqualTo(1);
    }

    @Test
    void shouldNotGiveAFrameTheEventOfAnotherCamera() {
        take(KEY, "gate", 100);
        assertThat(window.answer(TestFrames.event(KEY, "yard"))).isEqualTo(Joined.LATE);
        assertThat(window.newest("gate")).isNull();
    }

    @Test
    void shouldCountADeadLetterWithoutACamera() {
        assertThat(window.answer(TestFrames.deadLetter(null, null))).isEqualTo(Joined.LATE);
        assertThat(window.totals().deadLetters()).isEqualTo(1);
        assertThat(window.cameras()).isEmpty();
    }

    @Test
    void shouldKnowACameraAllWhoseFramesAreRejected() {
        window.rejected("gate");
        window.answer(TestFrames.deadLetter(KEY, "gate"));
        window.rejected(null);
        assertThat(window.cameras()).hasSize(1);
        assertThat(state("gate").frames()).isEqualTo(1);
        assertThat(state("gate").condition()).isEqualTo(CameraStatistics.Condition.FAILING);
        assertThat(window.totals().frames()).isEqualTo(2);
    }

    @Test
    void shouldKeepTheNewestFramesInTheirOrder() {
        for (int i = 0; i < 25; i++) {
            take(new FrameKey(0, i), "gate", 10);
            window.answer(TestFrames.event(new FrameKey(0, i), "gate"));
        }
        List<Picture> pictures = window.pictures("gate");
        assertThat(pictures).hasSize(10);
        assertThat(pictures).isSortedAccordingTo((a, b) -> Long.compare(a.index(), b.index()));
        assertThat(pictures.get(9).index()).isEqualTo(window.newest("gate").index());
        assertThat(window.picture("gate", new FrameKey(0, 14))).isNull();
        assertThat(window.picture("gate", new FrameKey(0, 15))).isNotNull();
        assertThat(state("gate").dropped()).isZero();
    }

    @Test
    void shouldForgetTheCameraThatWasNotHeardOfForLongest() {
        for (String camera : List.of("a", "b", "c", "d")) {
            take(new FrameKey(camera.charAt(0), 1), camera, 10);
            clock.pass(1);
        }
        take(new FrameKey('a', 2), "a", 10);
        take(new FrameKey('e', 1), "e", 10);
        assertThat(window.cameras())
                .extracting(CameraState::camera)
                .containsExactly("a", "c", "d", "e");
        assertThat(window.totals().forgottenCameras()).isEqualTo(1);
        assertThat(window.totals().held()).isEqualTo(5);
        assertThat(window.answer(TestFrames.event(new FrameKey('b', 1), "b")))
                .isEqualTo(Joined.LATE);
    }

    @Test
    void shouldTakeTheRoomOfAFloodFromTheCameraThatFloods() {
        FrameWindow small = window(1_000, 100_000, 4);
        for (int i = 0; i < 10; i++) {
            small.frame(new FrameKey(0, i), TestFrames.frame("calm", 1_000), "image/jpeg");
        }
        for (int i = 0; i < 500; i++) {
            small.frame(new FrameKey(1, i), TestFrames.frame("flood", 2_000), "image/jpeg");
        }
        clock.pass(2_000);
        small.expire();
        assertThat(small.pictures("calm")).hasSize(10);
        assertThat(small.pictures("flood")).isNotEmpty();
        CameraState flood = small.cameras().get(1);
        assertThat(flood.camera()).isEqualTo("flood");
        // Of those that were never shown; some go when the others' headers need room.
        assertThat(flood.dropped()).isBetween(400L, 500L - small.pictures("flood").size());
        assertThat(small.totals().dropped()).isEqualTo(flood.dropped());
        assertThat(small.totals().bytes()).isLessThanOrEqualTo(100_000);
    }

    @Test
    void shouldCallAFrameThatWasShownNoDroppedOne() {
        FrameWindow small = window(1_000, 20_000, 4);
        for (int i = 0; i < 50; i++) {
            small.frame(new FrameKey(0, i), TestFrames.frame("gate", 2_000), "image/jpeg");
            small.answer(TestFrames.event(new FrameKey(0, i), "gate"));
        }
        assertThat(small.pictures("gate")).hasSizeLessThan(50);
        assertThat(small.totals().dropped()).isZero();
    }

    @Test
    void shouldNotHoldAFrameThatIsLargerThanAllThereIsRoomFor() {
        FrameWindow small = window(10, 1_000, 4);
        assertThat(small.frame(KEY, TestFrames.frame("gate", 5_000), "image/jpeg")).isNull();
        assertThat(small.answer(TestFrames.event(KEY, "gate"))).isEqualTo(Joined.LATE);
        assertThat(small.totals().bytes()).isZero();
        assertThat(small.totals().dropped()).isEqualTo(1);
        assertThat(small.cameras().get(0).frames()).isEqualTo(1);
    }

    @Test
    void shouldTakeTheFramesOfATopicThatWasMadeAnew() {
        for (int i = 0; i < 3; i++) {
            take(new FrameKey(0, i), "gate", 10);
            window.answer(TestFrames.event(new FrameKey(0, i), "gate"));
        }
        take(new FrameKey(0, 0), "gate", 20);
        assertThat(window.answer(TestFrames.event(new FrameKey(0, 1), "gate")))
                .isEqualTo(Joined.REPEATED);
        assertThat(window.answer(TestFrames.event(new FrameKey(0, 0), "gate")))
                .isEqualTo(Joined.FRAME_READY);
        assertThat(window.newest("gate").image()).hasSize(20);
        assertThat(window.answer(TestFrames.event(new FrameKey(0, 5), "gate")))
                .isEqualTo(Joined.EARLY);
        assertThat(window.pictures("gate")).hasSize(3);
    }

    /** Anything in any order: what comes, the cameras it names, the time that passes. */
    @Property(tries = 60)
    void shouldKeepWithinItsLimitsWhateverComes(
            @ForAll @Size(max = 150) List<@IntRange(max = 9_999) Integer> script) {
        FrameWindow tested = window(5, 20_000, 3);
        long seen = 0;
        for (int step : script) {
            FrameKey key = new FrameKey(step % 2, step / 100);
            String camera = "cam-" + step / 10 % 5;
            switch (step % 5) {
                case 0, 1 -> tested.frame(key, TestFrames.frame(camera, step), "image/jpeg");
                case 2 -> tested.answer(TestFrames.event(key, camera, "person"));
                case 3 -> {
                    tested.answer(TestFrames.deadLetter(key, camera));
                    tested.status(TestFrames.superseded(camera, new FrameKey(0, step / 200)));
                }
                default -> {
                    clock.pass(step % 1_000);
                    tested.expire();
                }
            }
            FrameWindow.Totals totals = tested.totals();
            assertThat(totals.bytes()).isBetween(0L, 20_000L);
            assertThat(totals.cameras()).isLessThanOrEqualTo(3);
            assertThat(totals.held()).isLessThanOrEqualTo(15);
            assertThat(totals.frames()).isGreaterThanOrEqualTo(seen);
            seen = totals.frames();
            for (CameraState state : tested.cameras()) {
                List<Picture> pictures = tested.pictures(state.camera());
                assertThat(pictures.size()).isLessThanOrEqualTo(5);
                Picture newest = tested.newest(state.camera());
                if (pictures.isEmpty()) {
                    assertThat(newest).isNull();
                } else {
                    assertThat(newest.index()).isEqualTo(pictures.get(pictures.size() - 1).index());
                }
            }
        }
        clock.pass(2_000);
        tested.expire();
        assertThat(tested.expire().frames()).isEmpty();
        int ready =
                tested.cameras().stream().mapToInt(c -> tested.pictures(c.camera()).size()).sum();
        assertThat(ready)
                .as("after the timeout every frame held is shown")
                .isEqualTo(tested.totals().held());
    }

    private Picture take(FrameKey key, String camera, int bytes) {
        return window.frame(key, TestFrames.frame(camera, bytes), "image/png");
    }

    private CameraState state(String camera) {
        return window.cameras().stream()
                .filter(state -> state.camera().equals(camera))
                .findFirst()
                .orElseThrow();
    }

    private FrameWindow window(int frames, long bytes, int cameras) {
        return new FrameWindow(
                new WindowLimits(frames, bytes, cameras, Duration.ofSeconds(2)), clock);
    }
}

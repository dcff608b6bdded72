// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.live.KafkaState.Contact;
import io.sightline.live.Messages.Moment;
import io.sightline.live.WindowFrame.Picture;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ViewerTest {

    private final SettableClock clock = new SettableClock();
    private final FrameWindow window =
            new FrameWindow(new WindowLimits(100, 1 << 24, 16, Duration.ofSeconds(2)), clock);
    private final Wire wire = new Wire();
    private final Viewer viewer = new Viewer(window, wire, clock::nanos);
    private long nextOffset;

    /** A network that takes messages when the test says so. */
    private static final class Wire implements Viewer.Connection {
        final List<String> taken = new ArrayList<>();
        final ArrayDeque<Viewer.Completion> underWay = new ArrayDeque<>();
        boolean atOnce;
        boolean cut;

        @Override
        public void send(String text, Viewer.Completion completion) {
            take(text, completion);
        }

        @Override
        public void send(Picture picture, Viewer.Completion completion) {
            String header = new String(picture.header(), StandardCharsets.UTF_8);
            String key = header.replaceAll(".*\"key\":\"0(-\\d+)\".*", "$1");
            take(picture.camera() + key + (picture.image().length == 0 ? " bare" : ""), completion);
        }

        private void take(String what, Viewer.Completion completion) {
            taken.add(what);
            if (atOnce) {
                completion.done(true);
            } else {
                underWay.add(completion);
            }
        }

        @Override
        public void cut() {
            cut = true;
        }
    }

    @Test
    void shouldSendTheNewestOfEachCameraWhenTheNetworkIsFreeAgain() {
        frame("a");
        frame("a");
        frame("b");
        frame("a");
        frame("b");
        assertThat(wire.taken).containsExactly("a-0");
        done();
        done();
        done();
        assertThat(wire.taken).containsExactly("a-0", "a-3", "b-4");
        assertThat(viewer.notSent("a")).isEqualTo(1);
        assertThat(viewer.notSent("b")).isEqualTo(1);
        assertThat(viewer.waiting()).isZero();
    }

    @Test
    void shouldHoldBackACameraWhosePicturesAreNotAcknowledged() {
        wire.atOnce = true;
        for (int i = 0; i < 5; i++) {
            frame("a");
        }
        frame("b");
        assertThat(wire.taken).containsExactly("a-0", "a-1", "b-5");
        assertThat(viewer.notSent("a")).isEqualTo(2);
        viewer.acknowledge(1);
        assertThat(wire.taken).containsExactly("a-0", "a-1", "b-5", "a-4");
        assertThat(viewer.notSent("a")).isEqualTo(2);
    }

    @Test
    void shouldIgnoreAcknowledgementsOfWhatWasNeverSent() {
        wire.atOnce = true;
        for (int i = 0; i < 5; i++) {
            frame("a");
        }
        viewer.acknowledge(3);
        viewer.acknowledge(-1);
        viewer.acknowledge(Long.MAX_VALUE);
        assertThat(wire.taken).hasSize(2);
        viewer.acknowledge(2);
        viewer.acknowledge(2);
        viewer.acknowledge(1);
        assertThat(wire.taken).hasSize(3);
    }

    @Test
    void shouldSendMessagesBeforePicturesAndInTheirOrder() {
        frame("a");
        frame("b");
        viewer.tell("first");
        viewer.tell("second");
        done();
        done();
        done();
        assertThat(wire.taken).containsExactly("a-0", "first", "second", "b-1");
    }

    @Test
    void shouldGreetFirstHoweverLargeTheGreetingIs() {
        String greeting = "x".repeat(Viewer.MAX_WAITING_CHARS + 1);
        wire.atOnce = true;
        viewer.greet(greeting);
        assertThat(wire.taken).isEmpty();
        viewer.tell("first");
        assertThat(wire.taken).containsExactly(greeting, "first");
    }

    @Test
    void shouldSendOnlyTheLastOfTheStatusesThatWaited() {
        frame("a");
        viewer.status(moment());
        viewer.status(moment());
        done();
        done();
        assertThat(wire.taken).hasSize(2);
        assertThat(wire.taken.get(1)).contains("\"type\":\"status\"").contains("\"camera\":\"a\"");
    }

    @Test
    void shouldSendOfCamerasThatAreNotShownWhatIsKnownOnly() {
        wire.atOnce = true;
        viewer.show(Set.of("b"));
        frame("a");
        frame("b");
        assertThat(wire.taken).containsExactly("a-0 bare", "b-1");
        viewer.show(Set.of("a"));
        viewer.acknowledge(3);
        frame("b");
        assertThat(wire.taken).containsExactly("a-0 bare", "b-1", "a-0", "b-2 bare");
        viewer.show(null);
        viewer.acknowledge(4);
        viewer.show(null);
        assertThat(wire.taken).containsExactly("a-0 bare", "b-1", "a-0", "b-2 bare", "b-2");
        assertThat(viewer.notSent("a")).isZero();
        assertThat(viewer.notSent("b")).isZero();
    }

    @Test
    void shouldSendTheNewestAgainOfACameraThatWasNotShownMeanwhile() {
        wire.atOnce = true;
        frame("a");
        frame("b");
        viewer.acknowledge(2);
        viewer.show(Set.of("a"));
        viewer.show(Set.of("a", "b"));
        viewer.acknowledge(3);
        viewer.show(Set.of("a", "b"));
        assertThat(wire.taken).containsExactly("a-0", "b-1", "b-1");
        assertThat(viewer.notSent("a")).isZero();
        assertThat(viewer.notSent("b")).isZero();
    }

    @Test
    void shouldHoldLittleForAViewerThatTakesNothing() {
        String text = "x".repeat(1_000);
        for (int i = 0; i < 5_000; i++) {
            frame("cam-" + i % 16);
            viewer.tell(text);
        }
        viewer.status(moment());
        assertThat(wire.taken).hasSize(1);
        // A note for each camera, and a bounded queue of messages.
        assertThat(viewer.waiting()).isLessThanOrEqualTo(16 + Viewer.MAX_WAITING_CHARS / 1_000);
        assertThat(IntStream.range(0, 16).mapToLong(i -> viewer.notSent("cam-" + i)).sum())
                .isEqualTo(5_000 - 1 - 16);
        clock.pass(7);
        assertThat(viewer.sendingNanos()).isEqualTo(7_000_000);
    }

    @Test
    void shouldNotSendAPictureThatHasLeftTheWindow() {
        FrameWindow tiny =
                new FrameWindow(new WindowLimits(1, 1 << 20, 2, Duration.ofSeconds(2)), clock);
        Viewer watching = new Viewer(tiny, wire, clock::nanos);
        watching.tell("something first");
        FrameKey key = new FrameKey(0, 1);
        tiny.frame(key, TestFrames.frame("a", 10), "image/jpeg");
        tiny.answer(TestFrames.event(key, "a"));
        watching.offer(tiny.newest("a"));
        tiny.frame(new FrameKey(0, 2), TestFrames.frame("a", 10), "image/jpeg");
        done();
        assertThat(wire.taken).containsExactly("something first");
        assertThat(watching.notSent("a")).isEqualTo(1);
    }

    @Test
    void shouldForgetCamerasThatTheWindowForgot() {
        wire.atOnce = true;
        for (int i = 0; i < 100; i++) {
            frame("cam-" + i);
            clock.pass(1);
        }
        viewer.status(moment());
        assertThat(viewer.notSent("cam-0")).isZero();
        assertThat(viewer.waiting()).isZero();
    }

    @Test
    void shouldEndWhereTheNetworkFails() {
        frame("a");
        wire.underWay.remove().done(false);
        assertThat(wire.cut).isTrue();
        frame("a");
        viewer.tell("anybody?");
        viewer.status(moment());
        assertThat(wire.taken).hasSize(1);
        assertThat(viewer.waiting()).isZero();
    }

    @Test
    void shouldLetGoOfAViewerThatTakesNothingForLong() {
        Viewers viewers = new Viewers(Duration.ofSeconds(30));
        assertThat(viewers.add(viewer)).isTrue();
        viewers.tell("hello");
        clock.pass(30_000);
        clock.set(3_600_000);
        viewers.status(moment());
        assertThat(viewers.count()).isEqualTo(1);
        clock.pass(1);
        viewers.status(moment());
        assertThat(viewers.count()).isZero();
        assertThat(viewers.countCutOff()).isEqualTo(1);
        assertThat(wire.cut).isTrue();
    }

    @Test
    void shouldTakeOnlySoManyViewers() {
        Viewers viewers = new Viewers(Duration.ofSeconds(30));
        for (int i = 0; i < Viewers.MAX_VIEWERS; i++) {
            assertThat(viewers.add(new Viewer(window, new Wire(), clock::nanos))).isTrue();
        }
        assertThat(viewers.add(viewer)).isFalse();
    }

    /** Every picture offered was sent, or waits, or is counted as not sent; none goes out twice. */
    @Property(tries = 50)
    void shouldAccountForEveryPicture(
            @ForAll @Size(max = 100) List<@IntRange(max = 9) Integer> script) {
        Wire network = new Wire();
        Viewer watching = new Viewer(window, network, clock::nanos);
        int offered = 0;
        long acknowledged = 0;
        for (int step : script) {
            switch (step) {
                case 0, 1, 2, 3, 4, 5 -> {
                    watching.offer(add("camera " + step % 3));
                    offered++;
                }
                case 6 -> watching.acknowledge(++acknowledged);
                case 7 -> acknowledged = Math.max(acknowledged, network.taken.size());
                default -> {
                    if (!network.underWay.isEmpty()) {
                        network.underWay.remove().done(true);
                    }
                }
            }
            if (acknowledged > network.taken.size()) {
                acknowledged--;
            }
            long notSent =
                    IntStream.range(0, 3).mapToLong(i -> watching.notSent("camera " + i)).sum();
            assertThat(network.taken.size() + watching.waiting() + notSent).isEqualTo(offered);
            assertThat(network.underWay.size()).isLessThanOrEqualTo(1);
            assertThat(network.taken).doesNotHaveDuplicates();
        }
    }

    private void done() {
        if (!wire.underWay.isEmpty()) {
            wire.underWay.remove().done(true);
        }
    }

    private void frame(String camera) {
        viewer.offer(add(camera));
    }

    private Picture add(String camera) {
        FrameKey key = new FrameKey(0, nextOffset++);
        window.frame(key, TestFrames.frame(camera, 10), "image/jpeg");
        window.answer(TestFrames.event(key, camera));
        return window.picture(camera, key);
    }

    private Moment moment() {
        return new Moment(
                clock.millis(),
                window.cameras(),
                window.totals(),
                0,
                1,
                new KafkaState(Contact.CONNECTED, List.of()));
    }
}

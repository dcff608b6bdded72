// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.live;

import static io.sightline.job.live.StagedCameras.object;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.job.ModelChoice;
import io.sightline.job.OptionTypes;
import io.sightline.job.demo.Demo;
import io.sightline.job.demo.DemoSummary;
import io.sightline.job.demo.SceneCameras;
import io.sightline.job.live.StagedCameras.Outcome;
import io.sightline.job.live.StagedCameras.Scene;
import io.sightline.job.local.EmbeddedBroker;
import io.sightline.live.HttpEndpoint;
import io.sightline.live.LiveView;
import io.sightline.live.Topics;
import io.sightline.live.WindowLimits;
import io.sightline.toolchain.Progress;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.IntPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.Keys;
import org.openqa.selenium.Rectangle;
import picocli.CommandLine;

/** The page in a real browser, its server at a real broker; cameras and events are staged. */
@Timeout(180)
class LivePageIT {

    private static final int PERSON = 0;
    private static final int CAR = 2;
    private static final Color PERSON_COLOUR = new Color(0x56b4e9);
    private static final Color CAR_COLOUR = new Color(0xe69f00);

    /** As many as the server takes. */
    private static final int MOST_VIEWERS = 64;

    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    /** 4:3, so that a tile has bars beside it. */
    private static final Scene STREET =
            new Scene(
                    640,
                    480,
                    List.of(
                            object(PERSON, "person", 0.9, 80, 120, 200, 300),
                            object(CAR, "car", 0.6, 360, 200, 240, 160)));

    @TempDir static Path downloads;

    private static EmbeddedBroker broker;
    private static StagedCameras cameras;
    private static LiveView live;
    private static Browser browser;

    @BeforeAll
    static void start() throws Exception {
        browser = Browser.start(downloads);
        broker = EmbeddedBroker.start(1 << 20);
        broker.createTopic(StagedCameras.FRAMES, 2, Map.of());
        broker.createTopic(StagedCameras.EVENTS, 1, Map.of());
        broker.createTopic(StagedCameras.DEAD_LETTERS, 1, Map.of());
        broker.createTopic(StagedCameras.STATUSES, 1, Map.of());
        cameras = new StagedCameras(broker.bootstrapServers());
        live = serve(0);
    }

    @AfterAll
    static void stop() {
        Stream.of(browser, cameras, live, broker)
                .filter(each -> each != null)
                .forEach(LivePageIT::close);
    }

    private static void close(AutoCloseable each) {
        try {
            each.close();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** Each test has cameras of its own. */
    @AfterEach
    void stopCameras() {
        cameras.stopAll();
    }

    private static LiveView serve(int port) throws IOException {
        return LiveView.start(
                Map.of("bootstrap.servers", broker.bootstrapServers()),
                new Topics(
                        StagedCameras.FRAMES,
                        StagedCameras.EVENTS,
                        StagedCameras.DEAD_LETTERS,
                        StagedCameras.STATUSES),
                new WindowLimits(60, 64 << 20, 64, Duration.ofSeconds(1)),
                HttpEndpoint.loopback(port));
    }

    @Test
    void shouldShowEveryCameraWithWhatItSees() {
        cameras.start("wall-2", STREET);
        cameras.start("wall-10", STREET);
        cameras.start("wall-1", STREET);

        browser.open(live.uri().toString());

        for (String camera : List.of("wall-1", "wall-2", "wall-10")) {
            awaitCondition(camera, "live");
            awaitMovingPictures(tile(camera));
            browser.await("a picture of the tile's size", () -> isSmall(tile(camera)));
            browser.await(
                    "what " + camera + " sees",
                    () -> browser.text(tile(camera) + " .seen").equals("person1car1"));
        }
        assertThat(browser.all(".tile").stream().map(tile -> tile.getDomAttribute("data-camera")))
                .containsSubsequence("wall-1", "wall-2", "wall-10");
        browser.await(
                "the list of events", () -> browser.text("#events").contains("wall-10person0 ↑ 1"));
    }

    private static boolean isSmall(String tile) {
        return (Boolean)
                browser.run(
                        """
                        const { width, clientWidth } = document.querySelector(arguments[0]);
                        return width <= Math.min(640, clientWidth);
                        """,
                        tile + " .picture");
    }

    @Test
    void shouldDrawBoxesWhereTheEventsSay() {
        cameras.start("boxes", STREET);
        browser.open(page("camera", "boxes"));
        awaitMovingPictures("#large");

        Rectangle frame = browser.place("#large .frame");
        BufferedImage screen = browser.screenshot();

        double scale = Math.min(frame.width / 640.0, frame.height / 480.0);
        double left = frame.x + (frame.width - 640 * scale) / 2;
        double top = frame.y + (frame.height - 480 * scale) / 2;
        assertBox(screen, STREET.objects().get(0).bbox(), PERSON_COLOUR, scale, left, top);
        assertBox(screen, STREET.objects().get(1).bbox(), CAR_COLOUR, scale, left, top);
    }

    /** Looks for the box's lines along its middle, and for the white block just inside of them. */
    private static void assertBox(
            BufferedImage screen,
            BoundingBox box,
            Color colour,
            double scale,
            double left,
            double top) {
        double right = left + (box.x() + box.width()) * scale;
        double bottom = top + (box.y() + box.height()) * scale;
        int column = (int) (left + (box.x() + box.width() * 0.8) * scale);
        int row = (int) (top + (box.y() + box.height() / 2) * scale);
        IntStream across = IntStream.range((int) (left + box.x() * scale) - 20, (int) right + 20);
        IntStream down = IntStream.range(row, (int) bottom + 20);

        int[] lines = across.filter(x -> isColour(screen.getRGB(x, row), colour)).toArray();
        assertThat(lines).as("columns of the box's lines").hasSizeGreaterThanOrEqualTo(2);
        double middle = (left + box.x() * scale + right) / 2;
        assertThat(centre(lines, x -> x < middle)).isCloseTo(left + box.x() * scale, within(1.5));
        assertThat(centre(lines, x -> x > middle)).isCloseTo(right, within(1.5));
        int[] below = down.filter(y -> isColour(screen.getRGB(column, y), colour)).toArray();
        assertThat(centre(below, y -> true)).isCloseTo(bottom, within(1.5));

        for (int x : new int[] {(int) (left + box.x() * scale) + 4, (int) right - 4}) {
            assertThat(new Color(screen.getRGB(x, row)).getBlue()).as("inside").isGreaterThan(220);
        }
        for (int x : new int[] {(int) (left + box.x() * scale) - 5, (int) right + 5}) {
            assertThat(new Color(screen.getRGB(x, row)).getBlue()).as("outside").isLessThan(120);
        }
    }

    private static double centre(int[] positions, IntPredicate which) {
        return IntStream.of(positions).filter(which).average().orElse(Double.NaN) + 0.5;
    }

    private static boolean isColour(int rgb, Color colour) {
        Color found = new Color(rgb);
        return Math.abs(found.getRed() - colour.getRed()) < 40
                && Math.abs(found.getGreen() - colour.getGreen()) < 40
                && Math.abs(found.getBlue() - colour.getBlue()) < 40;
    }

    @Test
    void shouldTellSilentCamerasFromThoseWithoutEventsAndThoseWithDeadLetters() {
        cameras.start("stops", STREET);
        cameras.start("unanswered", STREET);
        cameras.start("spoilt", STREET);
        cameras.start("empty", STREET);
        cameras.start("well", STREET);
        browser.open(live.uri().toString());
        for (String camera : List.of("stops", "unanswered", "spoilt", "empty", "well")) {
            awaitCondition(camera, "live");
        }

        cameras.stop("stops");
        cameras.turn("unanswered", Outcome.NOTHING);
        cameras.turn("spoilt", Outcome.DEAD_LETTER);
        cameras.turn("empty", Outcome.EMPTY);

        awaitCondition("stops", "silent");
        awaitCondition("unanswered", "no-events");
        awaitCondition("spoilt", "failing");
        awaitCondition("empty", "failing");
        assertThat(browser.text(tile("stops") + " .notice")).startsWith("Silent since ");
        assertThat(browser.text(tile("unanswered") + " .notice")).startsWith("No events since ");
        assertThat(browser.text(tile("spoilt") + " .notice"))
                .isEqualTo("Dead letter, decode: the picture ends too early");
        assertThat(browser.attribute(tile("well"), "data-condition")).isEqualTo("live");
        assertThat(browser.text("#events"))
                .contains("dead letter, decode: the picture ends too early")
                .contains("Silent since ");

        // Of a silent camera nothing comes by itself.
        List<String> kept = keys("stops");
        browser.click(tile("stops"));
        awaitKey(kept.get(kept.size() - 1));
        browser.press(",");
        awaitKey(kept.get(kept.size() - 2));
        browser.press(Keys.END);
        awaitKey(kept.get(kept.size() - 1));
        assertThat(browser.attribute("#large", "data-mode")).isEqualTo("live");
        browser.press(Keys.ESCAPE);

        cameras.start("stops", STREET);
        awaitCondition("stops", "live");
    }

    @Test
    void shouldShowWhichCamerasTheJobDropsFramesOfUntilItStops() {
        cameras.start("crowded", STREET);
        cameras.start("calm", STREET);
        browser.open(live.uri().toString());
        awaitCondition("crowded", "live");
        awaitCondition("calm", "live");
        String mark = tile("crowded") + " .badge.job";
        assertThat(isShown(mark)).isFalse();

        cameras.turn("crowded", Outcome.HALF_SUPERSEDED);

        browser.await("the mark", () -> isShown(mark));
        assertThat(browser.text(mark)).matches("analysed [5-9]\\d%");
        assertThat(browser.attribute(tile("crowded"), "aria-label"))
                .matches("crowded: live, the job drops frames: at .*, dropped \\d+ superseded");
        assertThat(isShown(tile("calm") + " .badge.job")).isFalse();
        assertThat(isShown("[data-total='analysed']")).isTrue();
        browser.click(tile("crowded"));
        browser.await("the job's figures", () -> isShown("#details .job"));
        assertThat(browser.text("#details .job"))
                .matches("The job, .*analysed[5-9]\\d%dropped\\d+lag7 ms.*: \\d+ superseded");
        // Frames that the job gave up are no fault of this browser's.
        assertThat(browser.text("[data-value='unsent']")).isEqualTo("0");
        browser.press(Keys.ESCAPE);

        cameras.turn("crowded", Outcome.EVENT);

        browser.await("the mark to go", () -> !isShown(mark));
        assertThat(browser.attribute(tile("crowded"), "aria-label")).isEqualTo("crowded: live");
        assertThat(isShown("[data-total='analysed']")).isFalse();
    }

    private static boolean isShown(String selector) {
        return browser.all(selector).get(0).isDisplayed();
    }

    @Test
    void shouldComeBackWhenTheServerDoes() throws Exception {
        cameras.start("steady", STREET);
        cameras.start("removed", STREET);
        browser.open(live.uri().toString());
        awaitMovingPictures(tile("steady"));
        awaitMovingPictures(tile("removed"));
        int port = live.uri().getPort();

        cameras.stop("removed");
        live.close();

        browser.await("the banner", () -> browser.text("#banner").contains("The server is lost"));
        assertThat(browser.attribute("body", "data-connection")).isEqualTo("lost");

        live = serve(port);

        browser.await(
                "the connection",
                () ->
                        "open".equals(browser.attribute("body", "data-connection"))
                                && !browser.all("#banner").get(0).isDisplayed());
        awaitMovingPictures(tile("steady"));
        assertThat(browser.text("#events")).contains("server lost", "server connected again");
        browser.await("the removed camera to go", () -> browser.all(tile("removed")).isEmpty());
        assertThat(browser.text("#events")).contains("removedno longer known to the server");

        browser.reload();
        awaitMovingPictures(tile("steady"));
    }

    @Test
    void shouldTellOfChangesAtACameraWhoseClockRunsBackwards() {
        browser.open(live.uri().toString());
        assertThat(
                        browser.run(
                                """
                                return import(location.origin + '/changes.js').then(({ Changes }) => {
                                  const changes = new Changes();
                                  const found = [];
                                  for (let i = 0; i < 40; i++) {
                                    const objects = i < 20 ? [{ label: 'person' }] : [];
                                    const header = { capture_time_ms: 1e12 - i * 3_600_000 };
                                    found.push(...changes.observe(header, objects, i * 200));
                                  }
                                  return found.map(({ from, to }) => `${from} to ${to}`).join();
                                });
                                """))
                .isEqualTo("0 to 1,1 to 0");
    }

    @Test
    void shouldTellWhyACameraFailsByItsNewestFrameWhereNoLetterHasCome() {
        browser.open(live.uri().toString());
        assertThat(
                        browser.run(
                                """
                                return import(location.origin + '/camera-tile.js').then(({ noticeOf }) => {
                                  const message = 'the picture ends too early';
                                  const header = { dead_letter: { stage: 'decode', message } };
                                  return noticeOf({ state: {}, letter: null, header }, 'failing', 0);
                                });
                                """))
                .isEqualTo("Dead letter, decode: the picture ends too early");
    }

    @Test
    void shouldKeepEachFrameOnceAndItsEventWhereTheServersListComesLater() {
        browser.open(live.uri().toString());
        assertThat(
                        browser.run(
                                """
                                return import(location.origin + '/window-of-frames.js').then(async (module) => {
                                  const frames = new module.WindowOfFrames('any', 60);
                                  let answer;
                                  window.fetch = () => new Promise((resolve) => (answer = resolve));
                                  const loaded = frames.load();
                                  frames.append({ key: '0-2', event: null });
                                  frames.complete('0-1', {});
                                  frames.complete('0-2', {});
                                  const keys = ['0-0', '0-1', '0-2', '0-3'];
                                  answer(Response.json(keys.map((key) => ({ key, event: null }))));
                                  await loaded;
                                  ['0-2', '0-3', '0-4'].forEach((key) => frames.append({ key }));
                                  return frames.frames.map(({ key, event }) => key + (event ? ' seen' : '')).join();
                                });
                                """))
                .isEqualTo("0-0,0-1 seen,0-2 seen,0-3,0-4");
    }

    @Test
    void shouldMarkAnEventAsPastByTheTimeItCameNotByItsCamerasClock() {
        browser.open(live.uri().toString());
        assertThat(
                        browser.run(
                                """
                                return import(location.origin + '/event-list.js').then(({ EventList }) => {
                                  const all = { camera: null, accepts: () => true, acceptsLabel: () => true };
                                  const list = new EventList(all, () => {});
                                  const moment = { camera: 'slow clock', capture_time_ms: 40_000, key: '0-1' };
                                  const event = { objects: [{ label: 'person', confidence: 1 }] };
                                  for (let i = 0; i < 3; i++) {
                                    list.observe({ ...moment, event }, 100_000);
                                  }
                                  list.deadLetter({ ...moment, stage: 'decode', reason: 'truncated' }, 100_000);
                                  const rows = [...document.querySelectorAll('#events li')].slice(0, 2);
                                  return [99_000, 101_000].map((oldest) => {
                                    list.age(() => oldest);
                                    return rows.map(({ className }) => className).join();
                                  }).join(' then ');
                                });
                                """))
                .isEqualTo("bad,seen then bad past,seen past");
    }

    @Test
    void shouldDecodeATallPictureAgainWhereItsTileHasGrown() {
        browser.open(live.uri().toString());
        browser.run(
                """
                return import(location.origin + '/picture.js').then(async ({ Picture }) => {
                  const tile = document.createElement('div');
                  tile.id = 'tried';
                  tile.style.cssText = 'position: fixed; inset: 0 auto auto 0; width: 160px; height: 90px';
                  document.body.append(tile);
                  window.seen = 0;
                  const listener = { shown() {}, seen: () => window.seen++, skipped() {} };
                  const picture = new Picture(tile, { accepts: () => true }, listener, true);
                  const pixels = new OffscreenCanvas(360, 640);
                  pixels.getContext('2d').fillRect(0, 0, 360, 640);
                  const blob = await pixels.convertToBlob();
                  const event = { image: { width: 360, height: 640 }, objects: [] };
                  picture.offer({ header: { key: '0-1', event }, blob, dealtWith() {} });
                });
                """);
        String height = "return document.querySelector('#tried .picture').height";
        browser.await("a picture that fits", () -> isAbout((Long) browser.run(height), 90));
        browser.run(
                "Object.assign(document.querySelector('#tried').style,"
                        + " { width: '640px', height: '360px' })");
        browser.await("a larger one", () -> isAbout((Long) browser.run(height), 360));
        assertThat(browser.run("return window.seen")).isEqualTo(1L);
    }

    /** Whole pixels of the width leave the height a few more or less. */
    private static boolean isAbout(long height, long wanted) {
        return Math.abs(height - wanted) <= 2;
    }

    @Test
    void shouldStayOnTheWallWhereTheServerAnswersForACameraThatWasLeft() {
        cameras.start("left", STREET);
        browser.open(page("camera", "left"));
        awaitMovingPictures("#large");
        browser.run(
                """
                const ask = window.fetch;
                window.fetch = async (url, options) => {
                  if (url.startsWith('api/picture')) {
                    return new Response(null, { status: 404 });
                  }
                  const response = await ask(url, options);
                  await new Promise((resolve) => (window.answer = resolve));
                  return response;
                };
                """);
        browser.press(Keys.HOME);
        browser.await(
                "the list to be asked for",
                () -> (Boolean) browser.run("return window.answer !== undefined"));

        browser.press(Keys.ESCAPE);
        browser.run("window.answer()");

        awaitMovingPictures(tile("left"));
        assertThat(browser.text("#large .said")).isEmpty();
    }

    @Test
    void shouldShowTheNewestPicturesOnTheWallAfterALargeCamera() {
        List<String> both = List.of("kept", "behind");
        both.forEach(camera -> cameras.start(camera, STREET));
        browser.await("their frames", () -> both.stream().noneMatch(it -> keys(it).isEmpty()));
        // Of slow ones nothing comes by itself.
        cameras.stopAll();
        browser.open(page("camera", "kept"));
        awaitNewest("kept", "#large");

        browser.press(Keys.ESCAPE);

        both.forEach(camera -> awaitNewest(camera, tile(camera)));
    }

    private static void awaitNewest(String camera, String selector) {
        browser.await(
                "the newest picture of " + camera,
                () -> {
                    List<String> keys = keys(camera);
                    String shown = browser.attribute(selector + " .frame", "data-key");
                    return keys.get(keys.size() - 1).equals(shown);
                });
    }

    @Test
    void shouldDrawTheBoxesOfAnEventThatComesWhenItsFrameIsSteppedBackTo() {
        cameras.start("late", STREET);
        cameras.turn("late", Outcome.WITHHELD);
        browser.open(page("camera", "late"));
        awaitMovingPictures("#large");
        browser.press(" ");
        browser.await("a pause", () -> "paused".equals(browser.attribute("#large", "data-mode")));
        String paused = browser.attribute("#large", "data-key");
        browser.press(",");
        browser.await("a step back", () -> !paused.equals(browser.attribute("#large", "data-key")));
        assertThat(drawn(PERSON_COLOUR)).isFalse();

        cameras.turn("late", Outcome.EVENT);

        browser.await("the boxes", () -> drawn(PERSON_COLOUR));
        assertThat(browser.attribute("#large", "data-mode")).isEqualTo("paused");
        assertThat(browser.text("#details .seen")).isEqualTo("person1car1");
    }

    @Test
    void shouldWaitForAPlaceWhereThereAreTooManyViewers() {
        browser.open("about:blank");
        browser.await("the last page to go", () -> viewers() == 0);
        List<WebSocket> others = IntStream.range(0, MOST_VIEWERS).mapToObj(i -> watch()).toList();
        browser.await("all the others", () -> viewers() == MOST_VIEWERS);

        browser.open(live.uri().toString());

        browser.await(
                "the refusal",
                () ->
                        browser.text("#banner")
                                .contains("The server has as many viewers as it takes."));
        assertThat(browser.attribute("body", "data-connection")).isEqualTo("refused");
        assertThat(browser.text("#connection")).isEqualTo("too many viewers");
        others.forEach(WebSocket::abort);
        browser.await("their places", () -> viewers() == 0);
        // It may have tried again by itself, and hidden the button.
        browser.run("document.querySelector('#retry').click()");
        browser.await(
                "the connection",
                () -> "open".equals(browser.attribute("body", "data-connection")));
    }

    private static WebSocket watch() {
        URI page = URI.create("ws" + live.uri().resolve("/live").toString().substring(4));
        return CLIENT.newWebSocketBuilder().buildAsync(page, new WebSocket.Listener() {}).join();
    }

    private static int viewers() {
        return ask("/healthz").get("clients").asInt();
    }

    @Test
    void shouldShowHostileNamesAsTextAndRunNoneOfIt() {
        String attack = "<img src=x onerror='window.ran=1'><script>window.ran=1</script>";
        cameras.start(
                attack, new Scene(640, 480, List.of(object(7, attack, 0.9, 80, 120, 200, 300))));
        browser.open(live.uri().toString());
        String tile = ".tile[data-camera^='<img src=x']";
        awaitMovingPictures(tile);

        assertThat(browser.text(tile + " .name")).isEqualTo(attack);
        browser.await("the label among the classes", () -> browser.text("#chips").contains(attack));
        browser.await("the list of events", () -> browser.text("#events").contains(attack));
        browser.click(tile);
        awaitMovingPictures("#large");
        assertThat(browser.text("#details h2")).isEqualTo(attack);
        browser.press(",");
        browser.await("a pause", () -> "paused".equals(browser.attribute("#large", "data-mode")));

        assertThat(browser.run("return window.ran")).isNull();
        assertThat(browser.run("return document.images.length")).isEqualTo(0L);
        assertThat(browser.run("return document.scripts.length")).isEqualTo(1L);
    }

    @Test
    void shouldFilterByClassAndConfidenceAndKeepItInTheAddress() {
        cameras.start("filtered", STREET);
        browser.open(page("camera", "filtered"));
        awaitMovingPictures("#large");
        browser.await("both boxes", () -> drawn(PERSON_COLOUR) && drawn(CAR_COLOUR));

        browser.click(".chip[data-label='person']");
        browser.await("the person alone", () -> drawn(PERSON_COLOUR) && !drawn(CAR_COLOUR));
        assertThat(browser.url()).contains("class=person");

        String shared = browser.url();
        browser.open(shared);
        awaitMovingPictures("#large");
        browser.await("the person alone", () -> drawn(PERSON_COLOUR) && !drawn(CAR_COLOUR));
        assertThat(browser.attribute(".chip[data-label='person']", "aria-pressed"))
                .isEqualTo("true");

        browser.open(page("camera", "filtered", "confidence", "0.75"));
        awaitMovingPictures("#large");
        browser.await("the sure one alone", () -> drawn(PERSON_COLOUR) && !drawn(CAR_COLOUR));

        browser.open(page("camera", "filtered", "confidence", "0.95"));
        awaitMovingPictures("#large");
        assertThat(drawn(PERSON_COLOUR) || drawn(CAR_COLOUR)).isFalse();
    }

    /** Whether the boxes of the large camera have that colour somewhere. */
    private static boolean drawn(Color colour) {
        return (Boolean)
                browser.run(
                        """
                        const canvas = document.querySelector('#large .boxes');
                        const { data } = canvas.getContext('2d')
                            .getImageData(0, 0, canvas.width, canvas.height);
                        for (let i = 0; i < data.length; i += 4) {
                          if (data[i] === arguments[0] && data[i + 1] === arguments[1]
                              && data[i + 2] === arguments[2] && data[i + 3] === 255) {
                            return true;
                          }
                        }
                        return false;
                        """,
                        colour.getRed(),
                        colour.getGreen(),
                        colour.getBlue());
    }

    @Test
    void shouldSaveTheAnnotatedPictureInItsOwnSize() throws Exception {
        cameras.start("photo", STREET);
        browser.open(page("camera", "photo"));
        awaitMovingPictures("#large");

        browser.press("s");

        Path file =
                browser.awaitValue(
                        "the saved picture",
                        () -> saved("photo_").filter(LivePageIT::isWhole).orElse(null));
        assertThat(file.getFileName().toString())
                .matches("photo_\\d{4}-\\d\\d-\\d\\dT\\d\\d-\\d\\d-\\d\\d\\.\\d{3}Z\\.png");
        BufferedImage picture = ImageIO.read(file.toFile());
        assertThat(picture.getWidth()).isEqualTo(640);
        assertThat(picture.getHeight()).isEqualTo(480);
        assertBox(picture, STREET.objects().get(0).bbox(), PERSON_COLOUR, 1, 0, 0);
        assertBox(picture, STREET.objects().get(1).bbox(), CAR_COLOUR, 1, 0, 0);
    }

    private static Optional<Path> saved(String prefix) {
        try (Stream<Path> files = Files.list(downloads)) {
            return files.filter(path -> path.getFileName().toString().startsWith(prefix))
                    .findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isWhole(Path file) {
        try {
            return file.toString().endsWith(".png") && ImageIO.read(file.toFile()) != null;
        } catch (IOException e) {
            return false;
        }
    }

    @Test
    void shouldStepThroughTheFramesThatTheServerKeeps() throws Exception {
        cameras.start("replayed", STREET);
        browser.open(page("camera", "replayed"));
        awaitMovingPictures("#large");
        browser.await("some frames to step through", () -> keys("replayed").size() > 5);

        browser.press(" ");
        browser.await("a pause", () -> "paused".equals(browser.attribute("#large", "data-mode")));
        String paused = browser.attribute("#large", "data-key");
        List<String> keys = keys("replayed");
        int at = keys.indexOf(paused);
        assertThat(at).isGreaterThan(2);

        browser.press(",");
        awaitKey(keys.get(at - 1));
        browser.press(Keys.ARROW_LEFT);
        awaitKey(keys.get(at - 2));
        browser.press(".");
        awaitKey(keys.get(at - 1));
        assertThat(browser.text("#large .ago")).startsWith("−");

        browser.press(Keys.END);
        awaitMovingPictures("#large");
        assertThat(browser.attribute("#large", "data-mode")).isEqualTo("live");
        assertThat(keys).doesNotContain(browser.attribute("#large", "data-key"));
    }

    private static void awaitKey(String key) {
        browser.await(
                "frame " + key, () -> key.equals(browser.attribute("#large .frame", "data-key")));
    }

    /** Of the frames that the server keeps of a camera, oldest first. */
    private static List<String> keys(String camera) {
        return ask("/api/frames?camera=" + camera).findValuesAsText("key");
    }

    private static JsonNode ask(String path) {
        try (InputStream in = live.uri().resolve(path).toURL().openStream()) {
            return new ObjectMapper().readTree(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void shouldBeUsedWithTheKeyboardAlone() {
        cameras.start("keys-1", STREET);
        cameras.start("keys-2", STREET);
        browser.open(live.uri().toString());
        awaitCondition("keys-1", "live");
        awaitCondition("keys-2", "live");
        browser.run("document.querySelector(arguments[0]).focus()", tile("keys-1"));

        browser.press(Keys.ARROW_RIGHT);
        assertThat(browser.run("return document.activeElement.dataset.camera")).isEqualTo("keys-2");
        browser.press(Keys.ENTER);
        browser.await("keys-2 large", () -> browser.text("#details h2").equals("keys-2"));
        browser.press(Keys.ARROW_UP);
        browser.await("keys-1 large", () -> browser.text("#details h2").equals("keys-1"));
        browser.press(Keys.ESCAPE);
        browser.await("the wall", () -> browser.all(tile("keys-1")).get(0).isDisplayed());
        assertThat(browser.run("return document.activeElement.dataset.camera")).isEqualTo("keys-1");
    }

    @Test
    void shouldShowTheCamerasOfTheDemo() throws Exception {
        ModelChoice bundled = new ModelChoice();
        OptionTypes.register(new CommandLine(bundled)).parseArgs();
        SceneCameras scenes =
                new SceneCameras(
                        new SceneCameras.Settings(2, 2.0, SceneCameras.SEED, null, 90, null));
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(printed, true, StandardCharsets.UTF_8);
        Demo demo = new Demo(bundled, scenes, null, true, Progress.SILENT, out);
        CompletableFuture<DemoSummary> end = CompletableFuture.supplyAsync(() -> run(demo));
        try {
            browser.open(browser.awaitValue("the page's address", () -> address(printed, end)));
            for (String camera : List.of("cam-1", "cam-2")) {
                awaitCondition(camera, "live");
                awaitMovingPictures(tile(camera));
            }
            browser.await("persons", () -> browser.text("#events").contains("person"));
        } finally {
            scenes.stop();
            end.join();
        }
    }

    private static DemoSummary run(Demo demo) {
        try {
            return demo.run();
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    /** What the demo has printed; null until then. */
    private static String address(ByteArrayOutputStream printed, CompletableFuture<?> end) {
        assertThat(end).isNotCompletedExceptionally();
        Matcher line =
                Pattern.compile("live page: (http://\\S+)")
                        .matcher(printed.toString(StandardCharsets.UTF_8));
        return line.find() ? line.group(1) : null;
    }

    private static String tile(String camera) {
        return ".tile[data-camera='" + camera + "']";
    }

    private static void awaitCondition(String camera, String condition) {
        browser.await(
                camera + " to be " + condition,
                () -> condition.equals(browser.attribute(tile(camera), "data-condition")));
    }

    /** Waits for two new frames on the screen. */
    private static void awaitMovingPictures(String selector) {
        String frame = selector + " .frame";
        for (int i = 0; i < 2; i++) {
            String before =
                    browser.awaitValue(
                            "a frame at " + frame, () -> browser.attribute(frame, "data-key"));
            browser.await(
                    "a new frame at " + frame,
                    () -> !before.equals(browser.attribute(frame, "data-key")));
        }
    }

    private static String page(String... parameters) {
        StringBuilder fragment = new StringBuilder();
        for (int i = 0; i < parameters.length; i += 2) {
            fragment.append(i == 0 ? "#" : "&")
                    .append(parameters[i])
                    .append('=')
                    .append(URLEncoder.encode(parameters[i + 1], StandardCharsets.UTF_8));
        }
        return live.uri() + fragment.toString();
    }
}

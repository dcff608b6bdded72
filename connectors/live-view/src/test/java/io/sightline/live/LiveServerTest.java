// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.live.KafkaState.Contact;
import io.sightline.live.Messages.Moment;
import io.sightline.live.WindowFrame.Picture;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocketHandshakeException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The server over real connections, with a window that the test fills. */
@Timeout(120)
class LiveServerTest {

    private static final String TOKEN = "0123456789abcdef";
    private static final String HOSTILE = "a/b%2F?x=1&\"><script>alert(1)</script> ä 📷";

    private final HttpClient http = HttpClient.newHttpClient();
    private final InstantSource clock = InstantSource.system();
    private final WindowLimits limits = new WindowLimits(20, 64 << 20, 8, Duration.ofSeconds(2));
    private final FrameWindow window = new FrameWindow(limits, clock);
    private final Viewers viewers = new Viewers(Duration.ofSeconds(1));
    private final LiveServer server = server(null);
    private long nextOffset;
    private LiveServer running;

    private LiveServer server(String token) {
        return new LiveServer(
                window,
                limits,
                new Topics("camera-frames", "detections", "dead-letters", "camera-status"),
                viewers,
                new HttpEndpoint("127.0.0.1", 0, Set.of(), token),
                this::moment);
    }

    private Moment moment() {
        return new Moment(
                clock.millis(),
                window.cameras(),
                window.totals(),
                0,
                viewers.count(),
                new KafkaState(Contact.LOST, List.of("detections")));
    }

    @AfterEach
    void stop() {
        if (running != null) {
            running.close();
        }
    }

    @Test
    void shouldServeThePageWithHeadersThatLetNothingElseRun() throws Exception {
        HttpResponse<String> page = get(start(server), "");
        assertThat(page.statusCode()).isEqualTo(200);
        assertThat(page.body()).startsWithIgnoringCase("<!doctype html>");
        assertThat(header(page, "content-security-policy"))
                .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
                .doesNotContain("unsafe", "*", "http");
        assertThat(header(page, "x-content-type-options")).isEqualTo("nosniff");
        assertThat(header(page, "referrer-policy")).isEqualTo("no-referrer");
        assertThat(header(page, "cross-origin-resource-policy")).isEqualTo("same-origin");
        assertThat(page.headers().firstValue("set-cookie")).isEmpty();
        assertThat(page.headers().firstValue("access-control-allow-origin")).isEmpty();
    }

    @Test
    void shouldNotShowWhatWasAskedForAsMarkup() throws Exception {
        HttpResponse<String> missing = get(start(server), "%3Cscript%3Ealert(1)%3C/script%3E");
        assertThat(missing.statusCode()).isEqualTo(404);
        assertThat(header(missing, "content-type")).startsWith("text/plain");
        assertThat(header(missing, "content-security-policy")).contains("default-src 'none'");
    }

    @Test
    void shouldSayHowItDoes() throws Exception {
        frame("gate", 10);
        HttpResponse<String> health = get(start(server), "healthz");
        assertThat(health.statusCode()).isEqualTo(200);
        JsonNode counts = new ObjectMapper().readTree(health.body());
        assertThat(counts.get("kafka").asText()).isEqualTo("lost");
        assertThat(counts.get("frames").asLong()).isEqualTo(1);
        assertThat(health.body()).doesNotContain("gate");
    }

    @Test
    void shouldSendFramesAndGiveTheWindowOfACameraOfAnyName() throws Exception {
        URI uri = start(server);
        try (Page page = Page.open(uri, true)) {
            JsonNode hello = page.message("hello");
            assertThat(hello.get("window_frames").asInt()).isEqualTo(20);
            assertThat(hello.at("/topics/frames").asText()).isEqualTo("camera-frames");
            assertThat(hello.at("/kafka/state").asText()).isEqualTo("lost");
            assertThat(hello.at("/kafka/missing_topics/0").asText()).isEqualTo("detections");
            awaitViewers(1);
            Picture sent = frame(HOSTILE, 3 << 20);
            Page.Frame frame = page.frame();
            assertThat(frame.camera()).isEqualTo(HOSTILE);
            assertThat(frame.image()).isEqualTo(sent.image());
            assertThat(frame.header().at("/event/camera_id").asText()).isEqualTo(HOSTILE);

            String query = "camera=" + URLEncoder.encode(HOSTILE, StandardCharsets.UTF_8);
            JsonNode list = new ObjectMapper().readTree(get(uri, "api/frames?" + query).body());
            assertThat(list).hasSize(1);
            assertThat(list.get(0)).isEqualTo(frame.header());
            HttpResponse<byte[]> picture =
                    http.send(
                            request(uri, "api/picture?" + query + "&key=0-0").build(),
                            BodyHandlers.ofByteArray());
            assertThat(picture.statusCode()).isEqualTo(200);
            assertThat(header(picture, "content-type")).isEqualTo("image/jpeg");
            assertThat(header(picture, "cache-control")).isEqualTo("no-store");
            assertThat(picture.body()).isEqualTo(sent.image());
        }
    }

    @Test
    void shouldExplainWhatItCannotGive() throws Exception {
        URI uri = start(server);
        frame("gate", 10);
        assertThat(get(uri, "api/picture?camera=gate&key=0-99").statusCode()).isEqualTo(404);
        assertThat(get(uri, "api/picture?camera=yard&key=0-0").statusCode()).isEqualTo(404);
        assertThat(get(uri, "api/picture?camera=gate&key=x").statusCode()).isEqualTo(400);
        assertThat(get(uri, "api/picture?camera=gate").body())
                .isEqualTo("{\"error\":\"The parameter key is missing.\"}");
        assertThat(get(uri, "api/frames?camera=yard").body()).isEqualTo("[]");
    }

    @Test
    void shouldAdmitOnlyThoseWithTheToken() throws Exception {
        URI uri = start(server(TOKEN));
        for (String path : List.of("", "api/frames?camera=x", "?token=wrong", "index.html")) {
            assertThat(get(uri, path).statusCode()).as(path).isEqualTo(401);
        }
        assertThat(get(uri, "healthz").statusCode()).isEqualTo(200);
        assertThat(get(uri, "", "Authorization", "Bearer " + TOKEN).statusCode()).isEqualTo(200);
        assertThatThrownBy(() -> Page.open(uri, true)).satisfies(failed(401));

        HttpResponse<String> signedIn = get(uri, "?token=" + TOKEN);
        assertThat(signedIn.statusCode()).isEqualTo(303);
        assertThat(header(signedIn, "location")).isEqualTo("/");
        String cookie = header(signedIn, "set-cookie");
        assertThat(cookie).contains("HttpOnly", "SameSite=Lax").doesNotContain(TOKEN);
        String sent = cookie.substring(0, cookie.indexOf(';'));
        assertThat(get(uri, "", "Cookie", sent).statusCode()).isEqualTo(200);
        try (Page page = Page.open(uri, true, "Cookie", sent)) {
            assertThat(page.message("hello")).isNotNull();
        }
        try (Page page = Page.open(uri, true, "Authorization", "Bearer " + TOKEN)) {
            assertThat(page.message("hello")).isNotNull();
        }
    }

    @Test
    void shouldLetOnlyItsOwnPagesConnect() throws Exception {
        URI uri = start(server);
        String own = "http://127.0.0.1:" + uri.getPort();
        assertThatThrownBy(() -> Page.open(uri, true, "Origin", "http://evil.example"))
                .satisfies(failed(403));
        try (Page page = Page.open(uri, true, "Origin", own)) {
            assertThat(page.message("hello")).isNotNull();
        }
        // Java's client sets Host itself.
        assertThat(raw(uri, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"))
                .startsWith("HTTP/1.1 403");
        assertThat(raw(uri, upgrade("Host: evil.example", "Origin: http://evil.example")))
                .startsWith("HTTP/1.1 403");
    }

    @Test
    void shouldSendPicturesUncompressedAndKeepNoSession() throws Exception {
        URI uri = start(server);
        String answer =
                raw(
                        uri,
                        upgrade("Host: localhost", "Sec-WebSocket-Extensions: permessage-deflate"));
        assertThat(answer).startsWith("HTTP/1.1 101");
        assertThat(answer.toLowerCase(Locale.ROOT))
                .doesNotContain("permessage-deflate", "set-cookie");
    }

    @Test
    void shouldServeOthersWhileOneTakesNothingAndThenLetGoOfIt() throws Exception {
        URI uri = start(server);
        try (Socket deaf = new Socket();
                Page page = Page.open(uri, true)) {
            deaf.setReceiveBufferSize(4096);
            deaf.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), uri.getPort()));
            deaf.getOutputStream()
                    .write(upgrade("Host: localhost").getBytes(StandardCharsets.US_ASCII));
            page.message("hello");
            awaitViewers(2);
            int frames = 0;
            while (viewers.countCutOff() == 0) {
                // More than the buffers of a connection take.
                frame("cam-" + frames % 8, 1 << 19);
                assertThat(page.frame().image()).hasSize(1 << 19);
                viewers.status(moment());
                frames++;
            }
            assertThat(viewers.count()).isEqualTo(1);
            frame("cam-1", 100);
            assertThat(page.frame().image()).hasSize(100);
        }
        awaitViewers(0);
    }

    @Test
    void shouldKeepNoPlaceForBrowsersThatBreakOffWhileTheyConnect() throws Exception {
        URI uri = start(server);
        for (int i = 0; i < 2 * Viewers.MAX_VIEWERS; i++) {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), uri.getPort())) {
                // Closed with a reset, so that the first message to it may fail.
                socket.setSoLinger(true, 0);
                socket.getOutputStream()
                        .write(upgrade("Host: localhost").getBytes(StandardCharsets.US_ASCII));
            }
        }
        try (Page page = Page.open(uri, true)) {
            page.message("hello");
            awaitViewers(1);
        }
    }

    @Test
    void shouldTellAViewerTooManyNothingButThatThereAreTooMany() throws Exception {
        URI uri = start(server);
        while (viewers.count() < Viewers.MAX_VIEWERS) {
            viewers.add(new Viewer(window, new Nowhere(), System::nanoTime));
        }
        try (Page page = Page.open(uri, true)) {
            while (page.closeCode() == 0) {
                Thread.sleep(5);
            }
            assertThat(page.closeCode()).isEqualTo(1013);
            assertThat(page.messagesWaiting()).isZero();
        }
    }

    /** Takes one message and is never done with it. */
    private static final class Nowhere implements Viewer.Connection {
        @Override
        public void send(String text, Viewer.Completion completion) {}

        @Override
        public void send(Picture picture, Viewer.Completion completion) {}

        @Override
        public void cut() {}
    }

    @Test
    void shouldShowWhatAPageAsksForAndIgnoreNonsense() throws Exception {
        URI uri = start(server);
        try (Page page = Page.open(uri, true)) {
            page.message("hello");
            awaitViewers(1);
            for (String nonsense :
                    List.of("", "null", "{", "[]", "{\"type\":7}", "{\"type\":\"ack\"}")) {
                page.say(nonsense);
            }
            String id = new ObjectMapper().writeValueAsString(HOSTILE);
            page.say("{\"type\":\"show\",\"cameras\":[" + id + "]}");
            // From when it is heard on, frames of other cameras come without their picture.
            Page.Frame frame;
            do {
                frame("gate", 10);
                frame = page.frame();
                assertThat(frame.camera()).isEqualTo("gate");
            } while (frame.image().length > 0);
            frame(HOSTILE, 20);
            assertThat(page.frame().image()).hasSize(20);
            page.say("{\"type\":\"show\",\"cameras\":null}");
            Page.Frame whole = page.frame();
            assertThat(whole.header()).isEqualTo(frame.header());
            assertThat(whole.image()).hasSize(10);
        }
    }

    @Test
    void shouldSayThatThePortIsTaken() throws Exception {
        URI uri = start(server);
        LiveServer second =
                new LiveServer(
                        window,
                        limits,
                        new Topics("a", "b", "c", "d"),
                        viewers,
                        HttpEndpoint.loopback(uri.getPort()),
                        this::moment);
        assertThatThrownBy(second::start)
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith(
                        "the live page cannot be served at 127.0.0.1:" + uri.getPort())
                .hasMessageEndingWith("is the port taken? --port 0 takes any that is free");
    }

    /** A WebSocket's request with these headers beside its own. */
    private static String upgrade(String... headers) {
        return String.join(
                "\r\n",
                "GET /live HTTP/1.1",
                String.join("\r\n", headers),
                "Upgrade: websocket",
                "Connection: Upgrade",
                "Sec-WebSocket-Version: 13",
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "",
                "");
    }

    private URI start(LiveServer server) throws IOException {
        running = server;
        server.start();
        return URI.create("http://127.0.0.1:" + server.port() + "/");
    }

    /** A new frame with its event, offered to all. */
    private Picture frame(String camera, int bytes) {
        FrameKey key = new FrameKey(0, nextOffset++);
        var frame = TestFrames.frame(camera, bytes);
        Arrays.fill(frame.image(), (byte) key.offset());
        window.frame(key, frame, "image/jpeg");
        window.answer(TestFrames.event(key, camera, "person"));
        Picture picture = window.picture(camera, key);
        viewers.offer(picture);
        return picture;
    }

    private void awaitViewers(int count) throws InterruptedException {
        while (viewers.count() != count) {
            Thread.sleep(5);
        }
    }

    private HttpResponse<String> get(URI uri, String path, String... headers) throws Exception {
        HttpRequest.Builder request = request(uri, path);
        if (headers.length > 0) {
            request.headers(headers);
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private static HttpRequest.Builder request(URI uri, String path) {
        return HttpRequest.newBuilder(URI.create(uri + path));
    }

    private static String header(HttpResponse<?> response, String name) {
        return response.headers().firstValue(name).orElseThrow();
    }

    /** The head of the answer to a request as it stands. */
    private static String raw(URI uri, String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), uri.getPort())) {
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            StringBuilder head = new StringBuilder();
            while (head.indexOf("\r\n\r\n") < 0) {
                head.append((char) socket.getInputStream().read());
            }
            return head.toString();
        }
    }

    private static org.assertj.core.api.ThrowingConsumer<Throwable> failed(int status) {
        return failure -> {
            assertThat(failure).isInstanceOf(CompletionException.class);
            assertThat(failure.getCause()).isInstanceOf(WebSocketHandshakeException.class);
            WebSocketHandshakeException refused = (WebSocketHandshakeException) failure.getCause();
            assertThat(refused.getResponse().statusCode()).isEqualTo(status);
        };
    }
}

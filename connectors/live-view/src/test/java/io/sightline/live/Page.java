// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * A page as a test needs it: takes what the server sends, and acknowledges pictures if it is to.
 */
final class Page implements WebSocket.Listener, AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final long PATIENCE_SECONDS = 30;

    /** A frame that came. */
    record Frame(JsonNode header, byte[] image) {
        String camera() {
            return header.get("camera").asText();
        }
    }

    private final BlockingQueue<JsonNode> messages = new LinkedBlockingQueue<>();
    private final BlockingQueue<Frame> frames = new LinkedBlockingQueue<>();
    private final StringBuilder text = new StringBuilder();
    private final ByteArrayOutputStream binary = new ByteArrayOutputStream();
    private final boolean acknowledges;
    private CompletableFuture<WebSocket> said = CompletableFuture.completedFuture(null);
    private WebSocket socket;
    private long taken;
    private volatile int closeCode;

    private Page(boolean acknowledges) {
        this.acknowledges = acknowledges;
    }

    /**
     * @param server as {@code http://127.0.0.1:8080/}
     * @param headers names and values in turn
     */
    static Page open(URI server, boolean acknowledges, String... headers) {
        Page page = new Page(acknowledges);
        WebSocket.Builder builder = HttpClient.newHttpClient().newWebSocketBuilder();
        for (int i = 0; i < headers.length; i += 2) {
            builder.header(headers[i], headers[i + 1]);
        }
        page.socket =
                builder.buildAsync(URI.create("ws" + server.toString().substring(4) + "live"), page)
                        .join();
        return page;
    }

    void say(String json) {
        say(socket, json);
    }

    /** One after the other: this client refuses to send while it sends. */
    private synchronized void say(WebSocket to, String json) {
        said = said.thenCompose(ignored -> to.sendText(json, true));
    }

    /** The next message of that type; those before it are lost. */
    JsonNode message(String type) throws InterruptedException {
        return message(message -> message.get("type").asText().equals(type));
    }

    JsonNode message(Predicate<JsonNode> wanted) throws InterruptedException {
        while (true) {
            JsonNode message = messages.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (message == null) {
                throw new AssertionError("the server did not say it");
            }
            if (wanted.test(message)) {
                return message;
            }
        }
    }

    Frame frame() throws InterruptedException {
        Frame frame = frames.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (frame == null) {
            throw new AssertionError("no picture came");
        }
        return frame;
    }

    /** Frames that came and were not yet asked for. */
    int framesWaiting() {
        return frames.size();
    }

    /** Messages that came and were not yet asked for. */
    int messagesWaiting() {
        return messages.size();
    }

    /** 0 while it is open. */
    int closeCode() {
        return closeCode;
    }

    @Override
    public CompletionStage<?> onText(WebSocket webSocket, CharSequence data, boolean last) {
        text.append(data);
        if (last) {
            try {
                messages.add(JSON.readTree(text.toString()));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            text.setLength(0);
        }
        webSocket.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onBinary(WebSocket webSocket, ByteBuffer data, boolean last) {
        byte[] part = new byte[data.remaining()];
        data.get(part);
        binary.writeBytes(part);
        if (last) {
            ByteBuffer message = ByteBuffer.wrap(binary.toByteArray());
            byte[] header = new byte[message.getInt()];
            message.get(header);
            byte[] image = Arrays.copyOfRange(message.array(), message.position(), message.limit());
            binary.reset();
            try {
                frames.add(new Frame(JSON.readTree(header), image));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            taken++;
            if (acknowledges) {
                say(webSocket, "{\"type\":\"ack\",\"frames\":" + taken + "}");
            }
        }
        webSocket.request(1);
        return null;
    }

    @Override
    public CompletionStage<?> onClose(WebSocket webSocket, int statusCode, String reason) {
        closeCode = statusCode;
        return null;
    }

    @Override
    public void close() {
        socket.abort();
    }
}

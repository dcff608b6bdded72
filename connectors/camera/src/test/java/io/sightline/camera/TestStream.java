// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Iterator;
import java.util.List;

/** A camera that streams over HTTP: without a length, as one that has no end. */
final class TestStream implements AutoCloseable {

    private final HttpServer server;
    private final Iterator<byte[]> connections;
    private final Runnable onConnect;

    private TestStream(List<byte[]> connections, Runnable onConnect) throws IOException {
        this.connections = connections.iterator();
        this.onConnect = onConnect;
        this.server =
                HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/live", this::answer);
        server.start();
    }

    static TestStream serve(byte[] stream) throws IOException {
        return serve(List.of(stream), () -> {});
    }

    /**
     * @param connections what each viewer in turn gets until its stream ends; of no bytes, and of
     *     those that come later: none is served
     * @param onConnect is told of each
     */
    static TestStream serve(List<byte[]> connections, Runnable onConnect) throws IOException {
        return new TestStream(connections, onConnect);
    }

    String address(String userInfo, String query) {
        return "http://"
                + userInfo
                + server.getAddress().getHostString()
                + ":"
                + server.getAddress().getPort()
                + "/live"
                + query;
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            onConnect.run();
            byte[] stream = connections.hasNext() ? connections.next() : new byte[0];
            exchange.sendResponseHeaders(
                    stream.length == 0 ? 503 : 200, stream.length == 0 ? -1 : 0);
            exchange.getResponseBody().write(stream);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}

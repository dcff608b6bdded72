// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.javalin.Javalin;
import io.javalin.config.JavalinConfig;
import io.javalin.http.BadRequestResponse;
import io.javalin.http.Context;
import io.javalin.http.Cookie;
import io.javalin.http.ForbiddenResponse;
import io.javalin.http.HttpResponseException;
import io.javalin.http.HttpStatus;
import io.javalin.http.NotFoundResponse;
import io.javalin.http.SameSite;
import io.javalin.http.UnauthorizedResponse;
import io.javalin.http.staticfiles.Location;
import io.javalin.websocket.WsConfig;
import io.javalin.websocket.WsConnectContext;
import io.javalin.websocket.WsContext;
import io.javalin.websocket.WsMessageContext;
import io.sightline.live.Messages.Moment;
import io.sightline.live.WindowFrame.Picture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.SessionHandler;
import org.eclipse.jetty.http.HttpFields;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.session.NullSessionCache;
import org.eclipse.jetty.session.NullSessionDataStore;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The page, its WebSocket, and the window over HTTP. */
final class LiveServer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LiveServer.class);

    /** A request that reads slowly holds a thread: there is one for each connection, and some. */
    private static final int MAX_CONNECTIONS = 128;

    private static final int SPARE_THREADS = 16;

    /** Camera ids of a whole wall. */
    private static final long MAX_MESSAGE_BYTES = 1 << 18;

    private static final int TRY_AGAIN_LATER = 1013;

    private static final Map<String, String> HEADERS =
            new TreeMap<>(
                    Map.of(
                            "Content-Security-Policy",
                            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
                                    + " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
                                    + " require-trusted-types-for 'script'",
                            "X-Content-Type-Options",
                            "nosniff",
                            "X-Frame-Options",
                            "DENY",
                            "Referrer-Policy",
                            "no-referrer",
                            "Cross-Origin-Opener-Policy",
                            "same-origin",
                            "Cross-Origin-Resource-Policy",
                            "same-origin",
                            "Permissions-Policy",
                            "camera=(), microphone=(), geolocation=()"));

    private static final String NEEDS_TOKEN =
            "This page needs a token. Open it once as /?token=… with the token it was started with.";

    private final FrameWindow window;
    private final WindowLimits limits;
    private final Topics topics;
    private final Viewers viewers;
    private final HttpEndpoint endpoint;
    private final Access access;
    private final Supplier<Moment> moments;
    private final ObjectMapper json = new ObjectMapper();
    private final Map<String, Viewer> bySession = new ConcurrentHashMap<>();
    private final Javalin javalin;
    private ServerSocketChannel socket;

    LiveServer(
            FrameWindow window,
            WindowLimits limits,
            Topics topics,
            Viewers viewers,
            HttpEndpoint endpoint,
            Supplier<Moment> moments) {
        this.window = window;
        this.limits = limits;
        this.topics = topics;
        this.viewers = viewers;
        this.endpoint = endpoint;
        this.access = new Access(endpoint.names(), endpoint.token());
        this.moments = moments;
        this.javalin = Javalin.create(this::configure);
    }

    /**
     * @throws IOException where the port is taken, or the address is not this machine's
     */
    void start() throws IOException {
        // Bound here, since Javalin would report a taken port as an error of its own.
        try {
            socket = ServerSocketChannel.open();
            socket.setOption(StandardSocketOptions.SO_REUSEADDR, true);
            socket.bind(new InetSocketAddress(endpoint.address(), endpoint.port()));
        } catch (IOException | UnresolvedAddressException e) {
            throw new IOException(
                    "the live page cannot be served at "
                            + endpoint.address()
                            + ":"
                            + endpoint.port()
                            + " ("
                            + (e.getMessage() == null ? "unknown address" : e.getMessage())
                            + "): is the port taken? --port 0 takes any that is free",
                    e);
        }
        javalin.start();
    }

    private ServerConnector connector(Server server, HttpConfiguration http) {
        ServerConnector connector = new ServerConnector(server, new HttpConnectionFactory(http));
        try {
            connector.open(socket);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return connector;
    }

    int port() {
        return javalin.port();
    }

    private void configure(JavalinConfig config) {
        config.startup.showJavalinBanner = false;
        config.startup.showOldJavalinVersionWarning = false;
        config.startup.startupWatcherEnabled = false;
        QueuedThreadPool threads = new QueuedThreadPool(MAX_CONNECTIONS + SPARE_THREADS, 4);
        threads.setName("live-http");
        threads.setDaemon(true);
        config.jetty.threadPool = threads;
        config.jetty.addConnector(this::connector);
        config.jetty.modifyServer(
                server -> server.addBean(new NetworkConnectionLimit(MAX_CONNECTIONS, server)));
        config.jetty.modifyServletContextHandler(LiveServer::keepNoSessions);
        config.jetty.modifyHttpConfiguration(http -> http.addCustomizer(uncompressed()));
        config.jetty.modifyWebSocketServletFactory(
                factory -> {
                    factory.setMaxTextMessageSize(MAX_MESSAGE_BYTES);
                    factory.setMaxBinaryMessageSize(1);
                    factory.setIdleTimeout(Duration.ofMinutes(1));
                });
        config.staticFiles.add(
                files -> {
                    files.directory = "/live";
                    files.location = Location.CLASSPATH;
                    files.hostedPath = "/";
                    files.headers = Map.of("Cache-Control", "no-cache");
                });
        config.routes.before(this::guard);
        config.routes.wsBeforeUpgrade("/live", this::guardUpgrade);
        config.routes.get("/healthz", this::health);
        config.routes.get("/api/frames", this::frames);
        config.routes.get("/api/picture", this::picture);
        config.routes.ws("/live", this::watch);
        config.routes.exception(HttpResponseException.class, LiveServer::refuse);
        config.routes.error(404, LiveServer::notFound);
    }

    /** Javalin opens a session for each WebSocket; kept, they would pile up. */
    private static void keepNoSessions(ServletContextHandler context) {
        SessionHandler sessions = context.getSessionHandler();
        sessions.setUsingCookies(false);
        NullSessionCache nothing = new NullSessionCache(sessions);
        nothing.setSessionDataStore(new NullSessionDataStore());
        sessions.setSessionCache(nothing);
    }

    /** Pictures are compressed already: WebSockets must not do it again. */
    private static HttpConfiguration.Customizer uncompressed() {
        return (request, responseHeaders) -> {
            if (!request.getHeaders().contains(HttpHeader.SEC_WEBSOCKET_EXTENSIONS)) {
                return request;
            }
            HttpFields without =
                    HttpFields.build(request.getHeaders())
                            .remove(HttpHeader.SEC_WEBSOCKET_EXTENSIONS)
                            .asImmutable();
            return new Request.Wrapper(request) {
                @Override
                public HttpFields getHeaders() {
                    return without;
                }
            };
        };
    }

    private void guard(Context context) {
        HEADERS.forEach(context::header);
        String host = context.header("Host");
        if (!access.allowsHost(host)) {
            throw new ForbiddenResponse(
                    "This server is not known by the name you used: use its address, or start it with --host NAME.");
        }
        if (context.path().equals("/healthz") || signsIn(context)) {
            return;
        }
        admit(context);
    }

    private void guardUpgrade(Context context) {
        String host = context.header("Host");
        if (!access.allowsHost(host) || !Access.allowsOrigin(context.header("Origin"), host)) {
            throw new ForbiddenResponse("Only pages of this server may connect.");
        }
        admit(context);
    }

    private void admit(Context context) {
        if (!access.admits(context.header("Authorization"), context.cookie(cookieName()))) {
            throw new UnauthorizedResponse(NEEDS_TOKEN);
        }
    }

    /**
     * Takes the token out of the address, where it could be seen, and into a cookie. That may come
     * along where a link elsewhere leads here, this one above all: requests change nothing, and
     * WebSockets have to come from this server's pages.
     */
    private boolean signsIn(Context context) {
        String token = context.queryParam("token");
        if (!access.needsToken()
                || token == null
                || !context.path().equals("/")
                || !access.isToken(token)) {
            return false;
        }
        context.cookie(
                new Cookie(
                        cookieName(), access.cookie(), "/", -1, false, true, null, SameSite.LAX));
        context.redirect("/", HttpStatus.SEE_OTHER);
        context.skipRemainingHandlers();
        return true;
    }

    /** Cookies do not tell ports apart. */
    private String cookieName() {
        return "sightline-live-" + port();
    }

    private static void refuse(HttpResponseException e, Context context) {
        context.status(e.getStatus());
        explain(context, e.getMessage());
    }

    private static void notFound(Context context) {
        if (context.result() == null || context.result().isEmpty()) {
            explain(context, "There is nothing here.");
        }
    }

    private static void explain(Context context, String message) {
        context.header("Cache-Control", "no-store");
        if (context.path().startsWith("/api/")) {
            context.contentType("application/json").result(Messages.error(message));
        } else {
            // Never as HTML: a message may name what was asked for.
            context.contentType("text/plain; charset=utf-8").result(message + "\n");
        }
    }

    private void health(Context context) {
        context.header("Cache-Control", "no-store");
        context.contentType("application/json").result(Messages.health(moments.get()));
    }

    private void frames(Context context) {
        context.header("Cache-Control", "no-store");
        context.contentType("application/json")
                .result(Messages.list(window.pictures(parameter(context, "camera"))));
    }

    private void picture(Context context) {
        Picture picture =
                window.picture(parameter(context, "camera"), key(parameter(context, "key")));
        if (picture == null) {
            throw new NotFoundResponse("That frame is not in the window (any more).");
        }
        context.header("Cache-Control", "no-store");
        context.contentType(picture.contentType()).result(picture.image());
    }

    private static String parameter(Context context, String name) {
        String value = context.queryParam(name);
        if (value == null) {
            throw new BadRequestResponse("The parameter " + name + " is missing.");
        }
        return value;
    }

    private static FrameKey key(String text) {
        int dash = text.indexOf('-');
        try {
            return new FrameKey(
                    Integer.parseInt(text.substring(0, Math.max(0, dash))),
                    Long.parseLong(text.substring(dash + 1)));
        } catch (NumberFormatException e) {
            throw new BadRequestResponse("The parameter key is no key of a frame.");
        }
    }

    private void watch(WsConfig socket) {
        socket.onConnect(this::connected);
        socket.onMessage(this::heard);
        socket.onClose(this::gone);
        socket.onError(this::gone);
    }

    private void connected(WsConnectContext context) {
        Viewer viewer =
                new Viewer(window, new WebSocketConnection(context.session), System::nanoTime);
        viewer.greet(Messages.hello(moments.get(), limits.frames(), topics, camera -> 0));
        if (!viewers.add(viewer)) {
            context.closeSession(
                    TRY_AGAIN_LATER, "there are " + Viewers.MAX_VIEWERS + " viewers already");
            return;
        }
        bySession.put(context.sessionId, viewer);
        viewer.show(null);
        if (!context.session.isOpen()) {
            // It may have been told so before the viewer was known.
            gone(context);
        }
    }

    private void gone(WsContext context) {
        Viewer viewer = bySession.remove(context.sessionId);
        if (viewer != null) {
            viewers.remove(viewer);
        }
    }

    private void heard(WsMessageContext context) {
        Viewer viewer = bySession.get(context.sessionId);
        if (viewer == null) {
            return;
        }
        try {
            JsonNode message = json.readTree(context.message());
            switch (message.path("type").asText()) {
                case "ack" -> viewer.acknowledge(message.path("frames").asLong());
                case "show" -> viewer.show(cameras(message.path("cameras")));
                default -> LOG.debug("a page says something unknown");
            }
        } catch (IOException e) {
            LOG.debug("a page says something that is not JSON");
        }
    }

    private static Set<String> cameras(JsonNode ids) {
        if (!ids.isArray()) {
            return null;
        }
        Set<String> cameras = new HashSet<>();
        ids.forEach(id -> cameras.add(id.asText()));
        return cameras;
    }

    @Override
    public void close() {
        javalin.stop();
        if (socket != null) {
            try {
                socket.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}

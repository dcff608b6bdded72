// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.live.Messages.Moment;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The live page: reads frames and events from Kafka and shows them to browsers. It needs nothing of
 * the job but its topics, and runs beside it or elsewhere. Owns a Kafka consumer, a web server and
 * their threads.
 */
public final class LiveView implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LiveView.class);

    private static final long STATUS_MILLIS = 1_000;

    /** A viewer that takes so long for one message is let go. */
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final InstantSource clock = InstantSource.system();
    private final HttpEndpoint endpoint;
    private final FrameWindow window;
    private final Viewers viewers;
    private final TopicReader reader;
    private final LiveServer server;
    private final CountDownLatch closed = new CountDownLatch(1);
    private final Thread ticker = new Thread(this::tick, "live-status");

    /**
     * Serves the page, whether Kafka is there yet or not.
     *
     * @param kafka properties of the Kafka client, with {@code bootstrap.servers}
     * @throws IOException where the page cannot be served at that endpoint
     * @throws org.apache.kafka.common.KafkaException where the properties are not a client's
     */
    public static LiveView start(
            Map<String, Object> kafka, Topics topics, WindowLimits limits, HttpEndpoint endpoint)
            throws IOException {
        return start(kafka, topics, limits, endpoint, PATIENCE);
    }

    static LiveView start(
            Map<String, Object> kafka,
            Topics topics,
            WindowLimits limits,
            HttpEndpoint endpoint,
            Duration patience)
            throws IOException {
        LiveView view = new LiveView(kafka, topics, limits, endpoint, patience);
        try {
            view.server.start();
        } catch (IOException | RuntimeException e) {
            view.close();
            throw e;
        }
        view.ticker.setDaemon(true);
        view.ticker.start();
        view.reader.start();
        return view;
    }

    private LiveView(
            Map<String, Object> kafka,
            Topics topics,
            WindowLimits limits,
            HttpEndpoint endpoint,
            Duration patience) {
        this.endpoint = endpoint;
        window = new FrameWindow(limits, clock);
        viewers = new Viewers(patience);
        server = new LiveServer(window, limits, topics, viewers, endpoint, this::moment);
        reader = new TopicReader(kafka, topics, window, viewers, clock);
    }

    /** Where a browser on this machine finds the page. */
    public URI uri() {
        String address = endpoint.address();
        String host =
                switch (address) {
                    case "0.0.0.0", "::", "[::]" -> "localhost";
                    default ->
                            address.contains(":") && !address.startsWith("[")
                                    ? "[" + address + "]"
                                    : address;
                };
        return URI.create("http://" + host + ":" + server.port() + "/");
    }

    private Moment moment() {
        return new Moment(
                clock.millis(),
                window.cameras(),
                window.totals(),
                reader.skipped(),
                viewers.count(),
                reader.state());
    }

    private void tick() {
        try {
            while (!closed.await(STATUS_MILLIS, TimeUnit.MILLISECONDS)) {
                try {
                    viewers.status(moment());
                } catch (RuntimeException e) {
                    LOG.error("viewers were not told how things are", e);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends everything, and returns when it has ended. Idempotent. */
    @Override
    public void close() {
        closed.countDown();
        awaitEnd(ticker);
        reader.close();
        server.close();
    }

    /** Of a thread that was told to end, or never started; an interruption is kept for later. */
    static void awaitEnd(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

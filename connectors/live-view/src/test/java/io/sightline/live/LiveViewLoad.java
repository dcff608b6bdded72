// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What the page's server costs with {@value #CAMERAS} cameras and {@value #VIEWERS} viewers, one of
 * which never reads. A measurement, no test of the build:
 *
 * <pre>
 * mvn -pl connectors/live-view -am test -Dtest=LiveViewLoad -Dsurefire.failIfNoSpecifiedTests=false
 * </pre>
 */
class LiveViewLoad {

    private static final int CAMERAS = 16;
    private static final int VIEWERS = 5;
    private static final int FRAMES_PER_SECOND = 5;
    private static final int FRAME_BYTES = 60_000;
    private static final int SECONDS = 30;

    /** A third of what the frames of the run would take. */
    private static final WindowLimits LIMITS =
            new WindowLimits(150, 64 << 20, 64, Duration.ofSeconds(2));

    private static final Topics TOPICS =
            new Topics("camera-frames", "detections", "dead", "status");

    @TempDir Path folder;

    @Test
    void shouldServeTheOthersWithinItsMemory() throws Exception {
        try (RestartableBroker broker = new RestartableBroker(folder)) {
            broker.createTopic(TOPICS.frames(), 8);
            broker.createTopic(TOPICS.events(), 1);
            Map<String, Object> client = Map.of("bootstrap.servers", broker.servers);
            try (LiveView view = LiveView.start(client, TOPICS, LIMITS, HttpEndpoint.loopback(0));
                    Socket deaf = deaf(view.uri())) {
                List<Watching> watching = new ArrayList<>();
                for (int i = 1; i < VIEWERS; i++) {
                    watching.add(new Watching(view.uri()));
                }
                play(client, 5);
                watching.forEach(Watching::reset);
                long cpu = serverCpuNanos();
                play(client, SECONDS);
                double cpuMillis = (serverCpuNanos() - cpu) / 1e6;
                int sent = CAMERAS * FRAMES_PER_SECOND * SECONDS;
                System.out.printf(
                        "%d cameras at %d frames/s of %d bytes, %d viewers of which one never reads, %d s%n",
                        CAMERAS, FRAMES_PER_SECOND, FRAME_BYTES, VIEWERS, SECONDS);
                for (Watching viewer : watching) {
                    System.out.println(viewer.summary(sent));
                }
                JsonNode totals = totals(view.uri());
                System.out.printf(
                        "server: %.2f CPU ms a frame for all viewers together; window %.1f of %.1f MB, %d frames; heap in use %.1f MB with broker and viewers%n",
                        cpuMillis / sent,
                        totals.get("bytes_held").asLong() / 1e6,
                        LIMITS.bytes() / 1e6,
                        totals.get("frames_held").asInt(),
                        heapBytes() / 1e6);
                assertThat(totals.get("bytes_held").asLong()).isLessThanOrEqualTo(LIMITS.bytes());
                watching.forEach(Watching::close);
            }
        }
    }

    /** A viewer that draws at once. */
    private static final class Watching {
        final Page page;
        private final Thread thread = new Thread(this::run, "viewer");
        private final List<Long> delays = new ArrayList<>();

        Watching(URI server) {
            page = Page.open(server, true);
            thread.setDaemon(true);
            thread.start();
        }

        private void run() {
            try {
                while (true) {
                    Page.Frame frame = page.frame();
                    long taken = frame.header().get("capture_time_ms").asLong();
                    synchronized (this) {
                        delays.add(System.currentTimeMillis() - taken);
                    }
                }
            } catch (InterruptedException e) {
                // Closed.
            }
        }

        synchronized void reset() {
            delays.clear();
        }

        synchronized String summary(int sent) {
            long[] sorted = delays.stream().mapToLong(Long::longValue).sorted().toArray();
            return String.format(
                    "viewer: %d of %d frames; written to Kafka to received p50 %d ms, p95 %d ms",
                    sorted.length,
                    sent,
                    sorted[sorted.length / 2],
                    sorted[(int) (sorted.length * 0.95)]);
        }

        void close() {
            thread.interrupt();
            page.close();
        }
    }

    private static Socket deaf(URI server) throws Exception {
        Socket socket = new Socket();
        socket.setReceiveBufferSize(4096);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getPort()));
        String request =
                String.join(
                        "\r\n",
                        "GET /live HTTP/1.1",
                        "Host: localhost",
                        "Upgrade: websocket",
                        "Connection: Upgrade",
                        "Sec-WebSocket-Version: 13",
                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                        "",
                        "");
        socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /** Frames at their pace, the cameras spread over it; an event follows each. */
    private static void play(Map<String, Object> client, int seconds) throws Exception {
        byte[] image = new byte[FRAME_BYTES];
        new Random(1).nextBytes(image);
        DetectedObject[] objects = new DetectedObject[5];
        Arrays.fill(objects, new DetectedObject(0, "person", 0.9, new BoundingBox(1, 2, 3, 4)));
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(client, new ByteArraySerializer(), new ByteArraySerializer())) {
            // Asked for in the callback below, it would be waited for by the thread that brings it.
            assertThat(producer.partitionsFor(TOPICS.events())).isNotEmpty();
            long start = System.nanoTime();
            int frames = CAMERAS * FRAMES_PER_SECOND * seconds;
            for (int i = 0; i < frames; i++) {
                long due = start + i * 1_000_000_000L / (CAMERAS * FRAMES_PER_SECOND);
                long wait = (due - System.nanoTime()) / 1_000_000;
                if (wait > 0) {
                    Thread.sleep(wait);
                }
                String camera = "cam-" + i % CAMERAS;
                byte[] key = camera.getBytes(StandardCharsets.UTF_8);
                Future<RecordMetadata> unused =
                        producer.send(
                                new ProducerRecord<>(TOPICS.frames(), key, image),
                                (written, failure) -> {
                                    FrameKey frame =
                                            new FrameKey(written.partition(), written.offset());
                                    String json =
                                            TestFrames.json(frame, camera, Arrays.asList(objects));
                                    answer(producer, key, json);
                                });
            }
            // The frames, then the events that followed the last of them.
            producer.flush();
            producer.flush();
        }
    }

    private static void answer(KafkaProducer<byte[], byte[]> producer, byte[] key, String json) {
        Future<RecordMetadata> unused =
                producer.send(
                        new ProducerRecord<>(
                                TOPICS.events(), key, json.getBytes(StandardCharsets.UTF_8)));
    }

    /** Of the reader's, the status' and the web server's threads. */
    private static long serverCpuNanos() {
        var threads = ManagementFactory.getThreadMXBean();
        long nanos = 0;
        for (ThreadInfo thread : threads.getThreadInfo(threads.getAllThreadIds())) {
            if (thread != null && thread.getThreadName().startsWith("live-")) {
                nanos += Math.max(0, threads.getThreadCpuTime(thread.getThreadId()));
            }
        }
        return nanos;
    }

    private static JsonNode totals(URI server) throws IOException {
        try (InputStream counts = server.resolve("healthz").toURL().openStream()) {
            return new ObjectMapper().readTree(counts);
        }
    }

    private static long heapBytes() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import io.sightline.events.DeadLetterCodec;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Reads events and dead letters as they come, shows a line for each, and keeps count. */
public final class EventLog implements AutoCloseable {

    /** Objects of an event that fit into a line. */
    private static final int SHOWN = 4;

    private final DetectionEventCodec codec = new DetectionEventCodec();
    private final float confidence;
    private final Consumer<DetectionEvent> listener;
    private final PrintStream out;
    private final OutputStream file;

    /** Milliseconds up to which latencies are told apart: longer ones count as that long. */
    private static final int LONGEST_MILLIS = 600_000;

    /** The last answered offset of each; the reading thread's alone. */
    private final Map<Origin, Long> latest = new HashMap<>();

    private KafkaConsumer<byte[], byte[]> consumer;
    private Thread thread;
    private volatile boolean closed;

    private String eventsTopic;
    private long events;
    private long doubles;
    private long deadLetters;
    private final Map<TopicPartition, Long> needed = new HashMap<>();
    private long firstMillis;
    private long lastMillis;

    /** Events by milliseconds from capture to hand-over. */
    private final long[] latencies = new long[LONGEST_MILLIS + 1];

    private Exception failure;

    /** In it events have the order of their frames, so one that goes back came before. */
    private record Origin(int partition, String camera) {}

    /**
     * @param frames frames the cameras sent
     * @param events different events
     * @param doubles events that came once more
     * @param deadLetters frames that could not be analysed
     * @param framesPerSecond from the first to the last answer
     * @param p50 median milliseconds from capture to hand-over to the sink, at most ten minutes;
     *     p95 and p99 alike
     */
    public record Summary(
            long frames,
            long events,
            long doubles,
            long deadLetters,
            double framesPerSecond,
            long p50,
            long p95,
            long p99) {

        /** Frames without an answer. */
        public long lost() {
            return frames - events - deadLetters;
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT,
                    "frames %d | events %d (%d doubled) | dead letters %d | lost %d | %.1f frames/s | capture to event p50 %d ms, p95 %d ms, p99 %d ms",
                    frames,
                    events,
                    doubles,
                    deadLetters,
                    lost(),
                    framesPerSecond,
                    p50,
                    p95,
                    p99);
        }
    }

    /**
     * @param eventsFile gets each event as it is on the topic, on a line of its own; null for
     *     nowhere
     * @param confidence objects above it are shown
     * @param listener gets each event once, by one thread
     */
    EventLog(Path eventsFile, float confidence, Consumer<DetectionEvent> listener, PrintStream out)
            throws IOException {
        this.confidence = confidence;
        this.listener = listener;
        this.out = out;
        this.file =
                eventsFile == null
                        ? OutputStream.nullOutputStream()
                        : new BufferedOutputStream(Files.newOutputStream(eventsFile));
    }

    /** Begins to read both topics, from their start. */
    void follow(String bootstrapServers, String events, String deadLetters) {
        eventsTopic = events;
        Properties properties = new Properties();
        properties.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        properties.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        consumer =
                new KafkaConsumer<>(
                        properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> partitions =
                List.of(events, deadLetters).stream()
                        .flatMap(topic -> consumer.partitionsFor(topic).stream())
                        .map(info -> new TopicPartition(info.topic(), info.partition()))
                        .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        thread = new Thread(this::read, "event-log");
        thread.setDaemon(true);
        thread.start();
    }

    private void read() {
        try {
            while (!closed) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    if (record.topic().equals(eventsTopic)) {
                        event(record.value());
                    } else {
                        deadLetter(record);
                    }
                    readTo(new TopicPartition(record.topic(), record.partition()), record.offset());
                }
            }
        } catch (WakeupException e) {
            // Closed while it waited.
        } catch (IOException | RuntimeException e) {
            synchronized (this) {
                failure = e;
                notifyAll();
            }
        }
    }

    /** Takes an event as it is on the topic. */
    void event(byte[] json) throws IOException {
        DetectionEvent event = codec.decode(json);
        file.write(json);
        file.write('\n');
        out.println(line(event));
        DetectionEvent.Source frame = event.source();
        Origin origin = new Origin(frame.partition(), event.cameraId());
        if (frame.offset() <= latest.getOrDefault(origin, -1L)) {
            synchronized (this) {
                doubles++;
            }
            return;
        }
        latest.put(origin, frame.offset());
        listener.accept(event);
        readTo(new TopicPartition(frame.topic(), frame.partition()), frame.offset());
        synchronized (this) {
            answered();
            long millis = event.timing().captureToEmitMs();
            latencies[(int) Math.max(0, Math.min(millis, LONGEST_MILLIS))]++;
            events++;
        }
    }

    private String line(DetectionEvent event) {
        List<DetectionEvent.DetectedObject> objects =
                event.objects().stream().filter(o -> o.confidence() > confidence).toList();
        String best =
                objects.stream()
                        .limit(SHOWN)
                        .map(o -> String.format(Locale.ROOT, "%s %.2f", o.label(), o.confidence()))
                        .collect(Collectors.joining(", "));
        int more = objects.size() - SHOWN;
        return String.format(
                Locale.ROOT,
                "%s  %-8s #%-5s %3d ms  %s",
                event.captureTime().substring(11, 23),
                event.cameraId(),
                event.seq() == null ? "-" : event.seq(),
                event.timing().captureToEmitMs(),
                objects.isEmpty() ? "-" : more > 0 ? best + " and " + more + " more" : best);
    }

    private void deadLetter(ConsumerRecord<byte[], byte[]> record) {
        Header message = record.headers().lastHeader(DeadLetterCodec.ERROR_MESSAGE);
        out.println(
                "dead letter: "
                        + (message == null
                                ? "no reason given"
                                : new String(message.value(), StandardCharsets.UTF_8)));
        synchronized (this) {
            deadLetters++;
            answered();
        }
    }

    private synchronized void readTo(TopicPartition partition, long offset) {
        needed.put(partition, offset + 1);
    }

    /**
     * The first offset of each partition that is still to be read: here, or where it is of frames,
     * by the job.
     */
    synchronized Map<TopicPartition, Long> needed() {
        return Map.copyOf(needed);
    }

    private void answered() {
        lastMillis = System.currentTimeMillis();
        if (firstMillis == 0) {
            firstMillis = lastMillis;
        }
        notifyAll();
    }

    /** Frames that have their answer: different events and dead letters. */
    synchronized long received() throws IOException {
        if (failure != null) {
            throw new IOException("events cannot be read: " + failure.getMessage(), failure);
        }
        return events + deadLetters;
    }

    /** Waits for more answers than that; false where none came in time. */
    synchronized boolean awaitMore(long than, Duration patience)
            throws IOException, InterruptedException {
        long deadline = System.nanoTime() + patience.toNanos();
        while (received() <= than) {
            long millis = (deadline - System.nanoTime()) / 1_000_000;
            if (millis <= 0) {
                return false;
            }
            wait(millis);
        }
        return true;
    }

    synchronized Summary summary(long frames) {
        double seconds = Math.max(1, lastMillis - firstMillis) / 1e3;
        return new Summary(
                frames,
                events,
                doubles,
                deadLetters,
                (events + deadLetters) / seconds,
                percentile(50),
                percentile(95),
                percentile(99));
    }

    /** Nearest rank; 0 of nothing. */
    private long percentile(int percent) {
        long rank = (long) Math.ceil(events * percent / 100.0);
        int millis = 0;
        for (long seen = latencies[0]; seen < rank; seen += latencies[millis]) {
            millis++;
        }
        return millis;
    }

    @Override
    public void close() throws IOException {
        closed = true;
        if (thread != null) {
            consumer.wakeup();
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            consumer.close();
        }
        file.close();
    }
}

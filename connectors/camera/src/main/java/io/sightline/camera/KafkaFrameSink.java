// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import io.sightline.events.CameraFrameCodec;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes frames to the frames topic, as records that keep its contract. A frame that cannot be
 * delivered is reported by the next call; none is lost without one. Owns its producer; for any
 * number of threads.
 */
public final class KafkaFrameSink implements FrameSink {

    /** Room beside the picture for the key, the headers and the record itself. */
    private static final int RECORD_OVERHEAD_BYTES = 64 * 1024;

    private static final long MIN_BUFFER_MEMORY_BYTES = 32L * 1024 * 1024;

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(5);

    private final Producer<byte[], byte[]> producer;
    private final String topic;
    private final int maxFrameBytes;
    private final AtomicReference<IOException> failure = new AtomicReference<>();

    /**
     * Connects to a broker.
     *
     * @param clientProperties {@code bootstrap.servers} and security; what else they set wins over
     *     what the sink sets, but for acknowledgement, idempotence and serialisers
     * @param topic the frames topic, which must be there
     * @param maxFrameBytes the largest encoded picture
     * @throws IOException where the topic cannot be reached
     */
    public static KafkaFrameSink connect(
            Map<String, ?> clientProperties, String topic, int maxFrameBytes)
            throws IOException, InterruptedException {
        Producer<byte[], byte[]> producer;
        try {
            producer = new KafkaProducer<>(producerProperties(clientProperties, maxFrameBytes));
        } catch (KafkaException e) {
            throw new IOException("frames topic " + topic + ": " + rootMessage(e), e);
        }
        try {
            producer.partitionsFor(topic);
        } catch (InterruptException e) {
            producer.close(Duration.ZERO);
            throw interrupted(e);
        } catch (KafkaException e) {
            producer.close(Duration.ZERO);
            throw new IOException(
                    "frames topic "
                            + topic
                            + ": not to be reached at "
                            + clientProperties.get(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG)
                            + ": is the broker up, and does the topic exist? ("
                            + rootMessage(e)
                            + ")",
                    e);
        }
        return new KafkaFrameSink(producer, topic, maxFrameBytes);
    }

    KafkaFrameSink(Producer<byte[], byte[]> producer, String topic, int maxFrameBytes) {
        this.producer = producer;
        this.topic = topic;
        this.maxFrameBytes = maxFrameBytes;
    }

    static Map<String, Object> producerProperties(Map<String, ?> given, int maxFrameBytes) {
        long maxRequestBytes = (long) maxFrameBytes + RECORD_OVERHEAD_BYTES;
        Map<String, Object> properties = new HashMap<>();
        properties.put(
                ProducerConfig.MAX_REQUEST_SIZE_CONFIG,
                (int) Math.min(Integer.MAX_VALUE, maxRequestBytes));
        properties.put(
                ProducerConfig.BUFFER_MEMORY_CONFIG,
                Math.max(MIN_BUFFER_MEMORY_BYTES, 4 * maxRequestBytes));
        // A frame is a batch by itself: waiting for company would only delay it.
        properties.put(ProducerConfig.LINGER_MS_CONFIG, 1);
        properties.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "none");
        properties.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 15_000);
        properties.putAll(given);
        properties.put(ProducerConfig.ACKS_CONFIG, "all");
        properties.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        properties.put(
                ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
        properties.put(
                ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class.getName());
        return properties;
    }

    @Override
    public void accept(EncodedFrame frame) throws IOException, InterruptedException {
        throwFailure();
        if (frame.jpeg().length > maxFrameBytes) {
            throw new IOException(
                    describe(frame)
                            + ": "
                            + frame.jpeg().length
                            + " bytes, expected at most "
                            + maxFrameBytes
                            + ": raise max-frame-bytes or lower the JPEG quality");
        }
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(
                        topic,
                        null,
                        frame.captureTimeMillis(),
                        frame.cameraId().getBytes(StandardCharsets.UTF_8),
                        frame.jpeg(),
                        headers(frame));
        try {
            // What the future would say comes to the callback, and from there to the next call.
            var unused =
                    producer.send(
                            record,
                            (metadata, e) -> {
                                if (e != null) {
                                    failure.compareAndSet(null, undelivered(frame, e));
                                }
                            });
        } catch (InterruptException e) {
            throw interrupted(e);
        } catch (KafkaException e) {
            throw undelivered(frame, e);
        }
    }

    @Override
    public void flush() throws IOException, InterruptedException {
        try {
            producer.flush();
        } catch (InterruptException e) {
            throw interrupted(e);
        }
        throwFailure();
    }

    /** Gives what is under way a few seconds; {@link #flush()} first waits for all of it. */
    @Override
    public void close() throws IOException {
        boolean wasInterrupted = Thread.interrupted();
        try {
            producer.close(CLOSE_TIMEOUT);
        } catch (KafkaException e) {
            throw new IOException("frames topic " + topic + ": " + rootMessage(e), e);
        } finally {
            if (wasInterrupted) {
                Thread.currentThread().interrupt();
            }
        }
        throwFailure();
    }

    private void throwFailure() throws IOException {
        IOException first = failure.get();
        if (first != null) {
            throw new IOException(first.getMessage(), first);
        }
    }

    private IOException undelivered(EncodedFrame frame, Exception cause) {
        return new IOException(
                describe(frame) + ": not delivered to topic " + topic + ": " + rootMessage(cause),
                cause);
    }

    private static String describe(EncodedFrame frame) {
        return "frame " + frame.seq() + " of camera " + frame.cameraId();
    }

    private static InterruptedException interrupted(InterruptException e) {
        // Kafka sets the flag as well; whoever gets the exception need not find both.
        Thread.interrupted();
        InterruptedException interrupted = new InterruptedException(e.getMessage());
        interrupted.initCause(e);
        return interrupted;
    }

    private static String rootMessage(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
    }

    private static List<Header> headers(EncodedFrame frame) {
        List<Header> headers = new ArrayList<>();
        for (FrameRecord.Header header :
                new FrameHeaders()
                        .contentType(CameraFrameCodec.DEFAULT_CONTENT_TYPE)
                        .seq(frame.seq())
                        .epoch(frame.epoch())
                        .pts(frame.pts(), frame.timebase())
                        .toArray()) {
            headers.add(new RecordHeader(header.name(), header.value()));
        }
        return headers;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Cameras that send ready pictures, each at a rate of its own, camera i into partition i: cameras
 * that hash to the same partition would tell of the hash. Those that fall behind send without pause
 * until they have caught up. Owns a producer and a thread.
 */
final class CameraLoad implements AutoCloseable {

    private static final int MAX_REQUEST_BYTES = 8 << 20;

    private final String topic;
    private final List<byte[]> pictures;
    private final double[] framesPerSecond;
    private final KafkaProducer<byte[], byte[]> producer;
    private final AtomicLongArray sent;
    private final AtomicReference<Exception> failure = new AtomicReference<>();
    private final ExecutorService thread = Executors.newSingleThreadExecutor();
    private final Future<?> sending;
    private volatile boolean ending;

    /** Starts to send. */
    CameraLoad(
            String bootstrapServers,
            String topic,
            List<byte[]> pictures,
            double[] framesPerSecond) {
        this.topic = topic;
        this.pictures = pictures;
        this.framesPerSecond = framesPerSecond.clone();
        this.sent = new AtomicLongArray(framesPerSecond.length);
        this.producer =
                new KafkaProducer<>(
                        Map.of(
                                "bootstrap.servers",
                                bootstrapServers,
                                "max.request.size",
                                MAX_REQUEST_BYTES,
                                "linger.ms",
                                0),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
        this.sending = thread.submit(this::send);
    }

    static String camera(int number) {
        return "cam-" + number;
    }

    private Void send() throws InterruptedException {
        int cameras = framesPerSecond.length;
        long start = System.nanoTime();
        long[] due = new long[cameras];
        for (int camera = 0; camera < cameras; camera++) {
            // Cameras that nobody has synchronised.
            due[camera] = (long) (1e9 / framesPerSecond[camera] * camera / cameras);
        }
        while (!ending && failure.get() == null) {
            int next = 0;
            for (int camera = 1; camera < cameras; camera++) {
                if (due[camera] < due[next]) {
                    next = camera;
                }
            }
            TimeUnit.NANOSECONDS.sleep(due[next] - (System.nanoTime() - start));
            long seq = sent.get(next);
            var unused =
                    producer.send(
                            frame(next, seq),
                            (metadata, e) -> {
                                if (e != null) {
                                    failure.compareAndSet(null, e);
                                }
                            });
            sent.incrementAndGet(next);
            due[next] += (long) (1e9 / framesPerSecond[next]);
        }
        return null;
    }

    private ProducerRecord<byte[], byte[]> frame(int camera, long seq) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(
                        topic,
                        camera,
                        System.currentTimeMillis(),
                        camera(camera).getBytes(StandardCharsets.UTF_8),
                        pictures.get((int) ((seq + 7L * camera) % pictures.size())));
        for (FrameRecord.Header header : new FrameHeaders().seq(seq).toArray()) {
            record.headers().add(header.name(), header.value());
        }
        return record;
    }

    /** Frames of all cameras so far. */
    long sent() {
        long sum = 0;
        for (int camera = 0; camera < sent.length(); camera++) {
            sum += sent.get(camera);
        }
        return sum;
    }

    long sent(int camera) {
        return sent.get(camera);
    }

    /**
     * Stops sending; returns when all frames are delivered.
     *
     * @throws IOException where one is not
     */
    @Override
    public void close() throws IOException, InterruptedException {
        ending = true;
        try {
            sending.get();
        } catch (ExecutionException e) {
            failure.compareAndSet(null, e);
        } finally {
            thread.shutdown();
            producer.close();
        }
        if (failure.get() != null) {
            throw new IOException("a frame cannot be sent: " + failure.get(), failure.get());
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Cameras that go on sending, camera c to partition c, while things happen to a cluster. In a
 * storm, three records of ten are such that no event may come of them.
 */
final class FrameFeed implements AutoCloseable {

    private static final Duration PERIOD = Duration.ofMillis(100);
    private static final double BAD_IN_A_STORM = 0.3;

    /** The job's limit. */
    static final int MAX_FRAME_BYTES = 64 * 1024;

    private final KafkaProducer<byte[], byte[]> producer;
    private final int cameras;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private Future<?> sending;

    /** Frames of each camera that the broker has taken; those of a camera arrive in order. */
    private volatile int taken;

    /** Bad records that the broker has taken. */
    private volatile int bad;

    private volatile boolean storm;
    private final Random random = new Random();
    private int seq;
    private int badTaken;

    private FrameFeed(String bootstrapServers, int cameras) {
        this.cameras = cameras;
        producer =
                new KafkaProducer<>(
                        Map.of("bootstrap.servers", bootstrapServers, "acks", "all"),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
    }

    static FrameFeed start(String bootstrapServers, int cameras) {
        FrameFeed feed = new FrameFeed(bootstrapServers, cameras);
        feed.sending =
                feed.clock.scheduleWithFixedDelay(
                        feed::sendOfEach, 0, PERIOD.toMillis(), TimeUnit.MILLISECONDS);
        return feed;
    }

    /** A frame of each camera, when the broker has taken those before. */
    private void sendOfEach() {
        try {
            List<Future<?>> sent = new ArrayList<>();
            for (int camera = 0; camera < cameras; camera++) {
                while (storm && random.nextDouble() < BAD_IN_A_STORM) {
                    sent.add(producer.send(badFrame(camera)));
                }
                sent.add(producer.send(frame(camera)));
            }
            for (Future<?> frame : sent) {
                frame.get();
            }
            badTaken += sent.size() - cameras;
            bad = badTaken;
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        seq++;
        taken = seq;
    }

    private ProducerRecord<byte[], byte[]> frame(int camera) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(
                        "camera-frames",
                        camera,
                        ColourFrames.camera(camera).getBytes(UTF_8),
                        ColourFrames.jpeg(camera, seq));
        for (FrameRecord.Header header : new FrameHeaders().seq(seq).toArray()) {
            record.headers().add(header.name(), header.value());
        }
        return record;
    }

    private ProducerRecord<byte[], byte[]> badFrame(int camera) {
        return BadFrame.any(random, ColourFrames.camera(camera).getBytes(UTF_8), MAX_FRAME_BYTES)
                .record("camera-frames", camera, null);
    }

    /** From now on, or no longer. */
    void storm(boolean on) {
        storm = on;
    }

    /** How many bad records there are; what is being sent may come to it. */
    int bad() {
        return bad;
    }

    /**
     * Returns when some more frames of each camera have been taken.
     *
     * @return how many of each there are by then
     */
    int awaitMore() throws Exception {
        int enough = taken + 10;
        LivePipeline.await(
                "frames are taken",
                () -> {
                    if (sending.isDone()) {
                        sending.get();
                    }
                    return taken >= enough;
                });
        return taken;
    }

    @Override
    public void close() throws InterruptedException {
        clock.shutdownNow();
        clock.awaitTermination(LivePipeline.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        producer.close(Duration.ZERO);
    }
}

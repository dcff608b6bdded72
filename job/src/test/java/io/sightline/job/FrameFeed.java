// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Cameras that go on sending, camera c to partition c, while things happen to a cluster. */
final class FrameFeed implements AutoCloseable {

    private static final Duration PERIOD = Duration.ofMillis(100);

    private final KafkaProducer<byte[], byte[]> producer;
    private final int cameras;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private Future<?> sending;

    /** Frames of each camera that the broker has taken; those of a camera arrive in order. */
    private volatile int taken;

    private int seq;

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
            Future<?>[] sent = new Future<?>[cameras];
            for (int camera = 0; camera < cameras; camera++) {
                sent[camera] = producer.send(frame(camera));
            }
            for (Future<?> frame : sent) {
                frame.get();
            }
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

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.live;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatus.ClockJumps;
import io.sightline.events.CameraStatus.DroppedOffsets;
import io.sightline.events.CameraStatus.OffsetRange;
import io.sightline.events.CameraStatusCodec;
import io.sightline.events.DeadLetter;
import io.sightline.events.DeadLetterCodec;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.BoundingBox;
import io.sightline.events.DetectionEvent.DetectedObject;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.DropReason;
import io.sightline.events.EventId;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.events.Rejection;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Cameras and a job whose events are known beforehand: every object of a picture is a white block
 * on grey, and its event says where it is.
 */
final class StagedCameras implements AutoCloseable {

    static final String FRAMES = "camera-frames";
    static final String EVENTS = "detections";
    static final String DEAD_LETTERS = "camera-frames-dead-letter";
    static final String STATUSES = "camera-status";

    static final long INTERVAL_MILLIS = 200;

    /** Of each camera the job says every so many frames what became of them. */
    private static final int FRAMES_PER_STATUS = 5;

    private static final int PARTITIONS = 2;

    /** An APP1 segment with nothing in it but tag 0x0112, orientation, of value 6. */
    private static final byte[] EXIF_ON_ITS_SIDE =
            HexFormat.of()
                    .parseHex(
                            "ffe10022457869660000"
                                    + "4d4d002a00000008"
                                    + "0001"
                                    + "011200030000000100060000"
                                    + "00000000");

    private static final String MODEL_SHA256 = "5".repeat(64);

    private final DetectionEventCodec codec = new DetectionEventCodec();
    private final CameraStatusCodec statusCodec = new CameraStatusCodec();
    private final KafkaProducer<byte[], byte[]> producer;
    private final ScheduledExecutorService clock = Executors.newSingleThreadScheduledExecutor();
    private final ScheduledFuture<?> filming;
    private final Map<String, Camera> cameras = new ConcurrentHashMap<>();

    /** What becomes of a frame. */
    enum Outcome {
        EVENT,
        DEAD_LETTER,
        /** A dead letter, since there is no picture in it. */
        EMPTY,
        /** Every other frame is dropped for a newer one. */
        HALF_SUPERSEDED,
        /** An event, but not before the camera is turned to something else. */
        WITHHELD,
        NOTHING
    }

    /** What a camera shows; never changes. */
    record Scene(int width, int height, List<DetectedObject> objects) {

        private byte[] jpeg() {
            BufferedImage picture = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
            Graphics2D graphics = picture.createGraphics();
            graphics.setColor(new Color(60, 60, 60));
            graphics.fillRect(0, 0, width, height);
            graphics.setColor(Color.WHITE);
            for (DetectedObject object : objects) {
                BoundingBox box = object.bbox();
                graphics.fillRect(
                        (int) box.x(), (int) box.y(), (int) box.width(), (int) box.height());
            }
            graphics.dispose();
            ByteArrayOutputStream jpeg = new ByteArrayOutputStream();
            try {
                ImageIO.write(picture, "jpeg", jpeg);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            return withOrientation(jpeg.toByteArray());
        }

        /** The job looks at pixels as stored; a browser would turn this picture on its side. */
        private static byte[] withOrientation(byte[] jpeg) {
            byte[] turned = new byte[jpeg.length + EXIF_ON_ITS_SIDE.length];
            System.arraycopy(jpeg, 0, turned, 0, 2);
            System.arraycopy(EXIF_ON_ITS_SIDE, 0, turned, 2, EXIF_ON_ITS_SIDE.length);
            System.arraycopy(jpeg, 2, turned, 2 + EXIF_ON_ITS_SIDE.length, jpeg.length - 2);
            return turned;
        }
    }

    private record Withheld(long seq, long captured, RecordMetadata place) {}

    private static final class Camera {
        final Scene scene;
        final byte[] jpeg;
        volatile Outcome outcome = Outcome.EVENT;
        final List<OffsetRange> superseded = new ArrayList<>();
        final List<Withheld> withheld = new ArrayList<>();
        long seq;
        long events;
        long deadLetters;

        Camera(Scene scene) {
            this.scene = scene;
            this.jpeg = scene.jpeg();
        }
    }

    StagedCameras(String bootstrapServers) {
        producer =
                new KafkaProducer<>(
                        Map.of("bootstrap.servers", bootstrapServers),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
        filming =
                clock.scheduleAtFixedRate(
                        () -> cameras.forEach(this::film),
                        0,
                        INTERVAL_MILLIS,
                        TimeUnit.MILLISECONDS);
    }

    static DetectedObject object(
            int classId, String label, double confidence, int x, int y, int width, int height) {
        return new DetectedObject(classId, label, confidence, new BoundingBox(x, y, width, height));
    }

    /** A camera starts to film, five frames a second. */
    void start(String camera, Scene scene) {
        cameras.put(camera, new Camera(scene));
    }

    void stop(String camera) {
        cameras.remove(camera);
    }

    void stopAll() {
        cameras.clear();
    }

    /** What becomes of a camera's frames from now on. */
    void turn(String camera, Outcome outcome) {
        cameras.get(camera).outcome = outcome;
    }

    private void film(String id, Camera camera) {
        long captured = System.currentTimeMillis();
        long seq = camera.seq++;
        ProducerRecord<byte[], byte[]> frame =
                new ProducerRecord<>(
                        FRAMES,
                        Math.floorMod(id.hashCode(), PARTITIONS),
                        captured,
                        id.getBytes(UTF_8),
                        camera.outcome == Outcome.EMPTY ? new byte[0] : camera.jpeg);
        frame.headers().add(FrameHeaders.SEQ, Long.toString(seq).getBytes(UTF_8));
        try {
            RecordMetadata place = producer.send(frame).get();
            if (camera.outcome != Outcome.WITHHELD) {
                for (Withheld late : camera.withheld) {
                    sendEvent(id, late.seq(), late.captured(), camera, late.place());
                }
                camera.withheld.clear();
            }
            switch (camera.outcome) {
                case EVENT -> sendEvent(id, seq, captured, camera, place);
                case DEAD_LETTER, EMPTY -> {
                    sendDeadLetter(frame, place);
                    camera.deadLetters++;
                }
                case HALF_SUPERSEDED -> {
                    if (seq % 2 == 0) {
                        camera.superseded.add(new OffsetRange(place.offset(), place.offset()));
                    } else {
                        sendEvent(id, seq, captured, camera, place);
                    }
                }
                case WITHHELD -> camera.withheld.add(new Withheld(seq, captured, place));
                case NOTHING -> {}
            }
            if (seq % FRAMES_PER_STATUS == FRAMES_PER_STATUS - 1) {
                sendStatus(id, seq / FRAMES_PER_STATUS, captured, camera, place.partition());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e.getCause());
        }
    }

    private void sendEvent(String id, long seq, long captured, Camera camera, RecordMetadata place)
            throws ExecutionException, InterruptedException {
        Scene scene = camera.scene;
        DetectionEvent event =
                new DetectionEvent(
                        DetectionEvent.SCHEMA,
                        EventId.of(FRAMES, place.partition(), place.offset(), MODEL_SHA256),
                        id,
                        0,
                        seq,
                        DetectionEventCodec.formatTime(captured),
                        new DetectionEvent.Source(FRAMES, place.partition(), place.offset()),
                        new DetectionEvent.Image(scene.width(), scene.height()),
                        new DetectionEvent.Model("staged", MODEL_SHA256, "int8", "none"),
                        scene.objects(),
                        new DetectionEvent.Timing(1, 2, 1, 5, 0.5, 1, 12),
                        null);
        producer.send(
                        new ProducerRecord<>(
                                EVENTS, null, captured, id.getBytes(UTF_8), codec.encode(event)))
                .get();
        camera.events++;
    }

    private void sendStatus(String id, long checkpoint, long now, Camera camera, int partition)
            throws ExecutionException, InterruptedException {
        long dropped = camera.superseded.size();
        CameraStatus status =
                new CameraStatus(
                        CameraStatus.SCHEMA,
                        id,
                        DetectionEventCodec.formatTime(now),
                        checkpoint,
                        0,
                        camera.events + camera.deadLetters + dropped,
                        camera.events,
                        camera.deadLetters,
                        Map.of(
                                DropReason.SUPERSEDED.label(), dropped,
                                DropReason.TOO_OLD.label(), 0L,
                                DropReason.ROOM_FULL.label(), 0L),
                        dropped == 0
                                ? List.of()
                                : List.of(
                                        new DroppedOffsets(
                                                FRAMES,
                                                partition,
                                                DropReason.SUPERSEDED.label(),
                                                List.copyOf(camera.superseded))),
                        7L,
                        DetectionEventCodec.formatTime(now),
                        0L,
                        null,
                        new ClockJumps(0, 0),
                        0);
        camera.superseded.clear();
        camera.events = 0;
        camera.deadLetters = 0;
        producer.send(
                        new ProducerRecord<>(
                                STATUSES,
                                null,
                                now,
                                id.getBytes(UTF_8),
                                statusCodec.encode(status)))
                .get();
    }

    private void sendDeadLetter(ProducerRecord<byte[], byte[]> frame, RecordMetadata place)
            throws ExecutionException, InterruptedException {
        DeadLetterCodec.Encoded letter =
                DeadLetterCodec.encode(
                        new DeadLetter(
                                new FrameRecord(
                                        FRAMES,
                                        place.partition(),
                                        place.offset(),
                                        frame.timestamp(),
                                        frame.key(),
                                        frame.value(),
                                        new FrameRecord.Header[0]),
                                Rejection.TRUNCATED,
                                "the picture ends too early"),
                        1024);
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(
                        DEAD_LETTERS, null, letter.timestampMillis(), letter.key(), letter.value());
        letter.headers().forEach(header -> record.headers().add(header.name(), header.value()));
        producer.send(record).get();
    }

    @Override
    public void close() {
        filming.cancel(false);
        clock.shutdownNow();
        producer.close();
    }
}

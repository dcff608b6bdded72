// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.events.CameraFrame;
import io.sightline.events.CameraFrameCodec;
import io.sightline.events.FrameRecord;
import io.sightline.events.FrameRejectedException;
import io.sightline.live.FrameWindow.Expired;
import io.sightline.live.FrameWindow.Joined;
import io.sightline.live.KafkaState.Contact;
import io.sightline.live.WindowFrame.Picture;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.PartitionInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads the topics into the window and tells the viewers, on a thread of its own: from their ends,
 * and what appears later from its beginning. It belongs to no consumer group and commits nothing,
 * so the job does not notice it. It never ends by itself: where brokers are away it waits for them.
 */
final class TopicReader implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TopicReader.class);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration ANSWER = Duration.ofSeconds(2);
    private static final long LOOK_MILLIS = 2_000;
    private static final long QUIET_MILLIS = 1_000;
    private static final long REFUSED_MILLIS = 5_000;
    private static final long RETRY_MILLIS = 500;

    /** For each broker: what a consumer holds that has been fetched and not yet been read. */
    private static final int FETCH_BYTES = 16 << 20;

    /**
     * A reader so far behind goes to the end: the page is for what is, not for what was. Both must
     * be so, since a camera's clock may be wrong, and a burst is soon read.
     */
    private static final long BEHIND_MILLIS = 5_000;

    private static final long BEHIND_RECORDS = 100;

    /** What Sightline's consumer cannot do without, or must not have. */
    private static final Set<String> NOT_THE_USERS =
            Set.of(
                    ConsumerConfig.GROUP_ID_CONFIG,
                    ConsumerConfig.GROUP_INSTANCE_ID_CONFIG,
                    ConsumerConfig.GROUP_PROTOCOL_CONFIG,
                    ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG,
                    ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG);

    private final Topics topics;
    private final FrameWindow window;
    private final Viewers viewers;
    private final InstantSource clock;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final TopicRecords records;
    private final Thread thread = new Thread(this::run, "live-topics");
    private final AtomicLong skipped = new AtomicLong();
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile KafkaState state = new KafkaState(Contact.CONNECTING, List.of());

    /** Of topics that were there or not when first asked for: what comes later is new. */
    private final Set<String> looked = new HashSet<>();

    private final Set<TopicPartition> assigned = new HashSet<>();

    /** This client may read the others, but not what the job says of cameras. */
    private boolean statusRefused;

    private long nextLookMillis;
    private long lastContactMillis;
    private String complaint;

    /**
     * @param kafka properties of the client
     * @throws KafkaException where they are no properties of a consumer
     */
    TopicReader(
            Map<String, Object> kafka,
            Topics topics,
            FrameWindow window,
            Viewers viewers,
            InstantSource clock) {
        this.topics = topics;
        this.window = window;
        this.viewers = viewers;
        this.clock = clock;
        this.records = new TopicRecords(topics.frames());
        this.consumer =
                new KafkaConsumer<>(
                        properties(kafka),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer());
        thread.setDaemon(true);
    }

    private static Map<String, Object> properties(Map<String, Object> kafka) {
        Map<String, Object> properties = new HashMap<>(kafka);
        properties.keySet().removeAll(NOT_THE_USERS);
        properties.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "latest");
        properties.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
        properties.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, (int) LOOK_MILLIS);
        properties.put(ConsumerConfig.RECONNECT_BACKOFF_MAX_MS_CONFIG, 2_000);
        properties.putIfAbsent(ConsumerConfig.CLIENT_ID_CONFIG, "sightline-live");
        properties.putIfAbsent(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.putIfAbsent(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
        return properties;
    }

    void start() {
        thread.start();
    }

    KafkaState state() {
        return state;
    }

    /** Records passed over: frames because the reader was behind, others because they failed it. */
    long skipped() {
        return skipped.get();
    }

    private void run() {
        try {
            while (closed.getCount() > 0) {
                step();
            }
        } catch (WakeupException e) {
            // Closed.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void step() throws InterruptedException {
        try {
            if (clock.millis() >= nextLookMillis) {
                look();
                nextLookMillis = clock.millis() + LOOK_MILLIS;
            }
            if (assigned.isEmpty()) {
                pause(POLL.toMillis());
            } else {
                take(consumer.poll(POLL));
            }
            expire();
        } catch (WakeupException e) {
            throw e;
        } catch (TopicAuthorizationException e) {
            if (e.unauthorizedTopics().equals(Set.of(topics.cameraStatus()))) {
                goWithoutStatus();
            } else {
                refused(e);
            }
        } catch (AuthenticationException | AuthorizationException e) {
            refused(e);
        } catch (KafkaException e) {
            complain(e);
            pause(RETRY_MILLIS);
        } catch (RuntimeException e) {
            // What nobody thought of must not end the page.
            LOG.error("the topics are read on after an error", e);
        }
    }

    private void refused(KafkaException e) throws InterruptedException {
        if (state.contact() != Contact.REFUSED) {
            LOG.error("Kafka refuses to be read: {}", e.getMessage());
        }
        contact(Contact.REFUSED);
        pause(REFUSED_MILLIS);
    }

    /**
     * The page showed cameras before there was such a topic, and those who run it gave it rights.
     */
    private void goWithoutStatus() {
        LOG.warn(
                "topic {} may not be read by this client: the page does not show which frames the job"
                        + " drops until it may, and the page is started again",
                topics.cameraStatus());
        statusRefused = true;
        if (assigned.removeIf(partition -> partition.topic().equals(topics.cameraStatus()))) {
            consumer.assign(assigned);
        }
    }

    /** Once for each reason, however often it is tried again. */
    private void complain(KafkaException e) {
        if (!Objects.equals(e.getMessage(), complaint)) {
            complaint = e.getMessage();
            LOG.warn("Kafka cannot be read, trying again: {}", complaint);
        }
    }

    private void pause(long millis) throws InterruptedException {
        closed.await(millis, TimeUnit.MILLISECONDS);
    }

    /** Finds partitions that are new, and out whether there is a broker at all. */
    private void look() {
        boolean quiet = clock.millis() - lastContactMillis > QUIET_MILLIS;
        try {
            List<String> missing = new ArrayList<>();
            for (String topic : List.of(topics.frames(), topics.events(), topics.deadLetters())) {
                if (!find(topic)) {
                    missing.add(topic);
                }
            }
            if (quiet && !assigned.isEmpty()) {
                // What is known of topics may be old; this asks the brokers.
                consumer.endOffsets(assigned, ANSWER);
                lastContactMillis = clock.millis();
            }
            state = new KafkaState(Contact.CONNECTED, List.copyOf(missing));
            if (!statusRefused) {
                // Older jobs do not write it.
                find(topics.cameraStatus());
            }
        } catch (TimeoutException e) {
            if (state.contact() == Contact.CONNECTED) {
                LOG.warn("Kafka does not answer: {}", e.getMessage());
                contact(Contact.LOST);
            }
        }
    }

    /** Whether the topic is there; its partitions are read from now on. */
    private boolean find(String topic) {
        List<PartitionInfo> partitions = consumer.partitionsFor(topic, ANSWER);
        boolean found = partitions != null && !partitions.isEmpty();
        if (found) {
            assign(topic, partitions);
        }
        looked.add(topic);
        return found;
    }

    private void assign(String topic, List<PartitionInfo> partitions) {
        List<TopicPartition> added = new ArrayList<>();
        for (PartitionInfo partition : partitions) {
            TopicPartition candidate = new TopicPartition(topic, partition.partition());
            if (assigned.add(candidate)) {
                added.add(candidate);
            }
        }
        if (added.isEmpty()) {
            return;
        }
        consumer.assign(assigned);
        if (looked.contains(topic)) {
            consumer.seekToBeginning(added);
        } else {
            consumer.seekToEnd(added);
        }
    }

    private void contact(Contact contact) {
        state = new KafkaState(contact, state.missingTopics());
    }

    /** Does not wait, and asks Kafka nothing but what the consumer knows. */
    void take(ConsumerRecords<byte[], byte[]> polled) {
        if (polled.isEmpty()) {
            return;
        }
        lastContactMillis = clock.millis();
        if (state.contact() != Contact.CONNECTED) {
            contact(Contact.CONNECTED);
        }
        polled.forEach(this::takeOrSkip);
        for (TopicPartition partition : polled.partitions()) {
            if (partition.topic().equals(topics.frames())) {
                List<ConsumerRecord<byte[], byte[]>> read = polled.records(partition);
                catchUp(partition, read.get(read.size() - 1).timestamp());
            }
        }
    }

    /** A record that nobody thought of must not take those behind it along. */
    private void takeOrSkip(ConsumerRecord<byte[], byte[]> record) {
        try {
            if (record.topic().equals(topics.frames())) {
                frame(record);
            } else if (record.topic().equals(topics.events())) {
                answer(records.event(record));
            } else if (record.topic().equals(topics.cameraStatus())) {
                JobStatus status = records.status(record);
                if (status != null) {
                    window.status(status).forEach(viewers::offer);
                }
            } else {
                answer(records.deadLetter(record));
            }
        } catch (RuntimeException e) {
            skipped.incrementAndGet();
            LOG.error(
                    "the record at {}-{}@{} was passed over",
                    record.topic(),
                    record.partition(),
                    record.offset(),
                    e);
        }
    }

    private void catchUp(TopicPartition partition, long timestamp) {
        long lag = consumer.currentLag(partition).orElse(0);
        if (lag > BEHIND_RECORDS && clock.millis() - timestamp > BEHIND_MILLIS) {
            consumer.seekToEnd(List.of(partition));
            skipped.addAndGet(lag);
        }
    }

    private void frame(ConsumerRecord<byte[], byte[]> record) {
        try {
            FrameRecord raw = records.frameRecord(record);
            CameraFrame frame = CameraFrameCodec.decode(raw, Integer.MAX_VALUE);
            Picture ready =
                    window.frame(
                            new FrameKey(record.partition(), record.offset()),
                            frame,
                            TopicRecords.contentType(raw));
            if (ready != null) {
                viewers.offer(ready);
            }
        } catch (FrameRejectedException e) {
            window.rejected(CameraFrameCodec.readableCameraId(record.key()));
        }
    }

    private void answer(Answer answer) {
        if (answer == null) {
            return;
        }
        Joined joined = window.answer(answer);
        if (joined == Joined.FRAME_READY) {
            Picture picture = window.picture(answer.camera(), answer.key());
            if (picture != null) {
                viewers.offer(picture);
            }
        }
        boolean alone = joined == Joined.LATE && answer instanceof Answer.Event;
        boolean letter = joined != Joined.REPEATED && answer instanceof Answer.DeadLetter;
        if (alone || letter) {
            viewers.tell(Messages.answer(answer));
        }
    }

    private void expire() {
        Expired expired = window.expire();
        expired.frames().forEach(viewers::offer);
        for (Answer answer : expired.answers()) {
            if (answer instanceof Answer.Event) {
                viewers.tell(Messages.answer(answer));
            }
        }
    }

    /** Ends the thread, if it was started, and waits for it. Idempotent. */
    @Override
    public void close() {
        closed.countDown();
        consumer.wakeup();
        LiveView.awaitEnd(thread);
        consumer.close(CloseOptions.timeout(Duration.ZERO));
    }
}

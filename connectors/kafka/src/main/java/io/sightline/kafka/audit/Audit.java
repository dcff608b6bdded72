// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.audit;

import io.sightline.events.CameraFrameCodec;
import io.sightline.events.CameraStatus;
import io.sightline.events.CameraStatusCodec;
import io.sightline.events.DeadLetterCodec;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.EventId;
import io.sightline.kafka.KafkaConnection;
import io.sightline.kafka.TopicPosition;
import io.sightline.kafka.audit.AuditReport.Doubled;
import io.sightline.kafka.audit.AuditReport.Range;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Proves, from the topics alone and as a reader of committed records, that every frame of a range
 * has exactly one answer: an event, a dead letter, or a drop that a camera status reports.
 *
 * <p>Answers are read from the beginning of their topics, and each sets a bit for the offset it
 * names. Frames themselves are read only where offsets are left without an answer, to tell those
 * that hold no frame. Memory is a few bits for each offset of the range. Where it can be known,
 * also what the statuses count for each camera is held against its answers.
 */
public final class Audit implements AutoCloseable {

    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration LONGEST_FETCH = Duration.ofMillis(20);
    private static final Duration RETRY = Duration.ofMillis(500);
    private static final Duration API_TIMEOUT = Duration.ofSeconds(15);
    private static final int RANGES_LISTED = 100;
    private static final int DEFECTS_LISTED = 10;

    /** Gaps nearer to each other than this are read in one go. */
    private static final int SEEK_DISTANCE = 500;

    /** What the answers of a camera within the range come to. */
    private static final class CameraTally {
        long events;
        long deadLetters;
        long dropped;
    }

    /** Told how far a topic has been read. */
    public interface Progress {
        void read(String topic, long done, long total);
    }

    private final AuditSettings settings;
    private final Progress progress;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final DetectionEventCodec eventCodec = new DetectionEventCodec();
    private final CameraStatusCodec statusCodec = new CameraStatusCodec();
    private final Map<Integer, PartitionAccount> accounts = new TreeMap<>();

    /** Where reading goes on, of every partition with answers. */
    private final Map<TopicPartition, Long> positions = new HashMap<>();

    private final Map<String, Long> droppedByReason = new TreeMap<>();
    private final Map<String, CameraTally> cameras = new TreeMap<>();
    private final CameraSums sums = new CameraSums();

    /** Why the statuses' counts cannot be compared with the answers; null where they can. */
    private String sumsUnknown;

    /** Of which frames nothing can be said, and why. */
    private final List<String> unproven = new ArrayList<>();

    private final List<String> defects = new ArrayList<>();
    private long defectCount;

    /** Since when, and where, reading has not come further. */
    private long stillSinceNanos;

    private long stillAt;

    public Audit(AuditSettings settings, Progress progress) {
        this.settings = settings;
        this.progress = progress;
        Properties properties = settings.kafka().toProperties();
        properties.setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        properties.setProperty(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, "false");
        properties.setProperty(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, "false");
        properties.setProperty(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        properties.setProperty(ConsumerConfig.GROUP_ID_CONFIG, settings.groupId());
        properties.setProperty(
                ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
                Long.toString(API_TIMEOUT.toMillis()));
        // A request that waits for records at the end of one topic holds up those for the next.
        properties.setProperty(
                ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, Long.toString(LONGEST_FETCH.toMillis()));
        consumer =
                new KafkaConsumer<>(
                        properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /**
     * @throws IOException if Kafka does not answer
     * @throws IllegalArgumentException if a topic or a partition is not there, the range is empty
     *     or contradicts itself, or it ends at an offset or a time that has not come
     */
    public AuditReport run() throws IOException, InterruptedException {
        try {
            AuditRange range = AuditRange.find(consumer, settings);
            accounts.putAll(range.accounts());
            unproven.addAll(range.unproven());
            for (String topic : answerTopics()) {
                for (TopicPartition partition : AuditRange.partitionsOf(consumer, topic)) {
                    positions.put(partition, 0L);
                }
            }
            findWhetherSumsAreKnown();
            readAnswers();
            findMissing();
            // Sums are compared with the statuses that were there before.
            readAnswers();
            forgetWhatWasAnswered();
            long deadline = System.nanoTime() + settings.patience().toNanos();
            while ((missing() + deleted() > 0 || !sumProblems().isEmpty())
                    && System.nanoTime() < deadline) {
                // What the job has committed may take a moment to show, topic by topic.
                TimeUnit.NANOSECONDS.sleep(RETRY.toNanos());
                readAnswers();
                forgetWhatWasAnswered();
            }
            return report();
        } catch (KafkaException e) {
            throw new IOException(
                    "Kafka at "
                            + settings.kafka().bootstrapServers()
                            + " cannot be read: "
                            + KafkaConnection.reason(e),
                    e);
        }
    }

    private List<String> answerTopics() {
        return List.of(settings.eventsTopic(), settings.deadLetterTopic(), settings.statusTopic());
    }

    /** Statuses count without offsets, so they can be held against whole topics only. */
    private void findWhetherSumsAreKnown() {
        if (!settings.exactlyOnce()) {
            sumsUnknown = "after a failure answers may be counted again, but under exactly-once";
        } else if (!(settings.from() instanceof TopicPosition.Earliest)) {
            sumsUnknown = "the range does not start with the topic";
        } else {
            consumer.beginningOffsets(positions.keySet())
                    .forEach(
                            (partition, offset) -> {
                                if (offset > 0) {
                                    sumsUnknown =
                                            "topic '"
                                                    + partition.topic()
                                                    + "' no longer holds its first records";
                                }
                            });
        }
    }

    private List<String> sumProblems() {
        return sumsUnknown == null ? sums.problems() : List.of();
    }

    /** From where reading stopped to the ends as they are now; statuses last. */
    private void readAnswers() {
        sums.beginPass();
        for (String topic : answerTopics()) {
            List<TopicPartition> partitions =
                    positions.keySet().stream().filter(p -> p.topic().equals(topic)).toList();
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            consumer.assign(partitions);
            partitions.forEach(p -> consumer.seek(p, positions.get(p)));
            stillSinceNanos = System.nanoTime();
            long total = ends.values().stream().mapToLong(Long::longValue).sum();
            while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
                for (ConsumerRecord<byte[], byte[]> record : poll()) {
                    take(record);
                }
                progress.read(
                        topic, partitions.stream().mapToLong(consumer::position).sum(), total);
            }
            partitions.forEach(p -> positions.put(p, consumer.position(p)));
        }
    }

    /**
     * @throws TimeoutException if there was nothing for as long as a request may take
     */
    private ConsumerRecords<byte[], byte[]> poll() {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
        long now = System.nanoTime();
        long at = consumer.assignment().stream().mapToLong(consumer::position).sum();
        if (at != stillAt) {
            stillAt = at;
            stillSinceNanos = now;
        } else if (now - stillSinceNanos > API_TIMEOUT.toNanos()) {
            throw new TimeoutException(
                    "no records of "
                            + consumer.assignment()
                            + " for "
                            + API_TIMEOUT.toSeconds()
                            + " s, expected more");
        }
        return records;
    }

    private void take(ConsumerRecord<byte[], byte[]> record) {
        try {
            if (record.topic().equals(settings.eventsTopic())) {
                takeEvent(eventCodec.decode(record.value()));
            } else if (record.topic().equals(settings.deadLetterTopic())) {
                takeDeadLetter(record);
            } else {
                takeStatus(statusCodec.decode(record.value()));
            }
        } catch (IllegalArgumentException e) {
            defect(
                    "the record at "
                            + record.topic()
                            + "-"
                            + record.partition()
                            + "@"
                            + record.offset()
                            + ": "
                            + e.getMessage());
        }
    }

    private void takeEvent(DetectionEvent event) {
        DetectionEvent.Source source = event.source();
        sums.event(event.cameraId());
        PartitionAccount account = account(source.topic(), source.partition());
        if (account == null || !account.answered.inRange(source.offset())) {
            return;
        }
        String sha256 = event.model().sha256();
        String id = EventId.of(source.topic(), source.partition(), source.offset(), sha256);
        if (!id.equals(event.eventId())) {
            throw new IllegalArgumentException(
                    "its event_id is " + event.eventId() + ", expected " + id);
        }
        if (account.event(source.offset(), sha256)) {
            tally(event.cameraId()).events++;
        }
    }

    private void takeDeadLetter(ConsumerRecord<byte[], byte[]> record) {
        PartitionAccount account =
                account(
                        header(record, DeadLetterCodec.SOURCE_TOPIC),
                        (int) number(record, DeadLetterCodec.SOURCE_PARTITION));
        long offset = number(record, DeadLetterCodec.SOURCE_OFFSET);
        String camera = CameraFrameCodec.readableCameraId(record.key());
        sums.deadLetter(camera);
        if (account != null && account.deadLetter(offset)) {
            tally(camera).deadLetters++;
        }
    }

    private static long number(ConsumerRecord<byte[], byte[]> record, String name) {
        String text = header(record, name);
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "header " + name + " is '" + text + "', expected a number", e);
        }
    }

    private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        if (header == null || header.value() == null) {
            throw new IllegalArgumentException("no dead letter: header " + name + " is missing");
        }
        return new String(header.value(), StandardCharsets.UTF_8);
    }

    private void takeStatus(CameraStatus status) {
        sums.status(status);
        long dropped = 0;
        for (CameraStatus.DroppedOffsets group : status.droppedOffsets()) {
            PartitionAccount account = account(group.topic(), group.partition());
            for (CameraStatus.OffsetRange range : group.ranges()) {
                dropped += range.last() - range.first() + 1;
                if (account != null) {
                    long added = account.dropped(range.first(), range.last());
                    droppedByReason.merge(group.reason(), added, Long::sum);
                    if (added > 0) {
                        tally(status.cameraId()).dropped += added;
                    }
                }
            }
        }
        long counted = status.dropped().values().stream().mapToLong(Long::longValue).sum();
        if (counted != dropped
                || status.framesIn() != status.events() + status.deadLetters() + counted) {
            throw new IllegalArgumentException(
                    "the status does not add up: frames_in "
                            + status.framesIn()
                            + ", events "
                            + status.events()
                            + ", dead_letters "
                            + status.deadLetters()
                            + ", dropped "
                            + counted
                            + ", offsets in dropped_offsets "
                            + dropped);
        }
    }

    /** Null where it is not audited. */
    private PartitionAccount account(String topic, int partition) {
        if (!topic.equals(settings.framesTopic())) {
            sumsUnknown = "there are answers to frames of topic '" + topic + "' as well";
            return null;
        }
        return accounts.get(partition);
    }

    /**
     * @param camera null where it has no readable id, or is not told apart
     */
    private CameraTally tally(String camera) {
        return cameras.computeIfAbsent(
                camera == null ? AuditReport.Camera.NONE : camera, id -> new CameraTally());
    }

    private void defect(String text) {
        defectCount++;
        if (defects.size() < DEFECTS_LISTED) {
            defects.add(text);
        }
    }

    /** Of the offsets without an answer, those that hold a frame. */
    private void findMissing() {
        for (PartitionAccount account : accounts.values()) {
            TopicPartition partition =
                    new TopicPartition(settings.framesTopic(), account.partition);
            OffsetBits missing = new OffsetBits(account.from, account.until);
            account.missing(missing);
            consumer.assign(List.of(partition));
            long begin = consumer.beginningOffsets(List.of(partition)).get(partition);
            stillSinceNanos = System.nanoTime();
            long end =
                    Math.min(account.until, consumer.endOffsets(List.of(partition)).get(partition));
            long at = -1;
            long gap = account.answered.nextAbsent(Math.max(begin, account.from));
            while (gap < end) {
                if (at < 0 || gap < at || gap - at > SEEK_DISTANCE) {
                    consumer.seek(partition, gap);
                }
                for (ConsumerRecord<byte[], byte[]> frame : poll()) {
                    if (account.answered.inRange(frame.offset())
                            && !account.answered.contains(frame.offset())) {
                        missing.add(frame.offset());
                    }
                }
                at = consumer.position(partition);
                gap = account.answered.nextAbsent(Math.max(at, gap));
                progress.read(settings.framesTopic(), Math.min(gap, end) - begin, end - begin);
            }
            // Retention may have deleted what was about to be read.
            account.heldFrom(consumer.beginningOffsets(List.of(partition)).get(partition));
        }
    }

    private void forgetWhatWasAnswered() {
        for (PartitionAccount account : accounts.values()) {
            OffsetBits still = new OffsetBits(account.from, account.until);
            OffsetBits before = account.missing();
            for (long at = before.nextPresent(account.from);
                    at < account.until;
                    at = before.nextPresent(at + 1)) {
                if (!account.answered.contains(at)) {
                    still.add(at);
                }
            }
            account.missing(still);
        }
    }

    private long missing() {
        return accounts.values().stream().mapToLong(account -> account.missing().count()).sum();
    }

    private long deleted() {
        return sum(PartitionAccount::deleted);
    }

    private AuditReport report() throws InterruptedException {
        long offsets = sum(account -> account.until - account.from);
        long answered = sum(account -> account.answered.count());
        long missing = missing();
        long deleted = deleted();
        long absent = offsets - answered - missing - deleted;
        findCompaction(absent);
        Doubled doubled =
                new Doubled(
                        sum(account -> account.doubledEvents),
                        sum(account -> account.doubledDeadLetters),
                        sum(account -> account.doubledDrops));
        long answeredAndDropped = sum(PartitionAccount::droppedAndAnswered);
        return new AuditReport(
                settings.framesTopic(),
                accounts.values().stream()
                        .map(account -> new Range(account.partition, account.from, account.until))
                        .toList(),
                offsets,
                sum(PartitionAccount::events),
                sum(PartitionAccount::deadLetters),
                droppedByReason,
                absent,
                deleted,
                missing,
                missingRanges(),
                doubled,
                answeredAndDropped,
                cameras.entrySet().stream()
                        .map(
                                camera ->
                                        new AuditReport.Camera(
                                                camera.getKey(),
                                                camera.getValue().events,
                                                camera.getValue().deadLetters,
                                                camera.getValue().dropped))
                        .toList(),
                sumsUnknown,
                problems(missing, doubled, answeredAndDropped));
    }

    /** Compaction leaves the same gaps as transactions do, where there were frames. */
    private void findCompaction(long absent) throws InterruptedException {
        if (absent == 0) {
            return;
        }
        String gaps =
                "topic '" + settings.framesTopic() + "': " + absent + " offsets hold no frame, ";
        try {
            String policy = cleanupPolicy();
            if (policy.contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
                unproven.add(
                        gaps
                                + "and it has cleanup.policy="
                                + policy
                                + ", which may have deleted them unread: set it to "
                                + TopicConfig.CLEANUP_POLICY_DELETE
                                + " and start the range after that");
            }
        } catch (ExecutionException e) {
            unproven.add(
                    gaps
                            + "and whether compaction deleted them cannot be told: "
                            + KafkaConnection.reason(e.getCause())
                            + "; the audit needs the right DescribeConfigs");
        }
    }

    private String cleanupPolicy() throws ExecutionException, InterruptedException {
        ConfigResource topic =
                new ConfigResource(ConfigResource.Type.TOPIC, settings.framesTopic());
        try (Admin admin = Admin.create(settings.kafka().toProperties())) {
            return admin.describeConfigs(List.of(topic))
                    .all()
                    .get()
                    .get(topic)
                    .get(TopicConfig.CLEANUP_POLICY_CONFIG)
                    .value();
        }
    }

    private interface Count {
        long of(PartitionAccount account);
    }

    private long sum(Count count) {
        return accounts.values().stream().mapToLong(count::of).sum();
    }

    private List<String> problems(long missing, Doubled doubled, long answeredAndDropped) {
        List<String> problems = new ArrayList<>(unproven);
        for (PartitionAccount account : accounts.values()) {
            if (account.deleted() > 0) {
                problems.add(
                        "partition "
                                + account.partition
                                + ": of the offsets before "
                                + account.heldFrom()
                                + ", where it begins now, "
                                + account.deleted()
                                + " have no answer and can no longer be read: nothing is proven of"
                                + " them; start at "
                                + account.heldFrom()
                                + " for what is left");
            }
        }
        if (missing > 0) {
            problems.add(missing + " frames have no answer");
        }
        long both = sum(PartitionAccount::eventsAndDeadLetters);
        if (both > 0) {
            problems.add(both + " frames have both an event and a dead letter");
        }
        long models = sum(PartitionAccount::eventsOfSeveralModels);
        if (models > 0) {
            problems.add(
                    models + " events are of frames that another model has an event for as well");
        }
        if (settings.exactlyOnce() && doubled.total() > 0) {
            problems.add(
                    doubled.total()
                            + " answers came again (events "
                            + doubled.events()
                            + ", dead letters "
                            + doubled.deadLetters()
                            + ", drops "
                            + doubled.dropped()
                            + "), expected none under exactly-once");
        }
        if (settings.exactlyOnce() && answeredAndDropped > 0) {
            problems.add(
                    answeredAndDropped
                            + " frames were both answered and dropped, expected none under"
                            + " exactly-once");
        }
        problems.addAll(sumProblems());
        if (defectCount > 0) {
            problems.add(defectCount + " records are not as they should be");
            problems.addAll(defects);
        }
        return problems;
    }

    private List<Range> missingRanges() {
        List<Range> ranges = new ArrayList<>();
        for (PartitionAccount account : accounts.values()) {
            OffsetBits missing = account.missing();
            long first = missing.nextPresent(account.from);
            while (first < account.until && ranges.size() < RANGES_LISTED) {
                long end = missing.nextAbsent(first);
                ranges.add(new Range(account.partition, first, end));
                first = missing.nextPresent(end);
            }
        }
        return ranges;
    }

    @Override
    public void close() {
        consumer.close();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.events.CameraFrameCodec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Asks Kafka, before a job starts, whether it is as the job needs it. Some of what is checked would
 * otherwise show only hours later, as a job that fails, is restarted and fails again.
 */
public final class KafkaPreflight {

    private static final String BROKER_TRANSACTION_LIMIT = "transaction.max.timeout.ms";

    /** What a record is beside its value: the key, our headers, and Kafka's own framing. */
    private static final int FRAME_OVERHEAD_BYTES = CameraFrameCodec.MAX_CAMERA_ID_BYTES + 1024;

    private static final int SUGGESTED_PARTITIONS = 8;

    private final FrameSourceSettings source;
    private final SinkSettings sinks;
    private final CheckpointTiming timing;
    private final long timeoutMillis;
    private final List<String> problems = new ArrayList<>();
    private final List<String> warnings = new ArrayList<>();

    private KafkaPreflight(
            FrameSourceSettings source,
            SinkSettings sinks,
            CheckpointTiming timing,
            Duration timeout) {
        this.source = source;
        this.sinks = sinks;
        this.timing = timing;
        this.timeoutMillis = timeout.toMillis();
    }

    /**
     * What was learnt.
     *
     * @param framePartitions partitions of the frames topic that will be read: the most source
     *     subtasks that find work
     * @param warnings what need not stop the job, one line each
     */
    public record Findings(int framePartitions, List<String> warnings) {}

    /**
     * @param source what the job reads
     * @param sinks where it writes, on the same Kafka
     * @param timing looked at under exactly-once only
     * @param timeout for each answer of Kafka
     * @throws KafkaPreflightException with everything that is wrong
     */
    public static Findings check(
            FrameSourceSettings source,
            SinkSettings sinks,
            CheckpointTiming timing,
            Duration timeout) {
        return new KafkaPreflight(source, sinks, timing, timeout).run();
    }

    private Findings run() {
        TopicPosition.stopProblem(source.until(), Instant.now()).ifPresent(problems::add);
        int partitions;
        try (Admin admin = openAdmin()) {
            Node broker = reach(admin);
            Map<String, TopicDescription> topics = describeTopics(admin);
            Map<ConfigResource, Config> configs = describeConfigs(admin, topics.keySet(), broker);
            awaitLeaders(admin, topics);
            partitions = checkFramesPartitions(topics.get(source.topic()));
            checkTopicConfigs(configs);
            if (sinks.delivery().isExactlyOnce()) {
                checkTransactions(configs.get(brokerResource(broker)));
            }
        }
        if (!problems.isEmpty()) {
            throw new KafkaPreflightException(problems, null);
        }
        return new Findings(partitions, List.copyOf(warnings));
    }

    private Admin openAdmin() {
        Properties properties = source.kafka().toProperties();
        String millis = Long.toString(timeoutMillis);
        properties.setProperty(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, millis);
        properties.setProperty(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, millis);
        properties.setProperty(
                CommonClientConfigs.CLIENT_ID_CONFIG, source.groupId() + "-preflight");
        try {
            return Admin.create(properties);
        } catch (KafkaException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw only("no Kafka client can be made: " + oneLine(cause.getMessage()), e);
        }
    }

    private Node reach(Admin admin) {
        try {
            return get(admin.describeCluster().nodes()).iterator().next();
        } catch (TimeoutException e) {
            throw unreachable(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException) {
                throw unreachable(e.getCause());
            }
            throw only(
                    "Kafka at "
                            + source.kafka().bootstrapServers()
                            + " turns the job away: "
                            + KafkaConnection.reason(e.getCause()),
                    e.getCause());
        }
    }

    private Map<String, TopicDescription> describeTopics(Admin admin) {
        Map<String, TopicDescription> found = new TreeMap<>();
        Set<String> names =
                new TreeSet<>(
                        List.of(
                                source.topic(),
                                sinks.eventsTopic(),
                                sinks.deadLetterTopic(),
                                sinks.statusTopic()));
        admin.describeTopics(names)
                .topicNameValues()
                .forEach(
                        (name, future) -> {
                            try {
                                found.put(name, get(future));
                            } catch (TimeoutException e) {
                                throw unreachable(e);
                            } catch (ExecutionException e) {
                                problems.add(
                                        e.getCause() instanceof UnknownTopicOrPartitionException
                                                ? "topic '"
                                                        + name
                                                        + "' does not exist: "
                                                        + createCommand(name)
                                                : "topic '"
                                                        + name
                                                        + "' cannot be used: "
                                                        + oneLine(e.getCause().getMessage()));
                            }
                        });
        return found;
    }

    /**
     * A topic that was just created may have no leader yet that leads. A producer's first requests
     * can then be let in out of order, and the ones left behind are refused until they expire.
     */
    private void awaitLeaders(Admin admin, Map<String, TopicDescription> topics) {
        Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
        topics.forEach(
                (name, topic) ->
                        topic.partitions()
                                .forEach(
                                        partition ->
                                                ends.put(
                                                        new TopicPartition(
                                                                name, partition.partition()),
                                                        OffsetSpec.latest())));
        if (ends.isEmpty()) {
            return;
        }
        ListOffsetsResult answers = admin.listOffsets(ends);
        for (TopicPartition partition : ends.keySet()) {
            try {
                get(answers.partitionResult(partition));
            } catch (TimeoutException | ExecutionException e) {
                problems.add(
                        "partition "
                                + partition
                                + " does not answer: "
                                + oneLine(e.getCause() == null ? null : e.getCause().getMessage())
                                + "; check that the broker that leads it runs");
            }
        }
    }

    private Map<ConfigResource, Config> describeConfigs(
            Admin admin, Set<String> topics, Node broker) {
        List<ConfigResource> resources = new ArrayList<>();
        topics.forEach(name -> resources.add(topicResource(name)));
        if (sinks.delivery().isExactlyOnce()) {
            resources.add(brokerResource(broker));
        }
        Map<ConfigResource, Config> found = new HashMap<>();
        admin.describeConfigs(resources)
                .values()
                .forEach(
                        (resource, future) -> {
                            try {
                                found.put(resource, get(future));
                            } catch (TimeoutException e) {
                                throw unreachable(e);
                            } catch (ExecutionException e) {
                                warnings.add(
                                        "the configuration of "
                                                + named(resource)
                                                + " cannot be checked: "
                                                + (e.getCause() instanceof AuthorizationException
                                                        ? "the job lacks the right DescribeConfigs"
                                                        : oneLine(e.getCause().getMessage())));
                            }
                        });
        return found;
    }

    private int checkFramesPartitions(TopicDescription frames) {
        if (frames == null) {
            return 0;
        }
        int count = frames.partitions().size();
        Set<Integer> named = source.namedPartitions();
        TopicPosition.partitionsProblem(named, source.topic(), count).ifPresent(problems::add);
        return named.isEmpty() ? count : named.size();
    }

    private void checkTopicConfigs(Map<ConfigResource, Config> configs) {
        Config frames = configs.get(topicResource(source.topic()));
        Config events = configs.get(topicResource(sinks.eventsTopic()));
        Config letters = configs.get(topicResource(sinks.deadLetterTopic()));
        if (frames != null) {
            if (isLogAppendTime(frames)) {
                problems.add(
                        "topic '"
                                + source.topic()
                                + "' stamps frames with LogAppendTime, which destroys their"
                                + " capture time: "
                                + alterCommand(
                                        source.topic(),
                                        TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG,
                                        "CreateTime"));
            }
            long limit = number(frames, TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
            long need = (long) source.maxFrameBytes() + FRAME_OVERHEAD_BYTES;
            if (limit < need) {
                warnings.add(
                        "topic '"
                                + source.topic()
                                + "' takes records of at most "
                                + limit
                                + " bytes, so frames up to max-frame-bytes = "
                                + source.maxFrameBytes()
                                + " cannot all arrive: "
                                + alterCommand(
                                        source.topic(),
                                        TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
                                        Long.toString(need)));
            }
        }
        checkKept(
                source.topic(),
                frames,
                "deletes frames that nobody has read, all but the last of each camera");
        for (String topic :
                List.of(sinks.eventsTopic(), sinks.deadLetterTopic(), sinks.statusTopic())) {
            checkKept(
                    topic,
                    configs.get(topicResource(topic)),
                    "deletes answers and refuses those without a key");
        }
        Config statuses = configs.get(topicResource(sinks.statusTopic()));
        if (statuses != null) {
            checkRecordBytes(
                    sinks.statusTopic(),
                    statuses,
                    CameraStatusSink.MAX_STATUS_BYTES,
                    "camera statuses");
        }
        checkSinkTopic(sinks.eventsTopic(), events, EventSink.MAX_EVENT_BYTES, "events", frames);
        checkSinkTopic(
                sinks.deadLetterTopic(),
                letters,
                DeadLetterSink.maxRecordBytes(sinks),
                "dead letters (dead-letter-max-bytes and headers)",
                frames);
    }

    /**
     * Compaction leaves of each camera the last record only, and where it is on the broker refuses
     * records without a key: dead letters of frames that had none, and the status cameras share.
     */
    private void checkKept(String topic, Config config, String harm) {
        ConfigEntry policy = config == null ? null : config.get(TopicConfig.CLEANUP_POLICY_CONFIG);
        if (policy != null
                && policy.value() != null
                && policy.value().contains(TopicConfig.CLEANUP_POLICY_COMPACT)) {
            problems.add(
                    "topic '"
                            + topic
                            + "' has cleanup.policy="
                            + policy.value()
                            + ", which "
                            + harm
                            + ": "
                            + alterCommand(
                                    topic,
                                    TopicConfig.CLEANUP_POLICY_CONFIG,
                                    TopicConfig.CLEANUP_POLICY_DELETE));
        }
    }

    private void checkSinkTopic(
            String topic, Config config, long needBytes, String what, Config frames) {
        if (config == null) {
            return;
        }
        checkRecordBytes(topic, config, needBytes, what);
        if (isLogAppendTime(config)) {
            warnings.add(
                    "topic '"
                            + topic
                            + "' stamps records with LogAppendTime: their timestamp will not be"
                            + " the capture time");
            return;
        }
        // What the frames topic let in must be let into the sinks' topics too, also on a replay.
        long before = number(config, TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG);
        if (before < Long.MAX_VALUE) {
            problems.add(
                    "topic '"
                            + topic
                            + "' refuses timestamps more than "
                            + before
                            + " ms old, and so the capture times of a replay: "
                            + alterCommand(
                                    topic,
                                    TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG,
                                    Long.toString(Long.MAX_VALUE)));
        }
        if (frames == null || isLogAppendTime(frames)) {
            return;
        }
        long after = number(config, TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG);
        long framesAfter = number(frames, TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG);
        if (after < framesAfter) {
            problems.add(
                    "topic '"
                            + topic
                            + "' refuses timestamps more than "
                            + after
                            + " ms ahead, the frames topic lets "
                            + framesAfter
                            + " ms pass: "
                            + alterCommand(
                                    topic,
                                    TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG,
                                    Long.toString(framesAfter)));
        }
    }

    /** A record that the broker refuses would fail the job, again after every restart. */
    private void checkRecordBytes(String topic, Config config, long needBytes, String what) {
        long limit = number(config, TopicConfig.MAX_MESSAGE_BYTES_CONFIG);
        if (limit < needBytes) {
            problems.add(
                    "topic '"
                            + topic
                            + "' takes records of at most "
                            + limit
                            + " bytes, "
                            + what
                            + " can have "
                            + needBytes
                            + ": "
                            + alterCommand(
                                    topic,
                                    TopicConfig.MAX_MESSAGE_BYTES_CONFIG,
                                    Long.toString(needBytes)));
        }
    }

    private void checkTransactions(Config broker) {
        Duration timeout = sinks.delivery().transactionTimeout();
        timingProblem(timing, timeout).ifPresent(problems::add);
        if (broker == null) {
            return;
        }
        long limit = number(broker, BROKER_TRANSACTION_LIMIT);
        if (timeout.toMillis() > limit) {
            problems.add(
                    "the transaction timeout, "
                            + timeout.toMillis()
                            + " ms, is above the broker's "
                            + BROKER_TRANSACTION_LIMIT
                            + " = "
                            + limit
                            + ": lower the first, or raise the second on every broker");
        }
    }

    /**
     * A transaction that times out while the job restarts is lost, and with it events; so the job
     * has to fail before, also where its checkpoints do.
     */
    static Optional<String> timingProblem(CheckpointTiming timing, Duration timeout) {
        Duration needed = timing.longestTransaction();
        if (needed.compareTo(timeout) < 0) {
            return Optional.empty();
        }
        return Optional.of(
                "a transaction may stay open for "
                        + needed.toMillis()
                        + " ms, "
                        + (1L + timing.tolerableFailures())
                        + " × max(checkpoint interval "
                        + timing.interval().toMillis()
                        + " ms, checkpoint timeout "
                        + timing.timeout().toMillis()
                        + " ms + pause between checkpoints "
                        + timing.pause().toMillis()
                        + " ms) + checkpoint timeout + tolerated restart "
                        + timing.tolerableRestart().toMillis()
                        + " ms, with "
                        + timing.tolerableFailures()
                        + " failed checkpoints tolerated; expected less than the transaction"
                        + " timeout, "
                        + timeout.toMillis()
                        + " ms: raise the timeout or lower one of the others");
    }

    private static boolean isLogAppendTime(Config topic) {
        ConfigEntry type = topic.get(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG);
        return type != null && "LogAppendTime".equals(type.value());
    }

    /** The setting, or the largest number where the broker knows no such limit. */
    private static long number(Config config, String name) {
        ConfigEntry entry = config.get(name);
        return entry == null || entry.value() == null
                ? Long.MAX_VALUE
                : Long.parseLong(entry.value());
    }

    private String createCommand(String topic) {
        StringBuilder command = new StringBuilder("kafka-topics.sh");
        commonArguments(command)
                .append(" --create --topic ")
                .append(topic)
                .append(" --partitions ")
                .append(SUGGESTED_PARTITIONS);
        if (topic.equals(source.topic())) {
            command.append(
                            " --config message.timestamp.type=CreateTime --config max.message.bytes=")
                    .append((long) source.maxFrameBytes() + FRAME_OVERHEAD_BYTES);
        } else if (topic.equals(sinks.deadLetterTopic())) {
            command.append(" --config max.message.bytes=")
                    .append(DeadLetterSink.maxRecordBytes(sinks));
        }
        return command.toString();
    }

    private String alterCommand(String topic, String name, String value) {
        StringBuilder command = new StringBuilder("kafka-configs.sh");
        return commonArguments(command)
                .append(" --alter --topic ")
                .append(topic)
                .append(" --add-config ")
                .append(name)
                .append('=')
                .append(value)
                .toString();
    }

    private StringBuilder commonArguments(StringBuilder command) {
        command.append(" --bootstrap-server ").append(source.kafka().bootstrapServers());
        return source.kafka().clientProperties().isEmpty()
                ? command
                : command.append(" --command-config FILE");
    }

    private KafkaPreflightException unreachable(Throwable cause) {
        return only(
                "no Kafka broker answers at "
                        + source.kafka().bootstrapServers()
                        + " within "
                        + timeoutMillis
                        + " ms: check the address, that the broker runs, and the client properties"
                        + " where it wants TLS or a login",
                cause);
    }

    private static KafkaPreflightException only(String problem, Throwable cause) {
        return new KafkaPreflightException(List.of(problem), cause);
    }

    /** Waits a little longer than the client itself does, so that its own reason comes first. */
    private <T> T get(KafkaFuture<T> future) throws ExecutionException, TimeoutException {
        try {
            return future.get(timeoutMillis + 1000, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw only("interrupted while waiting for Kafka", e);
        }
    }

    private static String oneLine(String text) {
        return text == null ? "no reason given" : text.replaceAll("\\s+", " ").strip();
    }

    private static ConfigResource topicResource(String topic) {
        return new ConfigResource(ConfigResource.Type.TOPIC, topic);
    }

    private static ConfigResource brokerResource(Node broker) {
        return new ConfigResource(ConfigResource.Type.BROKER, broker.idString());
    }

    private static String named(ConfigResource resource) {
        return (resource.type() == ConfigResource.Type.TOPIC ? "topic '" : "broker '")
                + resource.name()
                + "'";
    }
}

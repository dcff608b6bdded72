// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.local;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Makes topics on brokers that commands bring along. */
public final class TopicCreator {

    private static final Duration LEADER_TIMEOUT = Duration.ofSeconds(30);

    private TopicCreator() {}

    /**
     * Waits for a broker and makes topics there: {@code HOST:PORT TOPIC:PARTITIONS…}. For scripts
     * that run a broker of ours, with which Kafka's own tools do not come.
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        List<NewTopic> topics = new ArrayList<>();
        for (String topic : List.of(args).subList(1, args.length)) {
            int colon = topic.lastIndexOf(':');
            topics.add(
                    new NewTopic(
                            topic.substring(0, colon),
                            Integer.parseInt(topic.substring(colon + 1)),
                            (short) 1));
        }
        create(args[0], topics);
    }

    /**
     * Makes the topics and returns when each of their partitions can be written to: what is sent
     * before its leader leads may be taken out of order, and then be held up for minutes.
     *
     * @throws IOException if one of them cannot be made, with the broker's reason
     */
    public static void create(String bootstrapServers, List<NewTopic> topics)
            throws IOException, InterruptedException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers))) {
            admin.createTopics(topics).all().get();
            Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
            for (NewTopic topic : topics) {
                for (int i = 0; i < topic.numPartitions(); i++) {
                    ends.put(new TopicPartition(topic.name(), i), OffsetSpec.latest());
                }
            }
            awaitLeaders(admin, ends);
        } catch (ExecutionException e) {
            throw new IOException("topics cannot be created: " + e.getCause().getMessage(), e);
        }
    }

    /** Only a leader knows offsets. */
    private static void awaitLeaders(Admin admin, Map<TopicPartition, OffsetSpec> ends)
            throws ExecutionException, InterruptedException {
        long deadline = System.nanoTime() + LEADER_TIMEOUT.toNanos();
        while (true) {
            try {
                admin.listOffsets(ends).all().get();
                return;
            } catch (ExecutionException e) {
                // The client waits for leaders, but not for a topic that is yet to be heard of.
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)
                        || System.nanoTime() > deadline) {
                    throw e;
                }
                TimeUnit.MILLISECONDS.sleep(10);
            }
        }
    }
}

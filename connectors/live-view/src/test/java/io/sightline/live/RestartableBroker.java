// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.kafka.testing.KraftBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;

/** A real broker that goes away and comes back at the same port with what it had. */
final class RestartableBroker implements AutoCloseable {

    final String servers;
    private final KraftBroker broker;

    RestartableBroker(Path folder) throws IOException {
        broker = KraftBroker.start(folder);
        servers = broker.servers();
    }

    void start() {
        broker.start();
    }

    void stop() {
        broker.stop();
    }

    /** Returns when it can be written to. */
    void createTopic(String name, int partitions) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            admin.createTopics(List.of(new NewTopic(name, partitions, (short) 1))).all().get();
            for (int partition = 0; partition < partitions; partition++) {
                awaitLeader(admin, new TopicPartition(name, partition));
            }
        }
    }

    /** From now on it asks who may do what. Where nothing is said, everybody may. */
    void restartWithAcls() {
        stop();
        broker.set(
                "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
        broker.set("allow.everyone.if.no.acl.found", "true");
        start();
    }

    /** Nobody may do anything else with that topic any more. Returns when it is so. */
    void allowOnly(AclOperation operation, String topic) throws Exception {
        AclBinding binding =
                new AclBinding(
                        new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
                        new AccessControlEntry("User:*", "*", operation, AclPermissionType.ALLOW));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            admin.createAcls(List.of(binding)).all().get();
            while (!admin.describeAcls(AclBindingFilter.ANY).values().get().contains(binding)) {
                Thread.sleep(10);
            }
        }
    }

    private static void awaitLeader(Admin admin, TopicPartition partition) throws Exception {
        while (true) {
            try {
                admin.listOffsets(Map.of(partition, OffsetSpec.latest())).all().get();
                return;
            } catch (ExecutionException e) {
                if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                    throw e;
                }
                Thread.sleep(10);
            }
        }
    }

    @Override
    public void close() {
        stop();
    }
}

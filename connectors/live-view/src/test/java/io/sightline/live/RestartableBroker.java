// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclBindingFilter;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.Time;

/** A real broker that goes away and comes back at the same port with what it had. */
final class RestartableBroker implements AutoCloseable {

    final String servers;
    private final Properties properties = new Properties();
    private KafkaRaftServer server;

    RestartableBroker(Path folder) throws IOException {
        int[] ports = freePorts();
        servers = "127.0.0.1:" + ports[0];
        properties.put("process.roles", "broker,controller");
        properties.put("node.id", "1");
        properties.put("controller.quorum.voters", "1@127.0.0.1:" + ports[1]);
        properties.put("controller.listener.names", "CONTROLLER");
        properties.put(
                "listeners", "PLAINTEXT://" + servers + ",CONTROLLER://127.0.0.1:" + ports[1]);
        properties.put("log.dirs", folder.resolve("data").toString());
        properties.put("offsets.topic.num.partitions", "1");
        properties.put("offsets.topic.replication.factor", "1");
        properties.put("auto.create.topics.enable", "false");
        properties.put("log.cleaner.dedupe.buffer.size", "8388608");
        Path file = folder.resolve("server.properties");
        try (OutputStream out = Files.newOutputStream(file)) {
            properties.store(out, null);
        }
        String[] format = {"format", "-t", Uuid.randomUuid().toString(), "-c", file.toString()};
        StorageTool.execute(format, new PrintStream(OutputStream.nullOutputStream()));
        start();
    }

    void start() {
        server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
        server.startup();
    }

    void stop() {
        server.shutdown();
        server.awaitShutdown();
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
        properties.put(
                "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
        properties.put("allow.everyone.if.no.acl.found", "true");
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

    private static int[] freePorts() throws IOException {
        InetAddress host = InetAddress.getLoopbackAddress();
        try (ServerSocket first = new ServerSocket(0, 1, host);
                ServerSocket second = new ServerSocket(0, 1, host)) {
            return new int[] {first.getLocalPort(), second.getLocalPort()};
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;

/** One real broker in the tests' JVM, started by the first test that needs it. */
final class TestBroker {

    private static TestBroker running;

    final String servers;

    private TestBroker() throws IOException {
        int[] ports = freePorts();
        servers = "127.0.0.1:" + ports[0];
        Path folder = Files.createTempDirectory("test-broker");
        Properties properties = new Properties();
        properties.put("process.roles", "broker,controller");
        properties.put("node.id", "1");
        properties.put("controller.quorum.voters", "1@127.0.0.1:" + ports[1]);
        properties.put("controller.listener.names", "CONTROLLER");
        properties.put(
                "listeners", "PLAINTEXT://" + servers + ",CONTROLLER://127.0.0.1:" + ports[1]);
        properties.put("log.dirs", folder.resolve("data").toString());
        properties.put("offsets.topic.num.partitions", "1");
        properties.put("offsets.topic.replication.factor", "1");
        properties.put("transaction.state.log.num.partitions", "1");
        properties.put("transaction.state.log.replication.factor", "1");
        properties.put("transaction.state.log.min.isr", "1");
        properties.put("auto.create.topics.enable", "false");
        properties.put("log.cleaner.dedupe.buffer.size", "8388608");
        properties.put("group.initial.rebalance.delay.ms", "0");
        Path file = folder.resolve("server.properties");
        try (OutputStream out = Files.newOutputStream(file)) {
            properties.store(out, null);
        }
        String[] format = {"format", "-t", Uuid.randomUuid().toString(), "-c", file.toString()};
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        if (StorageTool.execute(format, new PrintStream(said, true, UTF_8)) != 0) {
            throw new IOException(
                    "the broker's folder cannot be formatted: " + said.toString(UTF_8));
        }
        KafkaRaftServer server =
                new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
        server.startup();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> end(server, folder)));
    }

    private static void end(KafkaRaftServer server, Path folder) {
        server.shutdown();
        // A broker that finds its data gone halts the JVM.
        server.awaitShutdown();
        try {
            Utils.delete(folder.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static synchronized TestBroker start() {
        try {
            running = running == null ? new TestBroker() : running;
            return running;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Two ports that were free at the same time. */
    static int[] freePorts() throws IOException {
        InetAddress host = InetAddress.getLoopbackAddress();
        try (ServerSocket first = new ServerSocket(0, 1, host);
                ServerSocket second = new ServerSocket(0, 1, host)) {
            return new int[] {first.getLocalPort(), second.getLocalPort()};
        }
    }
}

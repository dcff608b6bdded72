// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.local;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.PrintStream;
import java.io.Writer;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;

/**
 * A real Kafka broker inside this JVM, for the demo, the benchmark and tests: one node that is its
 * own controller, on a free port of 127.0.0.1, with its log in a temporary folder. {@link #close()}
 * stops it and deletes the folder; so does the end of the JVM where that comes first.
 */
public final class EmbeddedBroker implements AutoCloseable {

    private static final String HOST = "127.0.0.1";

    /** Names the process, so that what a killed one left behind can be told from the rest. */
    public static final String FOLDER_PREFIX =
            "sightline-broker-" + ProcessHandle.current().pid() + "-";

    /** A free port can be taken by another program before the broker binds it. */
    private static final int START_ATTEMPTS = 3;

    /** Brokers of one JVM need different ids: their metrics are named by them. */
    private static final AtomicInteger NEXT_NODE_ID = new AtomicInteger(1);

    private final Path folder;
    private final String bootstrapServers;
    private final Thread shutdownHook = new Thread(this::stop, "embedded-broker-shutdown");
    private KafkaRaftServer server;
    private boolean stopped;

    private EmbeddedBroker(Path folder, String bootstrapServers) {
        this.folder = folder;
        this.bootstrapServers = bootstrapServers;
    }

    /**
     * Starts a broker.
     *
     * @param maxMessageBytes the largest batch of records it takes; a record of one frame is its
     *     picture, key and headers
     * @throws IOException where it cannot start
     */
    public static EmbeddedBroker start(int maxMessageBytes) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                return startOnce(maxMessageBytes);
            } catch (IOException e) {
                if (attempt == START_ATTEMPTS || !causedByTakenPort(e)) {
                    throw e;
                }
            }
        }
    }

    /** {@code host:port}, as clients want it. */
    public String bootstrapServers() {
        return bootstrapServers;
    }

    /**
     * Creates a topic and returns when it can be used.
     *
     * @param configs the topic's configuration where it is not the broker's
     * @throws IOException where it cannot be created, or is there already
     */
    public void createTopic(String name, int partitions, Map<String, String> configs)
            throws IOException, InterruptedException {
        TopicCreator.create(
                bootstrapServers,
                List.of(new NewTopic(name, partitions, (short) 1).configs(configs)));
    }

    /** Stops the broker and deletes its folder. */
    @Override
    public void close() {
        stop();
        try {
            Runtime.getRuntime().removeShutdownHook(shutdownHook);
        } catch (IllegalStateException e) {
            // The JVM is ending: the hook finds the broker stopped.
        }
    }

    private synchronized void stop() {
        if (stopped) {
            return;
        }
        stopped = true;
        // In this order: a broker that finds its log gone halts the JVM.
        try {
            if (server != null) {
                server.shutdown();
                server.awaitShutdown();
            }
        } finally {
            deleteRecursively(folder);
        }
    }

    private static EmbeddedBroker startOnce(int maxMessageBytes) throws IOException {
        int[] ports = freePorts();
        Path folder = Files.createTempDirectory(FOLDER_PREFIX);
        EmbeddedBroker broker = new EmbeddedBroker(folder, HOST + ":" + ports[0]);
        try {
            Runtime.getRuntime().addShutdownHook(broker.shutdownHook);
            broker.startServer(
                    properties(
                            NEXT_NODE_ID.getAndIncrement(),
                            ports[0],
                            ports[1],
                            folder.resolve("log"),
                            maxMessageBytes));
            broker.awaitGroups();
            return broker;
        } catch (IOException | RuntimeException e) {
            try {
                broker.close();
            } catch (RuntimeException suppressed) {
                e.addSuppressed(suppressed);
            }
            throw new IOException("embedded broker: cannot start: " + e.getMessage(), e);
        }
    }

    /** Holds the lock, so that a JVM that ends meanwhile stops a broker that has started. */
    private synchronized void startServer(Properties properties) throws IOException {
        if (stopped) {
            throw new IOException("the JVM is ending");
        }
        format(folder, properties);
        server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
        server.startup();
    }

    /**
     * A fresh broker first makes the topic of its consumer groups, and until then refuses to commit
     * offsets: whoever asks for a group's makes it and waits for it.
     */
    private void awaitGroups() throws IOException {
        try (Admin admin =
                Admin.create(
                        Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers))) {
            admin.listConsumerGroupOffsets("-").partitionsToOffsetAndMetadata().get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause().getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted");
        }
    }

    private static Properties properties(
            int nodeId, int port, int controllerPort, Path logFolder, int maxMessageBytes) {
        Map<String, Object> settings = new LinkedHashMap<>();
        settings.put("process.roles", "broker,controller");
        settings.put("node.id", nodeId);
        settings.put(
                "listeners",
                "PLAINTEXT://"
                        + HOST
                        + ":"
                        + port
                        + ",CONTROLLER://"
                        + HOST
                        + ":"
                        + controllerPort);
        settings.put("advertised.listeners", "PLAINTEXT://" + HOST + ":" + port);
        settings.put("controller.listener.names", "CONTROLLER");
        settings.put("controller.quorum.voters", nodeId + "@" + HOST + ":" + controllerPort);
        settings.put("log.dirs", logFolder.toString());

        settings.put("message.max.bytes", maxMessageBytes);
        settings.put("replica.fetch.max.bytes", maxMessageBytes);
        settings.put("auto.create.topics.enable", false);
        settings.put("group.initial.rebalance.delay.ms", 0);

        // There is one node to replicate to, and few groups and transactions to keep.
        for (String topic : List.of("offsets.topic", "share.coordinator.state.topic")) {
            settings.put(topic + ".replication.factor", 1);
            settings.put(topic + ".num.partitions", 1);
        }
        settings.put("transaction.state.log.replication.factor", 1);
        settings.put("transaction.state.log.num.partitions", 1);
        settings.put("transaction.state.log.min.isr", 1);
        settings.put("share.coordinator.state.topic.min.isr", 1);

        settings.put("num.network.threads", 2);
        settings.put("num.io.threads", 2);
        settings.put("background.threads", 1);
        settings.put("num.recovery.threads.per.data.dir", 1);
        // Disk space comes back soon after records are deleted.
        settings.put("log.retention.check.interval.ms", 10_000);
        settings.put("log.segment.delete.delay.ms", 1_000);
        settings.put("log.cleaner.dedupe.buffer.size", 2 * 1024 * 1024);
        settings.put("log.cleaner.io.buffer.size", 64 * 1024);
        // A file holds text only.
        Properties properties = new Properties();
        settings.forEach((name, value) -> properties.setProperty(name, value.toString()));
        return properties;
    }

    private static void format(Path folder, Properties properties) throws IOException {
        Path file = folder.resolve("server.properties");
        try (Writer writer = Files.newBufferedWriter(file, StandardCharsets.ISO_8859_1)) {
            properties.store(writer, null);
        }
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        String[] arguments = {
            "format", "-t", Uuid.randomUuid().toString(), "-c", file.toString(),
        };
        int status;
        try (PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            status = StorageTool.execute(arguments, out);
        }
        if (status != 0) {
            throw new IOException(
                    "formatting its log failed: " + said.toString(StandardCharsets.UTF_8).strip());
        }
    }

    /** Two ports that were free at the same time. */
    private static int[] freePorts() throws IOException {
        InetAddress host = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        try (ServerSocket first = new ServerSocket(0, 1, host);
                ServerSocket second = new ServerSocket(0, 1, host)) {
            return new int[] {first.getLocalPort(), second.getLocalPort()};
        }
    }

    private static boolean causedByTakenPort(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof BindException) {
                return true;
            }
        }
        return false;
    }

    private static void deleteRecursively(Path folder) {
        try {
            Files.walkFileTree(
                    folder,
                    new SimpleFileVisitor<>() {
                        @Override
                        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                                throws IOException {
                            Files.deleteIfExists(file);
                            return FileVisitResult.CONTINUE;
                        }

                        @Override
                        public FileVisitResult visitFileFailed(Path file, IOException e)
                                throws IOException {
                            if (e instanceof NoSuchFileException) {
                                return FileVisitResult.CONTINUE;
                            }
                            throw e;
                        }

                        @Override
                        public FileVisitResult postVisitDirectory(Path visited, IOException e)
                                throws IOException {
                            Files.deleteIfExists(visited);
                            return FileVisitResult.CONTINUE;
                        }
                    });
        } catch (IOException e) {
            throw new IllegalStateException("embedded broker: cannot delete " + folder, e);
        }
    }
}

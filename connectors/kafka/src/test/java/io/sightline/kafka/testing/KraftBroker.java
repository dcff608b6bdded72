// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.testing;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.StringJoiner;
import java.util.concurrent.atomic.AtomicInteger;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;

/**
 * A real broker in the tests' JVM: one node that is its own controller, on free ports of 127.0.0.1.
 * It can go away and come back at the same ports with what it had.
 */
public final class KraftBroker implements AutoCloseable {

    public static final String HOST = "127.0.0.1";

    /** A free port can be taken by another program before the broker binds it. */
    private static final int START_ATTEMPTS = 3;

    /** Brokers of one JVM need different ids: their metrics are named by them. */
    private static final AtomicInteger NEXT_NODE_ID = new AtomicInteger(1001);

    private final List<String> listeners;
    private final int[] ports;
    private final Properties properties = new Properties();

    /** Null while it is stopped. */
    private KafkaRaftServer server;

    private KraftBroker(Path folder, List<String> listeners, Properties more) throws IOException {
        this.listeners = listeners;
        ports = freePorts(listeners.size() + 1);
        int nodeId = NEXT_NODE_ID.getAndIncrement();
        String controller = HOST + ":" + ports[listeners.size()];
        StringJoiner clients = new StringJoiner(",");
        listeners.forEach(listener -> clients.add(listener + "://" + servers(listener)));
        properties.setProperty("process.roles", "broker,controller");
        properties.setProperty("node.id", Integer.toString(nodeId));
        properties.setProperty("controller.quorum.voters", nodeId + "@" + controller);
        properties.setProperty("controller.listener.names", "CONTROLLER");
        properties.setProperty("listeners", clients + ",CONTROLLER://" + controller);
        properties.setProperty("advertised.listeners", clients.toString());
        properties.setProperty("log.dirs", folder.resolve("data").toString());
        for (String topic : List.of("offsets.topic", "transaction.state.log")) {
            properties.setProperty(topic + ".num.partitions", "1");
            properties.setProperty(topic + ".replication.factor", "1");
        }
        properties.setProperty("transaction.state.log.min.isr", "1");
        properties.setProperty("auto.create.topics.enable", "false");
        properties.setProperty("group.initial.rebalance.delay.ms", "0");
        properties.setProperty("log.cleaner.dedupe.buffer.size", "8388608");
        more.stringPropertyNames().forEach(name -> set(name, more.getProperty(name)));
    }

    /**
     * Starts one that everybody may use.
     *
     * @param folder for its data, which stays
     */
    public static KraftBroker start(Path folder) throws IOException {
        return start(folder, List.of("PLAINTEXT"), new Properties());
    }

    /**
     * @param folder for its data, which stays
     * @param listeners names of those for clients, each of which gets a port
     * @param more the broker's configuration beyond what every one has
     * @param formatArguments how its folder is formatted beyond what every one is
     */
    public static KraftBroker start(
            Path folder, List<String> listeners, Properties more, String... formatArguments)
            throws IOException {
        for (int attempt = 1; ; attempt++) {
            Path own = Files.createTempDirectory(folder, "broker-");
            KraftBroker broker = new KraftBroker(own, listeners, more);
            broker.format(own, formatArguments);
            try {
                broker.start();
                return broker;
            } catch (RuntimeException e) {
                if (attempt == START_ATTEMPTS || !causedByTakenPort(e)) {
                    throw e;
                }
            }
        }
    }

    /** {@code host:port} of its first listener, as clients want it. */
    public String servers() {
        return servers(listeners.get(0));
    }

    /** {@code host:port} of one of its listeners. */
    public String servers(String listener) {
        return HOST + ":" + ports[listeners.indexOf(listener)];
    }

    /** Changes its configuration for the next {@link #start()}. */
    public void set(String name, String value) {
        properties.setProperty(name, value);
    }

    /** Brings it back after {@link #stop()}. */
    public void start() {
        KafkaRaftServer starting =
                new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
        // One that finds its controller's port taken would halt the JVM before it says so.
        Exit.setHaltProcedure((status, message) -> {});
        try {
            starting.startup();
        } catch (RuntimeException e) {
            end(starting);
            throw e;
        } finally {
            Exit.resetHaltProcedure();
        }
        server = starting;
    }

    /** Returns when it is gone; does nothing where it is. */
    public void stop() {
        if (server != null) {
            end(server);
            server = null;
        }
    }

    @Override
    public void close() {
        stop();
    }

    private static void end(KafkaRaftServer server) {
        server.shutdown();
        // A broker that finds its data gone halts the JVM.
        server.awaitShutdown();
    }

    private void format(Path folder, String... more) throws IOException {
        Path file = folder.resolve("server.properties");
        try (OutputStream out = Files.newOutputStream(file)) {
            properties.store(out, null);
        }
        List<String> arguments = new ArrayList<>();
        arguments.addAll(
                List.of("format", "-t", Uuid.randomUuid().toString(), "-c", file.toString()));
        arguments.addAll(List.of(more));
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            if (StorageTool.execute(arguments.toArray(String[]::new), out) != 0) {
                throw new IOException(
                        "the broker's folder cannot be formatted: "
                                + said.toString(StandardCharsets.UTF_8).strip());
            }
        }
    }

    /** Ports that were free at the same time. */
    private static int[] freePorts(int count) throws IOException {
        InetAddress host = InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                sockets.add(new ServerSocket(0, 1, host));
            }
            return sockets.stream().mapToInt(ServerSocket::getLocalPort).toArray();
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
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
}

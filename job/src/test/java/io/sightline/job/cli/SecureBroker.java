// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;

/**
 * A broker in this JVM that lets nobody in who does not prove who they are: one port wants TLS and
 * a login by SCRAM or PLAIN, the other one TLS with a certificate of the client. Keys are made when
 * it starts. A third port, without any of this, is for the broker itself and for what tests look
 * at.
 */
final class SecureBroker implements AutoCloseable {

    static final String USER = "alice";
    static final String PASSWORD = "a-password-of-alice";
    static final String KEYSTORE_PASSWORD = "a-password-of-keystores";

    private static final String HOST = "127.0.0.1";

    private final Path folder;
    private final int loginPort;
    private final int certificatePort;
    private final int openPort;
    private final KafkaRaftServer server;

    /**
     * @param folder for its data and keys
     */
    SecureBroker(Path folder) throws Exception {
        this.folder = folder;
        makeKey("server");
        makeKey("client");
        int[] ports = freePorts(4);
        loginPort = ports[0];
        certificatePort = ports[1];
        openPort = ports[2];
        Properties properties = properties(ports[3]);
        format(properties);
        server = new KafkaRaftServer(KafkaConfig.fromProps(properties), Time.SYSTEM);
        server.startup();
    }

    String openServers() {
        return HOST + ":" + openPort;
    }

    String loginServers() {
        return HOST + ":" + loginPort;
    }

    String certificateServers() {
        return HOST + ":" + certificatePort;
    }

    /** What is needed at {@link #loginServers}. */
    Properties login(String mechanism, String module, String password) {
        Properties properties = trusting("server");
        properties.setProperty("security.protocol", "SASL_SSL");
        properties.setProperty("sasl.mechanism", mechanism);
        properties.setProperty(
                "sasl.jaas.config",
                "org.apache.kafka.common.security."
                        + module
                        + " required username=\""
                        + USER
                        + "\" password=\""
                        + password
                        + "\";");
        return properties;
    }

    Properties scram(String password) {
        return login("SCRAM-SHA-512", "scram.ScramLoginModule", password);
    }

    Properties plain(String password) {
        return login("PLAIN", "plain.PlainLoginModule", password);
    }

    /**
     * What is needed at {@link #certificateServers}.
     *
     * @param keystorePassword or how to find it
     */
    Properties certificate(String keystorePassword) {
        Properties properties = trusting("server");
        properties.setProperty("security.protocol", "SSL");
        properties.setProperty("ssl.keystore.location", folder.resolve("client.p12").toString());
        properties.setProperty("ssl.keystore.type", "PKCS12");
        properties.setProperty("ssl.keystore.password", keystorePassword);
        return properties;
    }

    /**
     * Trust in a certificate.
     *
     * @param who {@code server}, or {@code client} for one that is not the broker's
     */
    Properties trusting(String who) {
        Properties properties = new Properties();
        properties.setProperty("ssl.truststore.type", "PEM");
        properties.setProperty("ssl.truststore.location", folder.resolve(who + ".pem").toString());
        return properties;
    }

    private Properties properties(int controllerPort) {
        Properties properties = new Properties();
        properties.put("process.roles", "broker,controller");
        properties.put("node.id", "77");
        properties.put("controller.quorum.voters", "77@" + HOST + ":" + controllerPort);
        properties.put("controller.listener.names", "CONTROLLER");
        String clients =
                "LOGIN://%1$s:%2$d,CERTIFICATE://%1$s:%3$d,OPEN://%1$s:%4$d"
                        .formatted(HOST, loginPort, certificatePort, openPort);
        properties.put("listeners", clients + ",CONTROLLER://" + HOST + ":" + controllerPort);
        properties.put("advertised.listeners", clients);
        properties.put("inter.broker.listener.name", "OPEN");
        properties.put(
                "listener.security.protocol.map",
                "LOGIN:SASL_SSL,CERTIFICATE:SSL,OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT");
        properties.put("sasl.enabled.mechanisms", "SCRAM-SHA-512,PLAIN");
        String login = "listener.name.login.";
        properties.put(
                login + "scram-sha-512.sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required;");
        properties.put(
                login + "plain.sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required user_"
                        + USER
                        + "=\""
                        + PASSWORD
                        + "\";");
        properties.put("ssl.keystore.location", folder.resolve("server.p12").toString());
        properties.put("ssl.keystore.type", "PKCS12");
        properties.put("ssl.keystore.password", KEYSTORE_PASSWORD);
        properties.put("listener.name.certificate.ssl.client.auth", "required");
        properties.putAll(trusting("client"));
        properties.put("log.dirs", folder.resolve("data").toString());
        properties.put("auto.create.topics.enable", "false");
        properties.put("group.initial.rebalance.delay.ms", "0");
        properties.put("log.cleaner.dedupe.buffer.size", "8388608");
        for (String topic : List.of("offsets.topic", "transaction.state.log")) {
            properties.put(topic + ".num.partitions", "1");
            properties.put(topic + ".replication.factor", "1");
        }
        properties.put("transaction.state.log.min.isr", "1");
        return properties;
    }

    private void format(Properties properties) throws IOException {
        Path file = folder.resolve("server.properties");
        try (Writer writer = Files.newBufferedWriter(file)) {
            properties.store(writer, null);
        }
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        String[] arguments = {
            "format",
            "-t",
            Uuid.randomUuid().toString(),
            "-c",
            file.toString(),
            "--add-scram",
            "SCRAM-SHA-512=[name=" + USER + ",password=" + PASSWORD + "]"
        };
        try (PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8)) {
            if (StorageTool.execute(arguments, out) != 0) {
                throw new IOException(said.toString(StandardCharsets.UTF_8));
            }
        }
    }

    /** A key in {@code NAME.p12}, and its certificate in {@code NAME.pem}. */
    private void makeKey(String name) throws Exception {
        String store = folder.resolve(name + ".p12").toString();
        keytool(
                List.of(
                        "-genkeypair",
                        "-alias",
                        name,
                        "-dname",
                        "CN=" + name,
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-ext",
                        "san=ip:" + HOST,
                        "-validity",
                        "2"),
                store);
        keytool(
                List.of(
                        "-exportcert",
                        "-rfc",
                        "-alias",
                        name,
                        "-file",
                        folder.resolve(name + ".pem").toString()),
                store);
    }

    private static void keytool(List<String> arguments, String store) throws Exception {
        List<String> line = new ArrayList<>();
        line.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        line.addAll(arguments);
        line.addAll(
                List.of(
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store,
                        "-storepass",
                        KEYSTORE_PASSWORD));
        Process process = new ProcessBuilder(line).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException("keytool: " + said);
        }
    }

    private static int[] freePorts(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < count; i++) {
                sockets.add(
                        new ServerSocket(
                                0, 1, InetAddress.getByAddress(new byte[] {127, 0, 0, 1})));
            }
            return sockets.stream().mapToInt(ServerSocket::getLocalPort).toArray();
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
    }

    @Override
    public void close() {
        server.shutdown();
        server.awaitShutdown();
    }
}

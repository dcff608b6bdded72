// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.kafka.testing.KraftBroker;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

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

    private final Path folder;
    private final KraftBroker broker;

    /**
     * @param folder for its data and keys
     */
    SecureBroker(Path folder) throws Exception {
        this.folder = folder;
        makeKey("server");
        makeKey("client");
        broker =
                KraftBroker.start(
                        folder,
                        List.of("LOGIN", "CERTIFICATE", "OPEN"),
                        properties(),
                        "--add-scram",
                        "SCRAM-SHA-512=[name=" + USER + ",password=" + PASSWORD + "]");
    }

    String openServers() {
        return broker.servers("OPEN");
    }

    String loginServers() {
        return broker.servers("LOGIN");
    }

    String certificateServers() {
        return broker.servers("CERTIFICATE");
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

    private Properties properties() {
        Properties properties = new Properties();
        properties.setProperty("inter.broker.listener.name", "OPEN");
        properties.setProperty(
                "listener.security.protocol.map",
                "LOGIN:SASL_SSL,CERTIFICATE:SSL,OPEN:PLAINTEXT,CONTROLLER:PLAINTEXT");
        properties.setProperty("sasl.enabled.mechanisms", "SCRAM-SHA-512,PLAIN");
        String login = "listener.name.login.";
        properties.setProperty(
                login + "scram-sha-512.sasl.jaas.config",
                "org.apache.kafka.common.security.scram.ScramLoginModule required;");
        properties.setProperty(
                login + "plain.sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required user_"
                        + USER
                        + "=\""
                        + PASSWORD
                        + "\";");
        properties.setProperty("ssl.keystore.location", folder.resolve("server.p12").toString());
        properties.setProperty("ssl.keystore.type", "PKCS12");
        properties.setProperty("ssl.keystore.password", KEYSTORE_PASSWORD);
        properties.setProperty("listener.name.certificate.ssl.client.auth", "required");
        properties.putAll(trusting("client"));
        return properties;
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
                        "san=ip:" + KraftBroker.HOST,
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

    @Override
    public void close() {
        broker.close();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.camera.EncodedFrame;
import io.sightline.camera.KafkaFrameSink;
import io.sightline.inference.ModelSpec;
import io.sightline.inference.testing.TestModels;
import io.sightline.job.local.TopicCreator;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.Writer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Against a broker that wants TLS and a login: that it works by configuration alone, that those who
 * may not come in are told why in one line, and that no secret is seen anywhere.
 */
@Timeout(240)
class SecurityIT {

    private static final int FRAMES = 20;
    private static final String WRONG = "a-wrong-password";

    @TempDir static Path folder;

    private static SecureBroker broker;
    private static Path model;

    @BeforeAll
    static void start() throws Exception {
        model = TestModels.colourDetector(folder, 64, 64, 1, ModelSpec.InputFormat.BYTES_NHWC_BGR);
        broker = new SecureBroker(Files.createDirectory(folder.resolve("broker")));
    }

    @AfterAll
    static void stop() {
        if (broker != null) {
            broker.close();
        }
    }

    private static void assertHoldsNoSecret(String where, String text) {
        for (String secret :
                List.of(SecureBroker.PASSWORD, SecureBroker.KEYSTORE_PASSWORD, WRONG)) {
            // With its surroundings only, should it be there: all of it is long.
            int at = text.indexOf(secret);
            assertThat(at < 0 ? "" : text.substring(Math.max(0, at - 300), at))
                    .as("before '%s' in %s", secret, where)
                    .isEmpty();
        }
    }

    private static Path file(String name, Properties properties) throws Exception {
        Path file = folder.resolve(name + ".properties");
        try (Writer writer = Files.newBufferedWriter(file)) {
            properties.store(writer, null);
        }
        return file;
    }

    /** Flags of the commands that name topics, for topics of this name. */
    private static List<String> topics(String name) {
        return List.of(
                "--frames-topic=" + name,
                "--events-topic=" + name + "-events",
                "--dead-letter-topic=" + name + "-letters",
                "--camera-status-topic=" + name + "-status",
                "--group-id=" + name);
    }

    private static void createTopics(String name) throws Exception {
        TopicCreator.main(
                new String[] {
                    broker.openServers(),
                    name + ":1",
                    name + "-events:1",
                    name + "-letters:1",
                    name + "-status:1"
                });
    }

    private static void sendFrames(String servers, Properties client, String topic)
            throws Exception {
        ByteArrayOutputStream picture = new ByteArrayOutputStream();
        ImageIO.write(new BufferedImage(64, 48, BufferedImage.TYPE_INT_RGB), "jpeg", picture);
        Map<String, Object> properties = new HashMap<>();
        client.forEach((name, value) -> properties.put((String) name, value));
        properties.put("bootstrap.servers", servers);
        try (KafkaFrameSink sink = KafkaFrameSink.connect(properties, topic, 1 << 16)) {
            for (int seq = 0; seq < FRAMES; seq++) {
                sink.accept(
                        new EncodedFrame(
                                "cam-1",
                                picture.toByteArray(),
                                System.currentTimeMillis(),
                                seq,
                                0,
                                seq,
                                "1/25"));
            }
            sink.flush();
        }
    }

    /** The whole way, while Flink's web server shows the job to whoever asks. */
    @Test
    void shouldRunWithAPasswordThatIsSeenNowhere() throws Exception {
        createTopics("login");
        Path properties = file("scram", broker.scram(SecureBroker.PASSWORD));
        sendFrames(broker.loginServers(), broker.plain(SecureBroker.PASSWORD), "login");
        try (Run run = Run.start("login", broker.loginServers(), properties)) {
            CommandLineRun audit = audit("login", broker.loginServers(), properties);
            assertThat(audit.status()).as(audit.err()).isZero();
            assertThat(new ObjectMapper().readTree(audit.out()).get("events").asInt())
                    .isEqualTo(FRAMES);

            Map<String, String> pages = run.pages();
            assertThat(pages).hasSizeGreaterThan(15);
            pages.forEach(SecurityIT::assertHoldsNoSecret);
            // They are those of this job.
            assertThat(pages.get("/jobs/overview")).contains("scram.properties");
        }
    }

    /** The file names no secret itself: Kafka's clients read it where they run. */
    @Test
    void shouldRunWithACertificateWhosePasswordStaysInAFileOfItsOwn() throws Exception {
        createTopics("certificate");
        Path secret = folder.resolve("keystore.secret");
        Files.writeString(secret, "password=" + SecureBroker.KEYSTORE_PASSWORD + "\n");
        Properties client = broker.certificate("${file:" + secret + ":password}");
        client.setProperty("config.providers", "file");
        client.setProperty(
                "config.providers.file.class",
                "org.apache.kafka.common.config.provider.FileConfigProvider");
        Path properties = file("certificate", client);
        sendFrames(broker.certificateServers(), client, "certificate");
        try (Run run =
                Run.start(
                        "certificate", broker.certificateServers(), properties, "--until=latest")) {
            assertThat(run.end()).as(run.log()).isZero();
        }
        CommandLineRun audit = audit("certificate", broker.certificateServers(), properties);
        assertThat(audit.status()).as(audit.err()).isZero();
        assertThat(new ObjectMapper().readTree(audit.out()).get("events").asInt())
                .isEqualTo(FRAMES);
    }

    private static CommandLineRun audit(String name, String servers, Path properties) {
        List<String> line =
                new ArrayList<>(
                        List.of(
                                "audit",
                                "--bootstrap-servers=" + servers,
                                "--kafka-properties=" + properties,
                                "--until=latest",
                                "--exactly-once",
                                "--wait=90s",
                                "--json"));
        line.addAll(topics(name));
        CommandLineRun run = CommandLineRun.of(line.toArray(String[]::new));
        assertHoldsNoSecret("what audit prints", run.out() + run.err());
        return run;
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "audit"})
    void shouldSayInOneLineThatThePasswordIsWrong(String command) throws Exception {
        assertThat(refusal(command, file("wrong", broker.scram(WRONG))))
                .contains(
                        "Authentication failed during authentication due to invalid credentials"
                                + " with SASL mechanism SCRAM-SHA-512");
    }

    @ParameterizedTest
    @ValueSource(strings = {"run", "simulate"})
    void shouldSayInOneLineThatTheBrokersCertificateIsNotTrusted(String command) throws Exception {
        Properties client = broker.scram(SecureBroker.PASSWORD);
        client.putAll(broker.trusting("client"));
        assertThat(refusal(command, file("untrusted", client)))
                .contains("unable to find valid certification path");
    }

    private static String refusal(String command, Path properties) {
        List<String> line =
                new ArrayList<>(
                        List.of(
                                command,
                                "--bootstrap-servers=" + broker.loginServers(),
                                "--kafka-properties=" + properties));
        if (command.equals("run")) {
            line.add("--model=" + model);
        }
        CommandLineRun run = CommandLineRun.of(line.toArray(String[]::new));
        assertThat(run.status()).isEqualTo(1);
        assertThat(run.errLines()).as(run.err()).hasSize(1);
        assertHoldsNoSecret("what " + command + " prints", run.out() + run.err());
        return run.err();
    }

    /**
     * {@code ./sightline run} as a process of its own, under exactly-once, with its log in detail.
     */
    private static final class Run implements AutoCloseable {

        private static final String LOGGING =
                """
                appender.console.type = Console
                appender.console.name = console
                appender.console.layout.type = PatternLayout
                appender.console.layout.pattern = %level %c: %m %ex%n
                rootLogger.level = info
                rootLogger.appenderRef.console.ref = console
                logger.kafka.name = org.apache.kafka
                logger.kafka.level = debug
                logger.flink.name = org.apache.flink.connector
                logger.flink.level = debug
                """;

        private final Process process;
        private final Path log;
        private final HttpClient http = HttpClient.newHttpClient();

        private Run(Process process, Path log) {
            this.process = process;
            this.log = log;
        }

        static Run start(String name, String servers, Path properties, String... more)
                throws Exception {
            Path logging = folder.resolve("log4j2.properties");
            Files.writeString(logging, LOGGING);
            List<String> line =
                    new ArrayList<>(
                            List.of(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-Xmx512m",
                                    "-XX:TieredStopAtLevel=1",
                                    "-XX:MaxDirectMemorySize=1g",
                                    "-Dorg.bytedeco.javacpp.maxbytes=1g",
                                    "-Dorg.bytedeco.javacpp.maxphysicalbytes=0",
                                    "--add-opens=java.base/java.lang=ALL-UNNAMED",
                                    "--add-opens=java.base/java.time=ALL-UNNAMED",
                                    "--add-opens=java.base/java.util=ALL-UNNAMED",
                                    "-Dlog4j2.configurationFile=" + logging,
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    Sightline.class.getName(),
                                    "run",
                                    "--bootstrap-servers=" + servers,
                                    "--kafka-properties=" + properties,
                                    "--model=" + model,
                                    "--job-name=" + properties.getFileName(),
                                    "--delivery=exactly-once",
                                    "--parallelism=1",
                                    "--lanes=1",
                                    "--from=earliest"));
            line.addAll(topics(name));
            line.addAll(List.of(more));
            Path log = folder.resolve(name + ".log");
            Process process =
                    new ProcessBuilder(line)
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start();
            return new Run(process, log);
        }

        String log() throws Exception {
            return Files.readString(log, UTF_8);
        }

        int end() throws Exception {
            assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("ended").isTrue();
            return process.exitValue();
        }

        /** What Flink's web server says of the job and of itself, by address. */
        Map<String, String> pages() throws Exception {
            Matcher address = Pattern.compile("Rest endpoint listening at (\\S+)").matcher(log());
            assertThat(address.find()).as("address of Flink's web server in the log").isTrue();
            String root = "http://" + address.group(1);
            Map<String, String> pages = new LinkedHashMap<>();
            for (String path :
                    List.of(
                            "/config",
                            "/overview",
                            "/jobs/overview",
                            "/jobmanager/config",
                            "/jobmanager/environment",
                            "/jobmanager/metrics",
                            "/jobmanager/logs",
                            "/taskmanagers")) {
                get(root, path, pages);
            }
            ObjectMapper json = new ObjectMapper();
            String job =
                    "/jobs/" + json.readTree(get(root, "/jobs", pages)).at("/jobs/0/id").asText();
            for (String path :
                    List.of(
                            "/config",
                            "/plan",
                            "/exceptions",
                            "/accumulators",
                            "/metrics",
                            "/checkpoints",
                            "/checkpoints/config",
                            "/jobmanager/config",
                            "/jobmanager/environment")) {
                get(root, job + path, pages);
            }
            for (JsonNode vertex : json.readTree(get(root, job, pages)).get("vertices")) {
                get(root, job + "/vertices/" + vertex.get("id").asText(), pages);
            }
            for (JsonNode manager : json.readTree(pages.get("/taskmanagers")).get("taskmanagers")) {
                get(root, "/taskmanagers/" + manager.get("id").asText(), pages);
            }
            return pages;
        }

        private String get(String root, String path, Map<String, String> pages) throws Exception {
            HttpResponse<String> response =
                    http.send(
                            HttpRequest.newBuilder(URI.create(root + path)).build(),
                            HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).as(path).isEqualTo(200);
            pages.put(path, response.body());
            return response.body();
        }

        /** Ends it, and looks at all that it has said. */
        @Override
        public void close() throws Exception {
            process.destroy();
            assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ended").isTrue();
            String log = log();
            // It is the log of clients that have secrets, and is as detailed as it can be.
            for (String known : List.of("ProducerConfig values", "= [hidden]", "DEBUG")) {
                assertThat(log.contains(known)).as(known).isTrue();
            }
            assertHoldsNoSecret(this.log.toString(), log);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sightline.job.local.EmbeddedBroker;
import java.awt.image.BufferedImage;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class SimulateCommandTest {

    @TempDir Path folder;

    private static String oneLine(String... args) {
        CommandLineRun run = CommandLineRun.of(args);
        assertThat(run.status()).isNotZero();
        assertThat(run.errLines()).hasSize(1);
        return run.errLines().get(0);
    }

    private CommandLineRun simulate(String... more) {
        List<String> args = new ArrayList<>(List.of("simulate", "--output", folder.toString()));
        args.addAll(List.of(more));
        return CommandLineRun.of(args.toArray(new String[0]));
    }

    @Test
    void shouldWritePicturesLabelsAndTruth() throws Exception {
        CommandLineRun run =
                simulate(
                        "--scenes",
                        "3",
                        "--frames-per-scene",
                        "2",
                        "--size",
                        "160x96",
                        "--seed",
                        "1");
        assertThat(run.status()).as(run.err()).isZero();
        assertThat(run.outLines()).containsExactly("6 pictures written to " + folder);
        for (int scene = 1; scene <= 3; scene++) {
            for (int frame = 0; frame < 2; frame++) {
                String name = "scene-" + scene + "-" + frame;
                BufferedImage picture =
                        ImageIO.read(folder.resolve("images/" + name + ".jpg").toFile());
                assertThat(picture.getWidth()).isEqualTo(160);
                assertThat(picture.getHeight()).isEqualTo(96);
                assertThat(folder.resolve("labels/" + name + ".txt")).exists();
                assertThat(folder.resolve("ignore/" + name + ".txt")).exists();
            }
        }
        assertThat(Files.readAllLines(folder.resolve("truth.jsonl"))).hasSize(6);
    }

    @Test
    @Timeout(120)
    void shouldPlayCamerasOntoABrokerWithTheirTruthBesideThem() throws Exception {
        Path truth = folder.resolve("truth.jsonl");
        int expected = 3 * 5;
        try (EmbeddedBroker broker = EmbeddedBroker.start(1 << 20)) {
            broker.createTopic("camera-frames", 1, Map.of());
            CommandLineRun run =
                    CommandLineRun.of(
                            "simulate",
                            "--bootstrap-servers",
                            broker.bootstrapServers(),
                            "--cameras",
                            "3",
                            "--fps",
                            "10",
                            "--size",
                            "160x96",
                            "--duration",
                            "500ms",
                            "--max-frame-bytes",
                            "64kb",
                            "--truth",
                            truth.toString());
            assertThat(run.status()).as(run.err()).isZero();
            assertThat(run.outLines().get(0)).isEqualTo("rendering 3 scenes of 5 frames");
            assertThat(run.outLines().get(1))
                    .isEqualTo("playing to topic camera-frames as cam-1, cam-2, cam-3");
            List<String> written = Files.readAllLines(truth);
            assertThat(run.outLines().get(2))
                    .startsWith("sent " + written.size() + " frames of 3 cameras in ");
            assertThat(written).hasSizeBetween(1, expected);
            List<String> read = read(broker, written.size());
            List<String> shown = new ArrayList<>();
            for (String line : written) {
                JsonNode frame = new ObjectMapper().readTree(line);
                shown.add(frame.get("camera").asText() + " " + frame.get("captureTimeMillis"));
            }
            assertThat(read).isEqualTo(shown);
        }
    }

    private static List<String> read(EmbeddedBroker broker, int count) {
        List<String> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(
                        Map.of("bootstrap.servers", broker.bootstrapServers()),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = List.of(new TopicPartition("camera-frames", 0));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            while (records.size() < count) {
                consumer.poll(Duration.ofSeconds(1))
                        .forEach(
                                record ->
                                        records.add(
                                                new String(record.key(), StandardCharsets.UTF_8)
                                                        + " "
                                                        + record.timestamp()));
            }
        }
        return records;
    }

    @Test
    void shouldSayWhatIsWrongInOneLine() {
        String output = folder.toString();
        assertThat(oneLine("simulate", "--output", output, "--size", "large"))
                .isEqualTo(
                        "sightline simulate: --size large: expected width x height in pixels, such as 1280x720");
        assertThat(oneLine("simulate", "--output", output, "--size", "1280x7"))
                .isEqualTo(
                        "sightline simulate: scene of 1280x7 pixels: expected sides of 64 to 4096");
        assertThat(oneLine("simulate", "--output", output, "--fps", "0"))
                .isEqualTo("sightline simulate: --fps 0.0: expected a finite number above 0");
        assertThat(oneLine("simulate", "--output", output, "--scenes", "0"))
                .startsWith("sightline simulate: dataset of 0 scenes");
        assertThat(oneLine("simulate", "--output", output, "--jpeg-quality", "0"))
                .isEqualTo("sightline simulate: JPEG quality 0: expected 1 to 100");
        assertThat(oneLine("simulate", "--bootstrap-servers", "localhost:1", "--cameras", "0"))
                .isEqualTo("sightline simulate: --cameras 0: expected at least one");
        assertThat(oneLine("simulate")).contains("--output").contains("--bootstrap-servers");
        assertThat(oneLine("simulate", "--output", output, "--bootstrap-servers", "localhost:1"))
                .contains("mutually exclusive");
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.DeadLetterCodec;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.Rejection;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.TestModels;
import io.sightline.job.local.EmbeddedBroker;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Bad records through a real broker: what comes out on the dead-letter topic, and the account. */
@Timeout(120)
class DeadLettersIT {

    private static final int RECORDS = 400;
    private static final int PARTITIONS = 2;
    private static final int MAX_VALUE_BYTES = 1024;
    private static final int MAX_FRAME_BYTES = 64 * 1024;
    private static final long CAPTURED = 1_700_000_000_000L;

    @TempDir Path folder;

    /** What a record that no event may come of is expected to be called. */
    private record Sent(ProducerRecord<byte[], byte[]> record, Rejection reason) {}

    @Test
    void shouldGiveBadRecordsBackWithTheReasonAndAccountForEachFrame() throws Exception {
        long seed = System.nanoTime();
        System.out.println("DeadLettersIT seed " + seed);
        Random random = new Random(seed);
        Path model = TestModels.colourDetector(folder, 64, 64, 1, InputFormat.BYTES_NHWC_BGR);
        ModelChoice choice = new ModelChoice();
        OptionTypes.register(new CommandLine(choice)).parseArgs("--model=" + model);

        try (EmbeddedBroker broker = EmbeddedBroker.start(4 << 20)) {
            broker.createTopic("camera-frames", PARTITIONS, Map.of());
            broker.createTopic("detections", 1, Map.of());
            broker.createTopic("camera-frames-dead-letter", 1, Map.of());
            broker.createTopic("camera-status", 1, Map.of());
            Map<String, Sent> bad = new HashMap<>();
            Set<String> good = new HashSet<>();
            produce(broker.bootstrapServers(), random, bad, good);

            Configuration flink = new Configuration();
            flink.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
            StreamExecutionEnvironment environment =
                    StreamExecutionEnvironment.getExecutionEnvironment(flink);
            DetectionJob.prepare(
                    environment,
                    DetectionOptions.of(
                            broker.bootstrapServers(),
                            choice,
                            "--from=earliest",
                            "--until=latest",
                            "--checkpoint-interval=500ms",
                            "--parallelism=2",
                            "--max-frame-bytes=" + MAX_FRAME_BYTES,
                            "--max-frame-pixels=1000000",
                            "--dead-letter-max-bytes=" + MAX_VALUE_BYTES));
            environment.execute();

            List<ConsumerRecord<byte[], byte[]>> letters =
                    read(broker.bootstrapServers(), "camera-frames-dead-letter");
            List<ConsumerRecord<byte[], byte[]>> events =
                    read(broker.bootstrapServers(), "detections");
            assertThat(events.size() + letters.size()).isEqualTo(RECORDS);
            assertThat(letters).hasSameSizeAs(bad.keySet());

            Set<String> answered = new HashSet<>();
            for (ConsumerRecord<byte[], byte[]> letter : letters) {
                String place =
                        text(letter, DeadLetterCodec.SOURCE_PARTITION)
                                + "@"
                                + text(letter, DeadLetterCodec.SOURCE_OFFSET);
                assertThat(answered.add(place)).isTrue();
                assertIsDeadLetterOf(bad.get(place), letter);
            }
            for (ConsumerRecord<byte[], byte[]> record : events) {
                DetectionEvent event = new DetectionEventCodec().decode(record.value());
                assertThat(answered.add(event.source().partition() + "@" + event.source().offset()))
                        .isTrue();
                assertThat(good)
                        .contains(event.source().partition() + "@" + event.source().offset());
                assertThat(event.objects()).hasSize(1);
            }
            assertThat(answered).hasSize(RECORDS);
        }
    }

    private static void assertIsDeadLetterOf(Sent sent, ConsumerRecord<byte[], byte[]> letter) {
        assertThat(sent).isNotNull();
        ProducerRecord<byte[], byte[]> original = sent.record();
        assertThat(letter.key()).isEqualTo(original.key());
        assertThat(letter.timestamp()).isEqualTo(original.timestamp());
        byte[] value = original.value();
        if (value != null && value.length > MAX_VALUE_BYTES) {
            assertThat(letter.value()).isEqualTo(Arrays.copyOf(value, MAX_VALUE_BYTES));
            assertThat(text(letter, DeadLetterCodec.VALUE_TRUNCATED))
                    .isEqualTo(Integer.toString(value.length));
        } else {
            assertThat(letter.value()).isEqualTo(value);
            assertThat(letter.headers().lastHeader(DeadLetterCodec.VALUE_TRUNCATED)).isNull();
        }
        for (Header header : original.headers()) {
            assertThat(letter.headers().lastHeader(header.key()).value()).isEqualTo(header.value());
        }
        assertThat(text(letter, DeadLetterCodec.ERROR_CLASS)).isEqualTo(sent.reason().label());
        assertThat(text(letter, DeadLetterCodec.ERROR_STAGE))
                .isEqualTo(sent.reason().stage().label());
        assertThat(text(letter, DeadLetterCodec.ERROR_MESSAGE)).isNotBlank();
        assertThat(text(letter, DeadLetterCodec.SOURCE_TOPIC)).isEqualTo("camera-frames");
    }

    private static void produce(
            String bootstrapServers, Random random, Map<String, Sent> bad, Set<String> good)
            throws Exception {
        byte[] camera = "cam-1".getBytes(StandardCharsets.UTF_8);
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(
                        Map.of("bootstrap.servers", bootstrapServers),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            for (int i = 0; i < RECORDS; i++) {
                int partition = i % PARTITIONS;
                BadFrame badFrame =
                        random.nextBoolean() ? BadFrame.any(random, camera, MAX_FRAME_BYTES) : null;
                ProducerRecord<byte[], byte[]> record =
                        badFrame == null
                                ? new ProducerRecord<>(
                                        "camera-frames",
                                        partition,
                                        CAPTURED + i,
                                        camera,
                                        BadFrame.goodPicture())
                                : badFrame.record("camera-frames", partition, CAPTURED + i);
                record.headers()
                        .add("seq", Integer.toString(i).getBytes(StandardCharsets.US_ASCII))
                        .add("vendor", new byte[] {1, (byte) 0xff, (byte) i});
                String place = partition + "@" + producer.send(record).get().offset();
                if (badFrame == null) {
                    good.add(place);
                } else {
                    bad.put(place, new Sent(record, badFrame.reason()));
                }
            }
        }
    }

    /** All there is, up to the end as it is now. */
    private static List<ConsumerRecord<byte[], byte[]>> read(
            String bootstrapServers, String topic) {
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(
                        Map.of("bootstrap.servers", bootstrapServers),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition(topic, 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
            }
        }
        return records;
    }

    private static String text(ConsumerRecord<byte[], byte[]> record, String header) {
        return new String(record.headers().lastHeader(header).value(), StandardCharsets.UTF_8);
    }
}

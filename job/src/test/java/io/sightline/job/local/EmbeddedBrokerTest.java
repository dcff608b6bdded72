// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class EmbeddedBrokerTest {

    private static final int MAX_MESSAGE_BYTES = 3 * 1024 * 1024;

    @Test
    void shouldCarryRecordsUpToItsLimitInTransactionsAndGroups() throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(MAX_MESSAGE_BYTES)) {
            broker.createTopic("t", 2, Map.of("retention.ms", "-1"));
            byte[] large = new byte[MAX_MESSAGE_BYTES - 1024];
            large[large.length - 1] = 7;
            produce(broker, true, large);
            List<byte[]> values = consume(broker, 1);
            assertThat(values).containsExactly(large);
            assertThatThrownBy(() -> broker.createTopic("t", 1, Map.of()))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("already exists");
        }
    }

    @Test
    void shouldLetTwoBrokersRunSideBySide() throws Exception {
        try (EmbeddedBroker one = EmbeddedBroker.start(MAX_MESSAGE_BYTES);
                EmbeddedBroker two = EmbeddedBroker.start(MAX_MESSAGE_BYTES)) {
            assertThat(one.bootstrapServers()).isNotEqualTo(two.bootstrapServers());
            one.createTopic("t", 1, Map.of());
            two.createTopic("t", 1, Map.of());
            produce(one, false, "one".getBytes(StandardCharsets.UTF_8));
            produce(two, false, "two".getBytes(StandardCharsets.UTF_8));
            assertThat(consume(one, 1)).containsExactly("one".getBytes(StandardCharsets.UTF_8));
            assertThat(consume(two, 1)).containsExactly("two".getBytes(StandardCharsets.UTF_8));
        }
    }

    @Test
    void shouldLeaveNothingBehind() throws Exception {
        EmbeddedBroker.start(MAX_MESSAGE_BYTES).close();
        Set<Path> foldersBefore = folders();
        Set<Thread> threadsBefore = threadsThatKeepTheJvm();
        EmbeddedBroker broker = EmbeddedBroker.start(MAX_MESSAGE_BYTES);
        assertThat(folders()).hasSize(foldersBefore.size() + 1);
        broker.createTopic("t", 1, Map.of());
        produce(broker, true, new byte[] {1});
        broker.close();
        broker.close();
        assertThat(folders()).isEqualTo(foldersBefore);
        assertThat(threadsThatKeepTheJvm()).isSubsetOf(threadsBefore);
    }

    private static void produce(EmbeddedBroker broker, boolean inTransaction, byte[] value)
            throws Exception {
        Map<String, Object> properties =
                inTransaction
                        ? Map.of(
                                "bootstrap.servers",
                                broker.bootstrapServers(),
                                "max.request.size",
                                MAX_MESSAGE_BYTES,
                                "transactional.id",
                                "x")
                        : Map.of("bootstrap.servers", broker.bootstrapServers());
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(
                        properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            if (inTransaction) {
                producer.initTransactions();
                producer.beginTransaction();
            }
            producer.send(new ProducerRecord<>("t", value)).get();
            if (inTransaction) {
                producer.commitTransaction();
            }
        }
    }

    private static List<byte[]> consume(EmbeddedBroker broker, int count) {
        List<byte[]> values = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(
                        Map.of(
                                "bootstrap.servers",
                                broker.bootstrapServers(),
                                "group.id",
                                "g",
                                "auto.offset.reset",
                                "earliest",
                                "isolation.level",
                                "read_committed"),
                        new ByteArrayDeserializer(),
                        new ByteArrayDeserializer())) {
            consumer.subscribe(List.of("t"));
            while (values.size() < count) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    values.add(record.value());
                }
            }
        }
        return values;
    }

    private static Set<Path> folders() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(
                            file ->
                                    file.getFileName()
                                            .toString()
                                            .startsWith(EmbeddedBroker.FOLDER_PREFIX))
                    .collect(Collectors.toSet());
        }
    }

    private static Set<Thread> threadsThatKeepTheJvm() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !thread.isDaemon() && thread.isAlive())
                .collect(Collectors.toSet());
    }
}

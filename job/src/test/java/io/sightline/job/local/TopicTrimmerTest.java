// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class TopicTrimmerTest {

    private static final TopicPartition PARTITION = new TopicPartition("topic", 0);

    @Test
    void shouldDeleteWhatIsNotNeededAndNothingElse() throws Exception {
        AtomicLong needed = new AtomicLong();
        try (EmbeddedBroker broker = EmbeddedBroker.start(1 << 20)) {
            broker.createTopic(PARTITION.topic(), 1, Map.of());
            produce(broker, 10);
            try (Admin admin =
                            Admin.create(Map.of("bootstrap.servers", broker.bootstrapServers()));
                    TopicTrimmer trimmer =
                            new TopicTrimmer(
                                    broker.bootstrapServers(),
                                    () -> Map.of(PARTITION, needed.get()),
                                    Duration.ofMillis(10))) {
                for (long offset : new long[] {3, 7, 10}) {
                    needed.set(offset);
                    while (earliest(admin) < offset) {
                        Thread.onSpinWait();
                    }
                    assertThat(earliest(admin)).isEqualTo(offset);
                }
            }
        }
    }

    private static long earliest(Admin admin) throws Exception {
        return admin.listOffsets(Map.of(PARTITION, OffsetSpec.earliest()))
                .partitionResult(PARTITION)
                .get()
                .offset();
    }

    private static void produce(EmbeddedBroker broker, int count) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(
                        Map.of("bootstrap.servers", broker.bootstrapServers()),
                        new ByteArraySerializer(),
                        new ByteArraySerializer())) {
            for (int i = 0; i < count; i++) {
                producer.send(new ProducerRecord<>(PARTITION.topic(), new byte[100])).get();
            }
        }
    }
}

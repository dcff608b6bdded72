// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.util.Properties;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.kafka.clients.producer.ProducerConfig;

/** What the sinks have in common. */
final class SinkFactory {

    /** Gathers what arrives together, and is not felt beside a frame's time in the engine. */
    private static final int LINGER_MILLIS = 2;

    private SinkFactory() {}

    /**
     * @param name of this sink among the job's, part of its transactional ids
     */
    static <T> KafkaSink<T> build(
            SinkSettings settings,
            String name,
            Properties producerProperties,
            KafkaRecordSerializationSchema<T> serializer) {
        Delivery delivery = settings.delivery();
        KafkaSinkBuilder<T> builder =
                KafkaSink.<T>builder()
                        .setKafkaProducerConfig(producerProperties)
                        .setBootstrapServers(settings.kafka().bootstrapServers())
                        .setDeliveryGuarantee(delivery.guarantee())
                        .setRecordSerializer(serializer);
        if (delivery.isExactlyOnce()) {
            // Pooling uses a few ids again and again. The alternative takes a new one for each
            // checkpoint and subtask, which a broker remembers for a week: with a checkpoint a
            // second, half a million a day for every six writers. After a restart pooling asks the
            // broker which transactions are open, where the alternative guesses their names, more
            // of them with each restart. Its known weakness (FLINK-40626): restored with fewer
            // subtasks, it can miss a transaction under a reused id, which then holds up consumers,
            // but loses nothing, until the transaction timeout.
            builder.setTransactionalIdPrefix(delivery.transactionalId() + "/" + name)
                    .setTransactionNamingStrategy(TransactionNamingStrategy.POOLING);
        }
        return builder.build();
    }

    static Properties producerProperties(SinkSettings settings) {
        Properties properties = settings.kafka().toProperties();
        properties.setProperty(ProducerConfig.ACKS_CONFIG, "all");
        properties.setProperty(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, "true");
        properties.setProperty(ProducerConfig.LINGER_MS_CONFIG, Integer.toString(LINGER_MILLIS));
        if (settings.delivery().isExactlyOnce()) {
            properties.setProperty(
                    ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
                    Long.toString(settings.delivery().transactionTimeout().toMillis()));
        }
        return properties;
    }
}

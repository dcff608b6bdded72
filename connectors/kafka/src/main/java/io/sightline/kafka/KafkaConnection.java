// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.SslAuthenticationException;

/**
 * Where Kafka is and how clients prove who they are. The client properties hold secrets: they show
 * in no text this class gives.
 *
 * @param bootstrapServers {@code host:port}, several separated by commas
 * @param clientProperties what every client needs beside: security protocol, SASL, SSL
 */
public record KafkaConnection(String bootstrapServers, Map<String, String> clientProperties) {

    /** What Sightline sets, because correctness or the memory budget depends on it. */
    private static final Set<String> OURS =
            Set.of(
                    "acks",
                    "auto.offset.reset",
                    "bootstrap.servers",
                    "buffer.memory",
                    "client.id.prefix",
                    "commit.offsets.on.checkpoint",
                    "compression.type",
                    "enable.auto.commit",
                    "enable.idempotence",
                    "fetch.max.bytes",
                    "group.id",
                    "isolation.level",
                    "key.deserializer",
                    "key.serializer",
                    "linger.ms",
                    "max.partition.fetch.bytes",
                    "max.poll.records",
                    "max.request.size",
                    "partition.discovery.interval.ms",
                    "transaction.timeout.ms",
                    "transactional.id",
                    "value.deserializer",
                    "value.serializer");

    /**
     * @throws IllegalArgumentException where there is no server, or a property is one that
     *     Sightline sets itself
     */
    public KafkaConnection {
        if (bootstrapServers == null || bootstrapServers.isBlank()) {
            throw new IllegalArgumentException(
                    "no Kafka servers given, expected --bootstrap-servers host:port[,host:port]");
        }
        clientProperties = Map.copyOf(clientProperties);
        Set<String> clash = new TreeSet<>(clientProperties.keySet());
        clash.retainAll(OURS);
        if (!clash.isEmpty()) {
            throw new IllegalArgumentException(
                    "the Kafka client properties set "
                            + String.join(", ", clash)
                            + ", which Sightline sets itself from its own options: remove "
                            + (clash.size() == 1 ? "it" : "them"));
        }
    }

    /** As read from a properties file. */
    public static KafkaConnection of(String bootstrapServers, Properties clientProperties) {
        Map<String, String> map = new TreeMap<>();
        for (String name : clientProperties.stringPropertyNames()) {
            map.put(name, clientProperties.getProperty(name));
        }
        return new KafkaConnection(bootstrapServers, map);
    }

    /** Without client properties. */
    public static KafkaConnection of(String bootstrapServers) {
        return new KafkaConnection(bootstrapServers, Map.of());
    }

    /** A new set of both, for a client's configuration. */
    public Properties toProperties() {
        Properties properties = new Properties();
        clientProperties.forEach(properties::setProperty);
        properties.setProperty(CommonClientConfigs.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers);
        return properties;
    }

    /**
     * Why a client was turned away, in one line, with what to look at. Kafka's messages name no
     * secrets.
     *
     * @param failure as a client threw it
     */
    public static String reason(Throwable failure) {
        String said = oneLine(failure);
        if (failure instanceof SslAuthenticationException) {
            Throwable root = failure;
            while (root.getCause() != null) {
                root = root.getCause();
            }
            return said
                    + " ("
                    + oneLine(root)
                    + "): check ssl.truststore.location, and ssl.keystore.location where the broker"
                    + " wants a certificate";
        }
        return failure instanceof AuthenticationException
                ? said + ": check sasl.mechanism and sasl.jaas.config"
                : said;
    }

    private static String oneLine(Throwable failure) {
        return failure.getMessage() == null
                ? failure.getClass().getSimpleName()
                : failure.getMessage().replaceAll("\\s+", " ").strip();
    }

    @Override
    public String toString() {
        return "KafkaConnection[bootstrapServers="
                + bootstrapServers
                + ", clientProperties="
                + clientProperties.size()
                + " hidden]";
    }
}

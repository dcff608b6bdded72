// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {

    private static final int MIB = 1024 * 1024;
    private static final KafkaConnection KAFKA = KafkaConnection.of("kafka:9092");

    @Test
    void shouldNeverShowClientProperties() {
        Properties secrets = new Properties();
        secrets.setProperty("sasl.jaas.config", "password=hunter2");
        KafkaConnection kafka = KafkaConnection.of("kafka:9092", secrets);
        FrameSourceSettings source = source(kafka, "latest", null);
        SinkSettings sinks = new SinkSettings(kafka, "d", "l", "s", 10, Delivery.atLeastOnce());

        assertThat(kafka + " " + source + " " + sinks)
                .contains("kafka:9092", "1 hidden")
                .doesNotContain("hunter2")
                .doesNotContain("jaas");
        assertThat(FrameSource.consumerProperties(source))
                .containsEntry("sasl.jaas.config", "password=hunter2");
        assertThat(EventSink.producerProperties(sinks))
                .containsEntry("sasl.jaas.config", "password=hunter2");
        assertThat(DeadLetterSink.producerProperties(sinks))
                .containsEntry("sasl.jaas.config", "password=hunter2");
    }

    @Test
    void shouldRefuseClientPropertiesThatAreItsOwn() {
        assertThatThrownBy(
                        () ->
                                new KafkaConnection(
                                        "kafka:9092",
                                        Map.of("group.id", "x", "max.poll.records", "9")))
                .hasMessageContaining("group.id, max.poll.records")
                .hasMessageContaining("remove them");
        assertThatThrownBy(() -> KafkaConnection.of(" ")).hasMessageContaining("host:port");
    }

    @Test
    void shouldOwnWhateverItSets() {
        // A client property that the settings would silently overrule must be refused instead.
        SinkSettings sinks =
                new SinkSettings(
                        KAFKA, "d", "l", "s", 10, Delivery.exactlyOnce("x", Duration.ofMinutes(1)));
        Properties set = new Properties();
        set.putAll(FrameSource.consumerProperties(source(KAFKA, "latest", null)));
        set.putAll(EventSink.producerProperties(sinks));
        set.putAll(DeadLetterSink.producerProperties(sinks));
        set.putAll(CameraStatusSink.producerProperties(sinks));

        for (String name : set.stringPropertyNames()) {
            assertThatThrownBy(() -> new KafkaConnection("kafka:9092", Map.of(name, "1")))
                    .hasMessageContaining(name);
        }
    }

    @ParameterizedTest
    @CsvSource({
        // frame, partition, budget -> fetch, partition fetch, records a poll
        "1,       262144, 67108864, 33554432, 262144, 16",
        "1048576, 262144, 67108864, 33554432, 262144, 8",
        "8388608, 262144, 67108864, 33554432, 262144, 1",
        "1000,    262144, 100000,   50000,    50000,  12"
    })
    void shouldDeriveFetchesFromTheBudget(
            int frame,
            int partition,
            long budget,
            String fetch,
            String partitionFetch,
            String poll) {
        FrameSourceSettings settings =
                new FrameSourceSettings(
                        KAFKA,
                        "frames",
                        "g",
                        TopicPosition.parseStart("latest"),
                        null,
                        frame,
                        partition,
                        budget);

        assertThat(FrameSource.consumerProperties(settings))
                .containsEntry("fetch.max.bytes", fetch)
                .containsEntry("max.partition.fetch.bytes", partitionFetch)
                .containsEntry("max.poll.records", poll);
    }

    @Test
    void shouldRefuseABudgetThatCannotHoldTheLargestFrames() {
        assertThatThrownBy(
                        () ->
                                new FrameSourceSettings(
                                        KAFKA,
                                        "frames",
                                        "g",
                                        TopicPosition.parseStart("latest"),
                                        null,
                                        MIB,
                                        MIB,
                                        8L * MIB - 1))
                .hasMessageContaining("raise it to 8388608");
        assertThat(
                        FrameSourceSettings.of(
                                        KAFKA,
                                        "frames",
                                        "g",
                                        TopicPosition.parseStart("latest"),
                                        100 * MIB)
                                .memoryBytesPerSubtask())
                .isEqualTo(800L * MIB);
    }

    @Test
    void shouldReadOnlyThePartitionsThatOffsetsName() {
        assertThat(source(KAFKA, "latest", null).namedPartitions()).isEmpty();
        assertThat(source(KAFKA, "0:1,4:7", null).namedPartitions()).containsExactly(0, 4);
        assertThat(source(KAFKA, "earliest", "2:7").namedPartitions()).containsExactly(2);
        assertThat(source(KAFKA, "2:7", "latest").namedPartitions()).containsExactly(2);
        assertThat(FrameSource.consumerProperties(source(KAFKA, "0:1", null)))
                .containsEntry("partition.discovery.interval.ms", "-1");
    }

    @Test
    void shouldRefuseOffsetsThatDoNotMatch() {
        assertThatThrownBy(() -> source(KAFKA, "0:1", "0:5,1:5"))
                .hasMessageContaining("expected the same partitions");
        assertThatThrownBy(() -> source(KAFKA, "0:6", "0:5"))
                .hasMessage("partition 0 would start at 6, after its stop at 5");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "a/b"})
    void shouldRefuseTransactionalIdsThatCouldMeetAnotherJobs(String id) {
        assertThatThrownBy(() -> Delivery.exactlyOnce(id, Duration.ofMinutes(1)))
                .hasMessageContaining("without '/'");
    }

    @Test
    void shouldRefuseDeliveriesThatPromiseNothing() {
        assertThatThrownBy(() -> new Delivery(DeliveryGuarantee.NONE, null, null))
                .hasMessageContaining("not 'none'");
        assertThatThrownBy(() -> Delivery.exactlyOnce("x", Duration.ofDays(100)))
                .hasMessageContaining("transaction timeout");
        assertThatThrownBy(() -> new SinkSettings(KAFKA, "x", "y", "x", 1, Delivery.atLeastOnce()))
                .hasMessageContaining("[x, y, x], expected three different names");
    }

    @Test
    void shouldBoundWhatAProducerSends() {
        SinkSettings sinks =
                new SinkSettings(
                        KAFKA,
                        "d",
                        "l",
                        "s",
                        4 * MIB,
                        Delivery.exactlyOnce("site", Duration.ofMinutes(12)));

        assertThat(DeadLetterSink.producerProperties(sinks))
                .containsEntry("max.request.size", Integer.toString(4 * MIB + 64 * 1024))
                .containsEntry("transaction.timeout.ms", "720000");
        assertThat(EventSink.producerProperties(sinks))
                .containsEntry("max.request.size", Integer.toString(MIB))
                .containsEntry("transaction.timeout.ms", "720000");
    }

    private static FrameSourceSettings source(KafkaConnection kafka, String from, String until) {
        return new FrameSourceSettings(
                kafka,
                "frames",
                "g",
                TopicPosition.parseStart(from),
                until == null ? null : TopicPosition.parseStop(until),
                MIB,
                MIB,
                8L * MIB);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.events.CameraFrame;
import io.sightline.events.CameraFrameCodec;
import io.sightline.events.DeadLetter;
import io.sightline.events.DeadLetterCodec;
import io.sightline.events.DetectionEvent;
import io.sightline.events.DetectionEvent.Image;
import io.sightline.events.DetectionEvent.Model;
import io.sightline.events.DetectionEvent.Source;
import io.sightline.events.DetectionEvent.Timing;
import io.sightline.events.DetectionEventCodec;
import io.sightline.events.EventId;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.events.FrameRejectedException;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.assertj.core.groups.Tuple;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Source and sinks in a real job against a real broker. */
class KafkaJobTest {

    private static final OutputTag<DeadLetter> LETTERS =
            new OutputTag<>("letters", TypeInformation.of(DeadLetter.class));
    private static final String SHA = "0123456789abcdef".repeat(4);
    // Brokers refuse times ahead of their clock, and delete what is older than their retention.
    private static final long CAPTURED = System.currentTimeMillis() - 3_600_000;
    private static final int MAX_FRAME_BYTES = 2 * 1024 * 1024;

    private static KafkaConnection kafka;

    @BeforeAll
    static void startBroker() throws Exception {
        kafka = KafkaConnection.of(TestBroker.start().servers());
    }

    /** Not chained, so that all that travels is serialized between the operators. */
    @Test
    void shouldCarryFramesToEventsAndDeadLetters() throws Exception {
        String name = "way";
        createTopics(name);
        produce(
                List.of(
                        frame(name, 0, "cam-0", 0, new byte[] {1}),
                        frame(name, 2, "cam-2", 1, new byte[] {2}),
                        new ProducerRecord<>(name, 0, CAPTURED, null, null, List.of())));

        // Partition 1 is empty: its end, offset 0, must end the job as well.
        StreamExecutionEnvironment env = environment(false);
        build(env, source(name, "earliest", "latest"), sinks(name, Delivery.atLeastOnce()), null);
        env.execute();

        Map<String, ConsumerRecord<byte[], byte[]>> events =
                read(name + "-events", 2).stream()
                        .collect(Collectors.toMap(r -> new String(r.key(), UTF_8), r -> r));
        assertThat(events).containsOnlyKeys("cam-0", "cam-2");
        ConsumerRecord<byte[], byte[]> record = events.get("cam-2");
        DetectionEvent event = new DetectionEventCodec().decode(record.value());
        assertThat(event.source()).isEqualTo(new Source(name, 2, 0));
        assertThat(event.seq()).isEqualTo(1);
        assertThat(record.timestamp()).isEqualTo(CAPTURED + 1);
        assertThat(text(record, "schema")).isEqualTo("sightline.detection/1");

        ConsumerRecord<byte[], byte[]> letter = read(name + "-letters", 1).get(0);
        assertThat(letter.key()).isNull();
        assertThat(letter.value()).isNull();
        assertThat(letter.timestamp()).isEqualTo(CAPTURED);
        assertThat(text(letter, DeadLetterCodec.ERROR_CLASS)).isEqualTo("missing-key");
        assertThat(text(letter, DeadLetterCodec.SOURCE_TOPIC)).isEqualTo(name);
    }

    /** As after a restart without a checkpoint, which asks anew where to start. */
    @Test
    void shouldStartWhereTheTopicEndedWhenTheJobWasSubmitted() throws Exception {
        createTopics("submitted");
        produce(frames("submitted", 0, 6));
        StreamExecutionEnvironment env = environment(true);
        build(
                env,
                source("submitted", "committed", "latest"),
                sinks("submitted", Delivery.atLeastOnce()),
                null);
        produce(frames("submitted", 6, 12));
        env.execute();

        assertThat(read("submitted-events", 6))
                .extracting(r -> new DetectionEventCodec().decode(r.value()).seq())
                .containsExactlyInAnyOrder(6L, 7L, 8L, 9L, 10L, 11L);
    }

    @Test
    void shouldReadOnlyBetweenTheOffsetsThatAreNamed() throws Exception {
        createTopics("between");
        produce(frames("between", 0, 30));
        StreamExecutionEnvironment env = environment(true);
        build(
                env,
                source("between", "0:2,2:5", "0:4,2:8"),
                sinks("between", Delivery.atLeastOnce()),
                null);
        env.execute();

        assertThat(read("between-events", 5))
                .extracting(
                        r -> new DetectionEventCodec().decode(r.value()).source().partition(),
                        r -> new DetectionEventCodec().decode(r.value()).source().offset())
                .containsExactlyInAnyOrder(
                        tuple(0, 2), tuple(0, 3), tuple(2, 5), tuple(2, 6), tuple(2, 7));
    }

    /**
     * Half of the frames, a checkpoint, the other half, and a failure amid it: everything after the
     * checkpoint is done again, and must not show twice.
     */
    @Test
    void shouldShowEachEventOnceAcrossAFailure() throws Exception {
        createTopics("once");
        Failure.arm();
        StreamExecutionEnvironment env = environment(true);
        env.setParallelism(2);
        build(
                env,
                source("once", "earliest", "0:100,1:100,2:100"),
                sinks("once", Delivery.exactlyOnce("once", Duration.ofMinutes(5))),
                new Failure());
        JobClient job = env.executeAsync();
        produce(frames("once", 0, 150));
        assertThat(Failure.CHECKPOINTED.await(60, TimeUnit.SECONDS)).isTrue();
        produce(frames("once", 150, 300));
        job.getJobExecutionResult().get(120, TimeUnit.SECONDS);

        assertThat(Failure.FAILED).isTrue();
        List<DetectionEvent> events = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : read("once-events", 300)) {
            events.add(new DetectionEventCodec().decode(record.value()));
        }
        assertThat(events).hasSize(300).extracting(DetectionEvent::eventId).doesNotHaveDuplicates();
        for (int camera = 0; camera < 3; camera++) {
            String id = "cam-" + camera;
            assertThat(events.stream().filter(e -> e.cameraId().equals(id)))
                    .extracting(DetectionEvent::seq)
                    .isSorted();
        }
        // Nothing is left open that would hold up consumers of committed events.
        assertThat(ends("once-events", IsolationLevel.READ_COMMITTED))
                .isEqualTo(ends("once-events", IsolationLevel.READ_UNCOMMITTED));
    }

    @Test
    void shouldReadBusyPartitionsInShortTurnsAndLetLargeFramesThrough() throws Exception {
        createTopics("turns");
        List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            records.add(frame("turns", i % 2, "busy-" + i % 2, i, new byte[60_000]));
        }
        records.add(frame("turns", 2, "large", 0, new byte[1_000_000]));
        produce(records);

        Properties properties =
                FrameSource.consumerProperties(source("turns", "earliest", "latest"));
        properties.setProperty("auto.offset.reset", "earliest");
        List<Integer> order = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(properties)) {
            consumer.assign(partitions("turns"));
            while (order.size() < records.size()) {
                consumer.poll(Duration.ofSeconds(5)).forEach(r -> order.add(r.partition()));
            }
        }
        // A turn is four frames; the slack is for turns in which the other's fetch is under way.
        int end = Math.min(order.lastIndexOf(0), order.lastIndexOf(1));
        int longest = 0;
        int turn = 0;
        for (int i = 1; i < end; i++) {
            turn = order.get(i).equals(order.get(i - 1)) ? turn + 1 : 0;
            longest = Math.max(longest, turn);
        }
        assertThat(longest).isLessThan(50);
        assertThat(order).contains(2);
    }

    /** Looks at no picture: every record that keeps the contract becomes an event. */
    private static final class Detect extends ProcessFunction<FrameRecord, DetectionEvent>
            implements CheckpointListener {

        private final Failure failure;

        Detect(Failure failure) {
            this.failure = failure;
        }

        @Override
        public void processElement(
                FrameRecord record, Context context, Collector<DetectionEvent> out)
                throws Exception {
            try {
                CameraFrame frame = CameraFrameCodec.decode(record, MAX_FRAME_BYTES);
                if (failure != null) {
                    failure.maybe(frame.seq());
                }
                out.collect(event(record, frame));
            } catch (FrameRejectedException e) {
                context.output(LETTERS, new DeadLetter(record, e.reason(), e.getMessage()));
            }
        }

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            if (failure != null) {
                failure.checkpointed();
            }
        }
    }

    /** Fails once, in the second half of the frames, after a checkpoint with some of the first. */
    private static final class Failure implements Serializable {
        private static final long serialVersionUID = 1;

        static final AtomicBoolean FAILED = new AtomicBoolean();
        static CountDownLatch CHECKPOINTED;
        private static volatile boolean begun;

        static void arm() {
            FAILED.set(false);
            begun = false;
            CHECKPOINTED = new CountDownLatch(1);
        }

        void maybe(Long seq) {
            begun = true;
            if (seq >= 200 && FAILED.compareAndSet(false, true)) {
                throw new IllegalStateException("injected");
            }
        }

        void checkpointed() {
            if (begun) {
                CHECKPOINTED.countDown();
            }
        }
    }

    private static void build(
            StreamExecutionEnvironment env,
            FrameSourceSettings source,
            SinkSettings sinks,
            Failure failure) {
        SingleOutputStreamOperator<DetectionEvent> events =
                env.fromSource(
                                FrameSource.build(source),
                                WatermarkStrategy.noWatermarks(),
                                "frames")
                        .process(new Detect(failure));
        events.sinkTo(EventSink.build(sinks));
        events.getSideOutput(LETTERS).sinkTo(DeadLetterSink.build(sinks));
    }

    private static StreamExecutionEnvironment environment(boolean chained) {
        Configuration configuration = new Configuration();
        configuration.setString("pipeline.operator-chaining.enabled", Boolean.toString(chained));
        configuration.setString("pipeline.generic-types", "false");
        configuration.setString("restart-strategy.type", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.attempts", "1");
        configuration.setString("restart-strategy.fixed-delay.delay", "10 ms");
        configuration.setString("execution.checkpointing.interval", "100 ms");
        StreamExecutionEnvironment env =
                StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        env.setParallelism(1);
        return env;
    }

    private static DetectionEvent event(FrameRecord record, CameraFrame frame) {
        return new DetectionEvent(
                DetectionEvent.SCHEMA,
                EventId.of(record.topic(), record.partition(), record.offset(), SHA),
                frame.cameraId(),
                frame.epoch(),
                frame.seq(),
                DetectionEventCodec.formatTime(frame.captureTimeMillis()),
                new Source(record.topic(), record.partition(), record.offset()),
                new Image(1, 1),
                new Model("none", SHA, "fp32", "none"),
                List.of(),
                new Timing(0, 0, 0, 0, 0, 1, 0),
                frame.traceparent());
    }

    private static FrameSourceSettings source(String topic, String from, String until) {
        return new FrameSourceSettings(
                kafka,
                topic,
                topic,
                TopicPosition.parseStart(from),
                until == null ? null : TopicPosition.parseStop(until),
                MAX_FRAME_BYTES,
                FrameSourceSettings.DEFAULT_FETCH_BYTES_PER_PARTITION,
                FrameSourceSettings.DEFAULT_MEMORY_BYTES_PER_SUBTASK);
    }

    private static SinkSettings sinks(String name, Delivery delivery) {
        return new SinkSettings(
                kafka, name + "-events", name + "-letters", name + "-status", 1000, delivery);
    }

    private static void createTopics(String name) throws Exception {
        List<String> topics = List.of(name, name + "-events", name + "-letters");
        try (Admin admin = Admin.create(kafka.toProperties())) {
            admin.createTopics(topics.stream().map(t -> new NewTopic(t, 3, (short) 1)).toList())
                    .all()
                    .get();
        }
        // Creation returns before the leaders lead. Of the requests that a producer has in flight
        // meanwhile, a later one may be let in first, and the earlier ones then never.
        for (String topic : topics) {
            ends(topic, IsolationLevel.READ_UNCOMMITTED);
        }
    }

    private static ProducerRecord<byte[], byte[]> frame(
            String topic, int partition, String camera, long seq, byte[] value) {
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(
                        topic, partition, CAPTURED + seq, camera.getBytes(UTF_8), value);
        for (FrameRecord.Header header : new FrameHeaders().seq(seq).toArray()) {
            record.headers().add(header.name(), header.value());
        }
        return record;
    }

    /** Cameras in turn, each in its own partition. */
    private static List<ProducerRecord<byte[], byte[]>> frames(String topic, int from, int to) {
        return IntStream.range(from, to)
                .mapToObj(i -> frame(topic, i % 3, "cam-" + i % 3, i, new byte[] {1}))
                .toList();
    }

    private static void produce(List<ProducerRecord<byte[], byte[]>> records) throws Exception {
        Properties properties = kafka.toProperties();
        properties.setProperty("max.request.size", "2000000");
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(
                        properties, new ByteArraySerializer(), new ByteArraySerializer())) {
            List<Future<RecordMetadata>> sent = records.stream().map(producer::send).toList();
            for (Future<RecordMetadata> future : sent) {
                future.get();
            }
        }
    }

    private static KafkaConsumer<byte[], byte[]> consumer(Properties properties) {
        return new KafkaConsumer<>(
                properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** All committed records of a topic; waits until there are that many. */
    private static List<ConsumerRecord<byte[], byte[]>> read(String topic, int atLeast)
            throws Exception {
        Properties properties = kafka.toProperties();
        properties.setProperty("isolation.level", "read_committed");
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(properties)) {
            consumer.assign(partitions(topic));
            consumer.seekToBeginning(consumer.assignment());
            Map<TopicPartition, Long> ends = ends(topic, IsolationLevel.READ_UNCOMMITTED);
            while ((records.size() < atLeast
                            || ends.entrySet().stream()
                                    .anyMatch(e -> consumer.position(e.getKey()) < e.getValue()))
                    && System.nanoTime() < deadline) {
                consumer.poll(Duration.ofMillis(500)).forEach(records::add);
            }
        }
        return records;
    }

    private static Map<TopicPartition, Long> ends(String topic, IsolationLevel isolation)
            throws Exception {
        try (Admin admin = Admin.create(kafka.toProperties())) {
            Map<TopicPartition, OffsetSpec> latest =
                    partitions(topic).stream()
                            .collect(Collectors.toMap(p -> p, p -> OffsetSpec.latest()));
            return admin
                    .listOffsets(latest, new ListOffsetsOptions(isolation))
                    .all()
                    .get()
                    .entrySet()
                    .stream()
                    .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset()));
        }
    }

    private static List<TopicPartition> partitions(String topic) {
        return IntStream.range(0, 3).mapToObj(p -> new TopicPartition(topic, p)).toList();
    }

    private static String text(ConsumerRecord<byte[], byte[]> record, String header) {
        Header found = record.headers().lastHeader(header);
        return found == null ? null : new String(found.value(), UTF_8);
    }

    private static Tuple tuple(int partition, long offset) {
        return Tuple.tuple(partition, offset);
    }
}

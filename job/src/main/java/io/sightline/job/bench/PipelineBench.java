// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.events.DetectionEventCodec;
import io.sightline.events.FrameHeaders;
import io.sightline.events.FrameRecord;
import io.sightline.job.DetectionJob;
import io.sightline.job.DetectionOptions;
import io.sightline.job.ModelChoice;
import io.sightline.job.local.LocalFlink;
import io.sightline.job.local.TopicCreator;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The job between two topics of a broker in a process of its own. */
final class PipelineBench implements AutoCloseable {

    /** One camera a partition, so that all subtasks have the same to do. */
    private static final int CAMERAS = 8;

    /**
     * Events that pass before the clock starts: engines are loaded and the first code compiled by
     * then.
     */
    private static final double WARM_UP = 0.25;

    private static final int MAX_FRAME_BYTES = 4 << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ModelChoice model;
    private final List<byte[]> frames;
    private final int workers;
    private final int lanes;
    private final BrokerProcess broker;
    private final LocalFlink flink;
    private int runs;

    PipelineBench(ModelChoice model, List<byte[]> frames, int workers, int lanes) throws Exception {
        this.model = model;
        this.frames = frames;
        this.workers = workers;
        this.lanes = lanes;
        this.broker = BrokerProcess.start();
        try {
            this.flink = LocalFlink.start(workers, configuration());
        } catch (Exception e) {
            broker.close();
            throw e;
        }
    }

    private static Configuration configuration() {
        Configuration configuration = new Configuration();
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
        return configuration;
    }

    /** Throughput over that many frames, all of them on the broker before the job starts. */
    Bench.Result round(int count) throws Exception {
        try (Run run = new Run(false)) {
            run.produce(count, 0);
            run.startJob();
            long warm = (long) (count * WARM_UP);
            long first = run.await(warm);
            long start = System.nanoTime();
            long cpu = Bench.processCpuNanos();
            Duration brokerCpu = broker.cpuTime();
            long last = run.await(count);
            long measured = last - first;
            double seconds = (System.nanoTime() - start) / 1e9;
            return new Bench.Result(
                    measured / seconds,
                    (Bench.processCpuNanos() - cpu) / 1e6 / measured,
                    (broker.cpuTime().toNanos() - brokerCpu.toNanos()) / 1e6 / measured);
        }
    }

    /** Percentiles of capture to event with frames coming at an even rate. */
    String latency(double framesPerSecond, double seconds) throws Exception {
        int count = (int) (framesPerSecond * seconds);
        try (Run run = new Run(true)) {
            run.startJob();
            CompletableFuture<Void> produced =
                    CompletableFuture.runAsync(
                            () -> {
                                try {
                                    run.produce(count, framesPerSecond);
                                } catch (Exception e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            run.await(count);
            produced.join();
            long[] latencies = run.latencies();
            int warm = (int) (latencies.length * WARM_UP);
            long[] sorted = Arrays.copyOfRange(latencies, warm, latencies.length);
            Arrays.sort(sorted);
            return "p50 %d ms, p95 %d ms, p99 %d ms"
                    .formatted(at(sorted, 50), at(sorted, 95), at(sorted, 99));
        }
    }

    static long at(long[] sorted, int percent) {
        return sorted[(int) Math.ceil(sorted.length * percent / 100.0) - 1];
    }

    /** Topics of its own, a job on them, and somebody who counts the events. */
    private final class Run implements AutoCloseable {

        private final String framesTopic;
        private final String eventsTopic;
        private final String deadLetterTopic;
        private final String statusTopic;
        private final KafkaConsumer<byte[], byte[]> events;
        private JobID job;
        private CompletableFuture<Void> result;
        private final DetectionEventCodec codec = new DetectionEventCodec();
        private final boolean readLatencies;
        private long received;
        private long[] latencies = new long[1 << 12];

        /**
         * @param readLatencies whether events are parsed, which costs CPU that is not the job's
         */
        Run(boolean readLatencies) throws Exception {
            this.readLatencies = readLatencies;
            int number = runs++;
            framesTopic = "frames-" + number;
            eventsTopic = "events-" + number;
            deadLetterTopic = "dead-letters-" + number;
            statusTopic = "camera-status-" + number;
            TopicCreator.create(
                    broker.bootstrapServers(),
                    List.of(
                            new NewTopic(framesTopic, CAMERAS, (short) 1),
                            new NewTopic(eventsTopic, 1, (short) 1),
                            new NewTopic(deadLetterTopic, 1, (short) 1),
                            new NewTopic(statusTopic, 1, (short) 1)));
            events =
                    new KafkaConsumer<>(
                            client(), new ByteArrayDeserializer(), new ByteArrayDeserializer());
            List<TopicPartition> partitions = List.of(new TopicPartition(eventsTopic, 0));
            events.assign(partitions);
            events.seekToBeginning(partitions);
        }

        private Map<String, Object> client() {
            return Map.of("bootstrap.servers", broker.bootstrapServers());
        }

        /**
         * @param framesPerSecond over all cameras; 0 for as fast as it goes
         */
        void produce(int count, double framesPerSecond) throws Exception {
            Map<String, Object> settings = new HashMap<>(client());
            settings.put("max.request.size", 2 * MAX_FRAME_BYTES);
            settings.put("linger.ms", 0);
            try (KafkaProducer<byte[], byte[]> producer =
                    new KafkaProducer<>(
                            settings, new ByteArraySerializer(), new ByteArraySerializer())) {
                List<Future<?>> sends = new ArrayList<>();
                long start = System.nanoTime();
                for (int i = 0; i < count; i++) {
                    if (framesPerSecond > 0) {
                        long due = start + (long) (i / framesPerSecond * 1e9);
                        TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
                    }
                    int camera = i % CAMERAS;
                    ProducerRecord<byte[], byte[]> record =
                            new ProducerRecord<>(
                                    framesTopic,
                                    camera,
                                    System.currentTimeMillis(),
                                    ("cam-" + camera).getBytes(StandardCharsets.UTF_8),
                                    frames.get(i % frames.size()));
                    for (FrameRecord.Header header :
                            new FrameHeaders().seq(i / CAMERAS).toArray()) {
                        record.headers().add(header.name(), header.value());
                    }
                    sends.add(producer.send(record));
                }
                for (Future<?> send : sends) {
                    send.get();
                }
            }
        }

        void startJob() throws Exception {
            StreamExecutionEnvironment environment =
                    StreamExecutionEnvironment.getExecutionEnvironment(configuration());
            DetectionJob.prepare(
                    environment,
                    DetectionOptions.of(
                            broker.bootstrapServers(),
                            model,
                            "--frames-topic=" + framesTopic,
                            "--events-topic=" + eventsTopic,
                            "--dead-letter-topic=" + deadLetterTopic,
                            "--camera-status-topic=" + statusTopic,
                            "--from=earliest",
                            "--lanes=" + lanes,
                            "--parallelism=" + workers));
            job = flink.submit(environment);
            result = flink.result(job);
            flink.awaitRunning(job);
        }

        /** Reads events until there are that many; says how many there are. */
        long await(long count) throws Exception {
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (received < count) {
                ConsumerRecords<byte[], byte[]> records = events.poll(Duration.ofMillis(100));
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    if (received == latencies.length) {
                        latencies = Arrays.copyOf(latencies, latencies.length * 2);
                    }
                    latencies[(int) received++] =
                            readLatencies
                                    ? codec.decode(record.value()).timing().captureToEmitMs()
                                    : 0;
                }
                if (!records.isEmpty()) {
                    deadline = System.nanoTime() + PATIENCE.toNanos();
                } else if (result.isDone()) {
                    result.get();
                    throw new IOException("the job ended after " + received + " events");
                } else if (System.nanoTime() > deadline) {
                    throw new IOException("no event for " + PATIENCE + ", after " + received);
                }
            }
            return received;
        }

        long[] latencies() {
            return Arrays.copyOf(latencies, (int) received);
        }

        @Override
        public void close() throws Exception {
            try (events) {
                if (job != null) {
                    flink.cancel(job);
                }
            }
            try (Admin admin = Admin.create(client())) {
                admin.deleteTopics(List.of(framesTopic, eventsTopic, deadLetterTopic, statusTopic))
                        .all()
                        .get();
            }
        }
    }

    @Override
    public void close() throws Exception {
        try (broker) {
            flink.close();
        }
    }
}

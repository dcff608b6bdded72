// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.job.LivePipeline.Job;
import io.sightline.job.LivePipeline.Topics;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.runtime.checkpoint.CheckpointStatsSnapshot;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.CompletedCheckpointStats;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How jobs end, go on, and what they keep meanwhile. */
@Timeout(180)
class SavepointIT {

    private static final int CAMERAS = 4;

    @RegisterExtension static final LivePipeline PIPELINE = new LivePipeline();

    @ParameterizedTest
    @CsvSource({
        "none, at-least-once",
        "by-camera, at-least-once",
        "none, exactly-once",
    })
    void shouldKeepTheOrderOfEachCameraFromOneSubtaskToTwoAndBack(
            String repartition, String delivery) throws Exception {
        int frames = 800;
        Topics topics = PIPELINE.topics(CAMERAS);
        topics.produce(CAMERAS, 0, frames);
        String savepoint = null;
        try (EventReader all = topics.uncommitted()) {
            int[] parallelism = {1, 2, 1};
            for (int stage = 1; stage <= parallelism.length; stage++) {
                Job job =
                        PIPELINE.restore(
                                topics,
                                savepoint,
                                "--parallelism=" + parallelism[stage - 1],
                                "--lanes=2",
                                "--max-batch=4",
                                "--repartition=" + repartition,
                                "--delivery=" + delivery);
                boolean last = stage == parallelism.length;
                // Or it would be through before it is stopped; what is in network buffers by then
                // still goes through.
                job.engine.slow(Duration.ofMillis(last ? 0 : 4));
                all.awaitFrames(last ? frames * CAMERAS : frames * CAMERAS * stage / 4);
                savepoint = job.stop(/* drain= */ false);
                if (!last) {
                    int done = all.readAll().size();
                    System.out.printf(
                            "%s, %s: stopped with %d subtasks after %d of %d frames, savepoint %d bytes%n",
                            repartition,
                            delivery,
                            parallelism[stage - 1],
                            done,
                            frames * CAMERAS,
                            LivePipeline.bytesOnDisk(savepoint));
                    assertThat(done).as("frames before the rescale").isLessThan(frames * CAMERAS);
                }
            }
        }
        try (EventReader reader = topics.committed()) {
            int doubles = EventReader.assertComplete(reader.readAll(), CAMERAS, frames);
            assertThat(doubles).as("events written twice without any failure").isZero();
        }
    }

    /** Amid the stream, with frames in every place where frames can be. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldStopWithASavepointWhileItIsBusy(boolean drain) throws Exception {
        int frames = 300;
        Topics topics = PIPELINE.topics(CAMERAS);
        topics.produce(CAMERAS, 0, frames);
        Job job = PIPELINE.start(topics, "--parallelism=2", "--lanes=1", "--delivery=exactly-once");
        job.engine.slow(Duration.ofMillis(5));
        try (EventReader all = topics.uncommitted();
                EventReader committed = topics.committed()) {
            all.awaitFrames(100);
            String savepoint = job.stop(drain);
            int written = all.readAll().size();
            assertThat(written).isBetween(100, frames * CAMERAS - 1);
            // What was written is committed with the savepoint, also by a job that does not go on.
            assertThat(committed.readAll()).hasSize(written);
            // Nothing is lost for a job that goes on from there.
            job = PIPELINE.restore(topics, savepoint, "--parallelism=2", "--delivery=exactly-once");
            all.awaitFrames(frames * CAMERAS);
            job.stop(/* drain= */ false);
            assertThat(EventReader.assertComplete(committed.readAll(), CAMERAS, frames)).isZero();
        }
    }

    @Test
    void shouldEndWhenItIsCancelledWhileItWaitsForASlot() throws Exception {
        Topics topics = PIPELINE.topics(CAMERAS);
        // So that they wait in the midst of an element; Flink may choose this moment for its first
        // barrier all the same, and then they wait for an empty operator.
        Job job =
                PIPELINE.start(topics, "--parallelism=2", "--lanes=1", "--checkpoint-interval=1h");
        CountDownLatch held = job.engine.hold();
        // More than slots, room and queues hold.
        topics.produce(CAMERAS, 0, 100);
        assertThat(held.await(60, TimeUnit.SECONDS)).isTrue();
        LivePipeline.await("both subtasks wait", () -> subtasksThatWait() == 2);

        job.requestCancel();
        LivePipeline.await(
                "the job is being cancelled",
                () -> job.status() == JobStatus.CANCELLING || job.status() == JobStatus.CANCELED);
        // An engine cannot be interrupted: its run ends when it ends.
        job.engine.release();
        job.awaitEnd(JobStatus.CANCELED);
    }

    private static long subtasksThatWait() {
        return Thread.getAllStackTraces().values().stream()
                .map(List::of)
                .filter(stack -> calls(stack, "MailboxExecutorImpl", "yield"))
                .filter(
                        stack ->
                                calls(stack, "DetectOperator", "processElement")
                                        || calls(stack, "DetectOperator", "drain"))
                .count();
    }

    private static boolean calls(List<StackTraceElement> stack, String type, String method) {
        return stack.stream()
                .anyMatch(
                        call ->
                                call.getClassName().endsWith("." + type)
                                        && call.getMethodName().equals(method));
    }

    /**
     * Neither frames nor pixels are state: with 100 partitions and a backlog of large frames a
     * checkpoint holds little more than 100 offsets. One frame in it would break the limit.
     */
    @ParameterizedTest
    @ValueSource(strings = {"none", "by-camera"})
    void shouldKeepCheckpointsSmallUnderBackpressure(String repartition) throws Exception {
        int partitions = 100;
        int perPartition = 5;
        long limit = 100_000;
        byte[] picture = noise(limit);
        Topics topics = PIPELINE.topics(partitions, 1);
        topics.produce(
                IntStream.range(0, partitions * perPartition)
                        .mapToObj(
                                i ->
                                        topics.frame(
                                                i % partitions,
                                                i % partitions,
                                                i / partitions,
                                                picture)));
        Job job =
                PIPELINE.start(
                        topics,
                        "--parallelism=2",
                        "--lanes=1",
                        "--repartition=" + repartition,
                        "--delivery=exactly-once",
                        "--checkpoint-interval=100ms");
        job.engine.slow(Duration.ofMillis(20));
        LivePipeline.await(
                "five checkpoints",
                () -> job.checkpointStats().getCounts().getNumberOfCompletedCheckpoints() >= 5);
        CheckpointStatsSnapshot stats = job.checkpointStats();
        String savepoint = job.stop(/* drain= */ false);
        long onDisk = LivePipeline.bytesOnDisk(savepoint);
        try (EventReader reader = topics.committed()) {
            assertThat(reader.readAll())
                    .as("the backlog must outlast the measurement")
                    .hasSizeLessThan(partitions * perPartition);
        }
        long largest =
                stats.getHistory().getCheckpoints().stream()
                        .filter(CompletedCheckpointStats.class::isInstance)
                        .map(CompletedCheckpointStats.class::cast)
                        .mapToLong(c -> c.getStateSize() + c.getMetadataSize())
                        .max()
                        .orElseThrow();
        System.out.printf(
                "repartition %s, %d partitions, frames of %d bytes: largest of %d checkpoints %d bytes, savepoint on disk %d bytes%n",
                repartition,
                partitions,
                picture.length,
                stats.getCounts().getNumberOfCompletedCheckpoints(),
                largest,
                onDisk);
        assertThat(largest).isLessThan(limit);
        assertThat(onDisk).isLessThan(limit);
    }

    private static byte[] noise(long leastBytes) throws IOException {
        BufferedImage image = new BufferedImage(640, 480, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(1);
        for (int y = 0; y < image.getHeight(); y++) {
            for (int x = 0; x < image.getWidth(); x++) {
                image.setRGB(x, y, random.nextInt(1 << 24));
            }
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ImageIO.write(image, "jpeg", out);
        assertThat((long) out.size()).isGreaterThan(leastBytes);
        return out.toByteArray();
    }

    /** What a later release must find again in a savepoint of this one. */
    @ParameterizedTest
    @ValueSource(strings = {"at-least-once", "exactly-once"})
    void shouldKeepTheStatesOfTheFirstRelease(String delivery) throws Exception {
        Topics topics = PIPELINE.topics(CAMERAS);
        topics.produce(CAMERAS, 0, 20);
        Job job = PIPELINE.start(topics, "--parallelism=2", "--delivery=" + delivery);
        try (EventReader all = topics.uncommitted()) {
            all.awaitFrames(20 * CAMERAS);
        }
        String actual = states(job.stop(/* drain= */ false));
        try (InputStream golden = getClass().getResourceAsStream("/golden/savepoint.txt")) {
            assertThat(actual).isEqualTo(new String(golden.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    private static String states(String savepoint) throws IOException {
        Path metadata = Path.of(URI.create(savepoint)).resolve("_metadata");
        CheckpointMetadata content;
        try (DataInputStream in = new DataInputStream(Files.newInputStream(metadata))) {
            content =
                    Checkpoints.loadCheckpointMetadata(
                            in, SavepointIT.class.getClassLoader(), savepoint);
        }
        return content.getOperatorStates().stream()
                .map(SavepointIT::describe)
                .sorted()
                .collect(Collectors.joining("\n", "", "\n"));
    }

    private static String describe(OperatorState operator) {
        TreeSet<String> names = new TreeSet<>();
        boolean others = false;
        for (OperatorSubtaskState subtask : operator.getStates()) {
            subtask.getManagedOperatorState()
                    .forEach(
                            handle ->
                                    names.addAll(handle.getStateNameToPartitionOffsets().keySet()));
            others |=
                    !subtask.getManagedKeyedState().isEmpty()
                            || !subtask.getRawKeyedState().isEmpty()
                            || !subtask.getRawOperatorState().isEmpty()
                            || !subtask.getInputChannelState().isEmpty()
                            || !subtask.getResultSubpartitionState().isEmpty();
        }
        return "%s %s max-parallelism=%d coordinator=%s operator-state=%s other-state=%s"
                .formatted(
                        operator.getOperatorUid().orElse("(no uid)"),
                        operator.getOperatorID(),
                        operator.getMaxParallelism(),
                        operator.getCoordinatorState() != null,
                        names,
                        others);
    }
}

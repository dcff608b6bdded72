// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import io.sightline.streaming.OverloadPolicy;
import io.sightline.streaming.OverloadSettings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class DetectionOptionsTest {

    @TempDir Path folder;

    private static DetectionOptions parse(String... args) {
        DetectionOptions options = new DetectionOptions();
        CommandLine commandLine = OptionTypes.register(new CommandLine(options));
        OptionsFile.apply(commandLine, args);
        commandLine.parseArgs(args);
        return options;
    }

    private static DetectionOptions parseWith(String... more) {
        String[] args = new String[more.length + 2];
        args[0] = "--bootstrap-servers=localhost:9";
        args[1] = "--model=m.onnx";
        System.arraycopy(more, 0, args, 2, more.length);
        return parse(args);
    }

    @Test
    void shouldTakeDefaultsThatPassTheirOwnChecks() {
        DetectionOptions options = parseWith();
        options.validate();
        assertThat(options.sourceSettings().topic()).isEqualTo("camera-frames");
        assertThat(options.sinkSettings().eventsTopic()).isEqualTo("detections");
        assertThat(options.detectSettings(options.backendFactory()).maxBatchDelay())
                .isEqualTo(Duration.ZERO);
    }

    /** What was decoded ahead would be an older frame than the newest. */
    @ParameterizedTest
    @CsvSource({
        "--lanes=2, 2",
        "--overload-policy=latest, 1",
        "--overload-policy=max-age --max-age=500ms, 1",
        "--overload-policy=latest --backend=tensorrt, 3",
        "--overload-policy=latest --buffers-per-lane=4, 4",
        "--camera-policy=cam-1=latest, 2"
    })
    void shouldDecodeAheadOnlyWhereNothingIsDropped(String flags, int buffers) {
        DetectionOptions options = parseWith(flags.split(" "));
        assertThat(options.detectSettings(options.backendFactory()).buffersPerLane())
                .isEqualTo(buffers);
    }

    @Test
    void shouldReadAFileAndLetFlagsWin() throws Exception {
        Path file = folder.resolve("sightline.properties");
        Files.writeString(
                file,
                """
                bootstrap-servers=kafka:9092
                model=m.onnx
                lanes=3
                max-batch-delay=5ms
                delivery=exactly-once
                """);
        DetectionOptions options = parse("--options", file.toString(), "--lanes", "4");
        assertThat(options.bootstrapServers).isEqualTo("kafka:9092");
        assertThat(options.lanes).isEqualTo(4);
        assertThat(options.maxBatchDelay).isEqualTo(Duration.ofMillis(5));
        assertThat(options.delivery).isEqualTo(DetectionOptions.Guarantee.EXACTLY_ONCE);
    }

    @Test
    void shouldTakeThePolicyOfSingleCamerasFromFlagsAndFiles() throws Exception {
        Path file = folder.resolve("sightline.properties");
        Files.writeString(
                file,
                """
                bootstrap-servers=kafka:9092
                model=m.onnx
                overload-policy=max-age
                max-age=500ms
                camera-policy=cam-7=latest,cam-8=process-all
                """);
        OverloadSettings ofFile =
                parse("--options", file.toString())
                        .detectSettings(parseWith().backendFactory())
                        .overload();
        assertThat(ofFile.policy()).isEqualTo(OverloadPolicy.MAX_AGE);
        assertThat(ofFile.maxAge()).isEqualTo(Duration.ofMillis(500));
        assertThat(ofFile.byCamera())
                .containsExactly(
                        entry("cam-7", OverloadPolicy.LATEST),
                        entry("cam-8", OverloadPolicy.PROCESS_ALL));
        DetectionOptions flags =
                parseWith("--camera-policy=a=latest", "--camera-policy", "b=process-all");
        flags.validate();
        assertThat(flags.detectSettings(flags.backendFactory()).overload().byCamera())
                .containsOnlyKeys("a", "b");
    }

    @Test
    void shouldRefuseAnUnknownNameInAFile() throws Exception {
        Path file = folder.resolve("sightline.properties");
        Files.writeString(file, "lane=3\n");
        assertThatThrownBy(() -> parse("--options=" + file))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("'lane' is not an option");
    }

    @Test
    void shouldNotShowTheContentOfAFileItCannotRead() throws Exception {
        Path file = folder.resolve("kafka.properties");
        Files.writeString(file, "ssl.key.password=secret\\uZZZZ");
        assertThatThrownBy(() -> DetectionOptions.kafkaClientProperties(file))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("kafka.properties")
                .hasMessageNotContaining("secret");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "org.example.Module required username=bob password=half hidden;",
                "org.example.Module required username=bob password=hidden",
                "hidden",
            })
    void shouldNotShowALoginThatKafkaCannotRead(String login) throws Exception {
        Path file = folder.resolve("login.properties");
        Files.writeString(file, "sasl.jaas.config=" + login);
        assertThatThrownBy(() -> DetectionOptions.kafkaClientProperties(file))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("sasl.jaas.config cannot be read, expected")
                .hasMessageNotContaining("hidden")
                .hasNoCause();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--lanes=-1|--lanes is -1, expected at least 0",
                "--confidence=1.5|--confidence is 1.5, expected 0 to 1",
                "--checkpoint-interval=0ms|--checkpoint-interval is 0",
                "--events-topic=camera-frames|four different topics",
                "--camera-status-topic=detections|four different topics",
                "--max-frame-bytes=2gb|--max-frame-bytes is 2 gb, expected at most 1023 mb",
                "--max-frame-pixels=800000000|--max-frame-pixels is 800000000, expected at most 715827882",
                "--dead-letter-max-bytes=5gb|--dead-letter-max-bytes is 5 gb, expected at most 512 mb",
                "--fetch-bytes=4gb|--fetch-bytes is 4 gb, expected at most 1 gb",
                "--silent-after=0s|--silent-after is 0",
                "--overload-policy=max-age|policy max-age is chosen and max-age is absent",
                "--max-age=2s|no camera has policy max-age",
            })
    void shouldNameTheOptionThatIsWrong(String option, String message) {
        DetectionOptions options = parseWith(option);
        assertThatThrownBy(options::validate)
                .isInstanceOf(UserException.class)
                .hasMessageContaining(message);
    }

    @Test
    void shouldNameEverythingThatIsWrongAtOnce() {
        DetectionOptions options = parseWith("--lanes=-1", "--room-frames=0");
        assertThatThrownBy(options::validate)
                .hasMessageContaining("--lanes")
                .hasMessageContaining("--room-frames");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--max-batch-delay=fast|'fast' is not a duration",
                "--max-frame-bytes=big|'big' is not a size",
                "--delivery=maybe|'maybe' is none of at-least-once, exactly-once",
                "--camera-policy=cam-7=newest|'newest' is none of process-all, latest, max-age",
                "--layout=yolo|unknown output layout 'yolo'",
            })
    void shouldSayWhatAValueMustLookLike(String option, String message) {
        assertThatThrownBy(() -> parseWith(option))
                .isInstanceOf(CommandLine.ParameterException.class)
                .hasMessageContaining(message);
    }

    @Test
    void shouldRefuseUnalignedCheckpoints() {
        Configuration cluster = new Configuration();
        cluster.set(CheckpointingOptions.ENABLE_UNALIGNED, true);
        assertThatThrownBy(
                        () ->
                                DetectionJob.prepare(
                                        StreamExecutionEnvironment.getExecutionEnvironment(cluster),
                                        parseWith()))
                .isInstanceOf(UserException.class)
                .hasMessageContaining("execution.checkpointing.unaligned.enabled");
    }
}

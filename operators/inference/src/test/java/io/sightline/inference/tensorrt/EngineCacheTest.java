// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.sightline.inference.InferenceException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class EngineCacheTest {

    private static final Int8Report REPORT = new Int8Report(3, 2, List.of("head: reads FP16"));

    @TempDir Path folder;

    private final AtomicInteger builds = new AtomicInteger();

    private static EngineCache.Request request(String sm) {
        return new EngineCache.Request(
                new EngineKey("ab12", sm, "10.6.0.26", "int8", "1,2-8", "", "weak"),
                Path.of("yolov6s.onnx"),
                "yolov6s",
                "Tesla T4",
                "./sightline model build --rebuild");
    }

    private EngineCache cache() {
        return new EngineCache(folder.resolve("engines"));
    }

    private Int8Report build(Path file) throws IOException {
        Files.writeString(file, "engine " + builds.incrementAndGet());
        return REPORT;
    }

    private EngineCache.Entry get() {
        return cache().get(request("sm_75"), false, this::build);
    }

    private List<String> files() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("engines"))) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void shouldBuildOnceAndFindItAgain() throws Exception {
        EngineCache.Entry built = get();
        assertThat(built.built()).isTrue();
        assertThat(built.file()).hasContent("engine 1");
        EngineCache.Entry found = get();
        assertThat(found.built()).isFalse();
        assertThat(found.file()).isEqualTo(built.file());
        assertThat(found.record()).isEqualTo(built.record());
        assertThat(found.record().int8()).isEqualTo(REPORT);
        assertThat(builds).hasValue(1);
        assertThat(files()).noneMatch(name -> name.endsWith(".part"));
        assertThat(Files.readString(record()))
                .contains("\"sm\" : \"sm_75\"", "\"tensor_rt\" : \"10.6.0.26\"", "Tesla T4");
    }

    @Test
    void shouldBuildAnotherForAnotherGpu() {
        get();
        assertThat(cache().get(request("sm_90"), false, this::build).built()).isTrue();
        assertThat(get().built()).isFalse();
        assertThat(builds).hasValue(2);
    }

    @Test
    void shouldBuildAnewWhereThatIsAskedFor() {
        get();
        EngineCache.Entry anew = cache().get(request("sm_75"), true, this::build);
        assertThat(anew.built()).isTrue();
        assertThat(anew.file()).hasContent("engine 2");
        assertThat(get().file()).hasContent("engine 2");
    }

    private Path record() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("engines"))) {
            return files.filter(file -> file.toString().endsWith(".json"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private void assertRefused(String... why) {
        assertThatThrownBy(this::get)
                .isInstanceOf(InferenceException.class)
                .hasMessageStartingWith("model yolov6s.onnx: engine refused: ")
                .hasMessageContainingAll(why)
                .hasMessageEndingWith("build it anew with ./sightline model build --rebuild");
        assertThat(builds).hasValue(1);
    }

    @Test
    void shouldRefuseAnEngineThatIsNotTheRecords() throws Exception {
        Path engine = get().file();
        Files.writeString(engine, "cut short");
        assertRefused("has sha256 ", "but its record was written for ");
        Files.delete(engine);
        assertRefused("is not there, only its record");
    }

    @Test
    void shouldRefuseARecordOfAnotherKeyAndSayInWhatItDiffers() throws Exception {
        get();
        Path record = record();
        String text = Files.readString(record);
        Files.writeString(record, text.replace("sm_75", "sm_90").replace("10.6.0", "10.7.0"));
        assertRefused(
                "is of another engine: sm is sm_90, expected sm_75, tensor_rt is 10.7.0.26, expected 10.6.0.26");
        Files.writeString(record, "{");
        assertRefused("is no record of an engine");
        Files.writeString(record, "null");
        assertRefused("is no record of an engine");
        Files.writeString(record, "{}");
        assertRefused("is no record of an engine");
    }

    @Test
    void shouldTakeARefusedEngineBackByRebuilding() throws Exception {
        Files.writeString(get().file(), "cut short");
        cache().get(request("sm_75"), true, this::build);
        assertThat(get().file()).hasContent("engine 2");
    }

    @Test
    void shouldLeaveNothingWhereABuildFails() throws Exception {
        assertThatThrownBy(
                        () ->
                                cache().get(
                                                request("sm_75"),
                                                false,
                                                file -> {
                                                    Files.writeString(file, "half");
                                                    throw new InferenceException("no kernel");
                                                }))
                .hasMessage("no kernel");
        assertThat(files()).allMatch(name -> name.endsWith(".lock"));
        assertThat(get().file()).hasContent("engine 1");
    }

    @Test
    void shouldBuildAgainWhatWasCutShortBeforeItsRecord() throws Exception {
        Path record = record(get());
        Files.delete(record);
        assertThat(get().file()).hasContent("engine 2");
    }

    private Path record(EngineCache.Entry ignored) throws IOException {
        return record();
    }

    @Test
    void shouldNameAFolderThatCannotBeWritten() throws Exception {
        Path file = Files.writeString(folder.resolve("file"), "");
        assertThatThrownBy(() -> new EngineCache(file).get(request("sm_75"), false, this::build))
                .isInstanceOf(InferenceException.class)
                .hasMessageContaining("engine cache " + file)
                .hasMessageContaining("--engine-cache");
    }

    @Test
    void shouldBuildOnceForManyThreads() throws Exception {
        int threads = 4;
        CountDownLatch ready = new CountDownLatch(threads);
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            List<Future<EngineCache.Entry>> answers = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                answers.add(
                        pool.submit(
                                () -> {
                                    ready.countDown();
                                    assertThat(ready.await(1, TimeUnit.MINUTES)).isTrue();
                                    return get();
                                }));
            }
            int built = 0;
            for (Future<EngineCache.Entry> answer : answers) {
                built += answer.get().built() ? 1 : 0;
                assertThat(answer.get().file()).hasContent("engine 1");
            }
            assertThat(built).isEqualTo(1);
            assertThat(builds).hasValue(1);
        } finally {
            pool.shutdownNow();
        }
    }

    @Test
    void shouldBuildOnceForTwoProcesses() throws Exception {
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            processes.add(
                    new ProcessBuilder(
                                    Path.of(System.getProperty("java.home"), "bin", "java")
                                            .toString(),
                                    "-XX:TieredStopAtLevel=1",
                                    "-Xmx128m",
                                    "-cp",
                                    System.getProperty("java.class.path"),
                                    TaskManager.class.getName(),
                                    folder.toString(),
                                    String.valueOf(i))
                            .redirectErrorStream(true)
                            .start());
        }
        for (Process process : processes) {
            String output =
                    new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(process.waitFor()).as(output).isZero();
            assertThat(output).contains("got the engine");
        }
        assertThat(folder.resolve("builds")).hasContent("built");
    }

    /** Asks for an engine as a task manager does; whoever builds waits for the other to ask too. */
    static final class TaskManager {
        public static void main(String[] args) throws Exception {
            Path folder = Path.of(args[0]);
            Files.writeString(folder.resolve("asks-" + args[1]), "");
            Path other = folder.resolve("asks-" + (1 - Integer.parseInt(args[1])));
            EngineCache.Entry entry =
                    new EngineCache(folder.resolve("engines"))
                            .get(
                                    request("sm_75"),
                                    false,
                                    file -> {
                                        await(other);
                                        Files.writeString(
                                                folder.resolve("builds"),
                                                "built\n",
                                                StandardOpenOption.CREATE,
                                                StandardOpenOption.APPEND);
                                        Files.writeString(file, "the engine");
                                        return REPORT;
                                    });
            System.out.println("got " + Files.readString(entry.file()));
        }

        private static void await(Path file) {
            long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
            while (!Files.exists(file)) {
                if (System.nanoTime() > deadline) {
                    throw new AssertionError(file + " did not appear");
                }
                Thread.onSpinWait();
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.onnxruntime;

import static org.assertj.core.api.Assertions.assertThat;

import io.sightline.inference.BatchBuffer;
import io.sightline.inference.InferenceException;
import io.sightline.inference.ModelOptions;
import io.sightline.inference.ModelSpec.InputFormat;
import io.sightline.inference.testing.OnnxGraph;
import io.sightline.inference.testing.TestModels;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * What happens outside the heap. Each test has a process of its own: in the one that runs all tests
 * the heap's growth would hide a leak, and libraries that were loaded stay loaded.
 */
final class NativeResourcesTest {

    private static final int PAGE_KIB = 4;
    private static final int STRETCHES = 3;

    @TempDir Path folder;

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldGiveMemoryBackOnCloseAndAfterFailedLoads() throws Exception {
        String output =
                runInOwnProcess(
                        OpenAndClose.class,
                        List.of(
                                "-Xms64m",
                                "-Xmx64m",
                                "-XX:+AlwaysPreTouch",
                                "-XX:+UseSerialGC",
                                "-XX:TieredStopAtLevel=1"),
                        folder.toString());
        System.out.println(output);
        // A session of this model holds about 1 MiB: a leak would show as 500 MiB in every stretch.
        // What JVM and allocator keep for themselves grows in some, as late as it pleases.
        assertThat(
                        IntStream.rangeClosed(1, STRETCHES)
                                .mapToLong(i -> grown(output, "stretch " + i + ": ([-+]\\d+) KiB"))
                                .boxed())
                .anyMatch(kib -> kib < 16 * 1024);
        // The JVM's own threads come and go.
        assertThat(grown(output, "files ([-+]\\d+)")).isLessThan(10);
        assertThat(grown(output, "threads ([-+]\\d+)")).isLessThan(10);
    }

    private static long grown(String output, String pattern) {
        return Long.parseLong(output.replaceAll("(?s).*" + pattern + ".*", "$1"));
    }

    @Test
    void shouldSayWhichLibrariesAreMissing() throws Exception {
        String output =
                runInOwnProcess(
                        OpenOnce.class,
                        List.of(
                                "-Donnxruntime.native.onnxruntime.path="
                                        + folder.resolve("absent.so")),
                        folder.toString());
        assertThat(output)
                .contains("refused first: ONNX Runtime's libraries cannot be loaded")
                .contains("refused again: ONNX Runtime's libraries cannot be loaded")
                .contains("in a Flink cluster in lib/");
    }

    @Test
    void shouldSayWhatToRaiseWhereABatchDoesNotFit() throws Exception {
        String output =
                runInOwnProcess(
                        OpenOnce.class, List.of("-XX:MaxDirectMemorySize=64k"), folder.toString());
        assertThat(output)
                .contains("refused first: no ")
                .contains("taskmanager.memory.task.off-heap.size");
    }

    private static String runInOwnProcess(Class<?> main, List<String> jvmArgs, String argument)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(jvmArgs);
        command.addAll(
                List.of("-cp", System.getProperty("java.class.path"), main.getName(), argument));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output;
    }

    /** Opens and closes backends, and loads what cannot be loaded; prints how memory grew. */
    static final class OpenAndClose {
        public static void main(String[] args) throws IOException {
            Path folder = Path.of(args[0]);
            Path good =
                    TestModels.anchorDetector(
                            folder, 96, 96, TestModels.DYNAMIC, InputFormat.BYTES_NHWC_BGR);
            Path bad =
                    new OnnxGraph()
                            .input("images", OnnxGraph.UINT8, 1, 96, 96, 3)
                            .node("NoSuchOperator", "detections", List.of("images"))
                            .output("detections", OnnxGraph.FLOAT32, 1, 300, 6)
                            .write(folder.resolve("bad.onnx"));
            // Loads, but its outputs are no detector's.
            Path strange =
                    new OnnxGraph()
                            .input("images", OnnxGraph.UINT8, 1, 96, 96, 3)
                            .node("Identity", "bytes", List.of("images"))
                            .output("bytes", OnnxGraph.UINT8, 1, 96, 96, 3)
                            .write(folder.resolve("strange.onnx"));
            // What the JVM itself and the allocator take until they settle.
            cycles(good, bad, strange, 200, 20);
            int files = entries("/proc/self/fd");
            int threads = entries("/proc/self/task");
            for (int i = 1; i <= STRETCHES; i++) {
                long start = residentKib();
                cycles(good, bad, strange, 500, 50);
                System.out.printf("stretch %d: %+d KiB%n", i, residentKib() - start);
            }
            System.out.printf(
                    "files %+d, threads %+d%n",
                    entries("/proc/self/fd") - files, entries("/proc/self/task") - threads);
        }

        private static int entries(String folder) {
            return new File(folder).list().length;
        }

        private static void cycles(Path good, Path bad, Path strange, int opens, int failures) {
            for (int i = 0; i < opens; i++) {
                try (OnnxRuntimeBackend backend =
                                OnnxRuntimeBackend.open(good, ModelOptions.NONE, 4, 1);
                        BatchBuffer buffer = backend.newBuffer()) {
                    backend.submit(buffer, 3);
                    backend.await(buffer);
                }
            }
            for (int i = 0; i < failures; i++) {
                try {
                    OnnxRuntimeBackend.open(i % 2 == 0 ? bad : strange, ModelOptions.NONE, 4, 1)
                            .close();
                    throw new AssertionError("loaded");
                } catch (InferenceException expected) {
                    // it is to be refused
                }
            }
            System.gc(); // direct buffers go with their Java objects
        }

        private static long residentKib() throws IOException {
            return Long.parseLong(Files.readString(Path.of("/proc/self/statm")).split(" ", 3)[1])
                    * PAGE_KIB;
        }
    }

    /** Opens a backend twice and prints why not. */
    static final class OpenOnce {
        public static void main(String[] args) {
            Path model =
                    TestModels.colourDetector(
                            Path.of(args[0]),
                            320,
                            320,
                            TestModels.DYNAMIC,
                            InputFormat.BYTES_NHWC_BGR);
            for (String attempt : List.of("first", "again")) {
                try {
                    OnnxRuntimeBackend.open(model, ModelOptions.NONE, 4, 1).close();
                } catch (InferenceException e) {
                    System.out.println("refused " + attempt + ": " + e.getMessage());
                }
            }
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.inference.BackendFactory;
import io.sightline.inference.BatchBuffer;
import io.sightline.inference.GpuUsage;
import io.sightline.inference.InferenceBackend;
import io.sightline.inference.InferenceException;
import io.sightline.job.ModelChoice;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * Whether an engine gives back what it takes: a lane is opened, run once and closed again and
 * again, and a file that no engine takes is loaded as often as is asked. Memory is looked at after
 * some cycles, half-way and at the end: what libraries and allocator keep is taken by then, what
 * leaks grows in both halves.
 */
public final class OpenCloseTrial {

    private static final int MIB = 1 << 20;

    /** Before the first look: one in so many cycles more. */
    private static final int SETTLING = 10;

    /** An operator's type in an ONNX file: its field, its length, its name. */
    private static final byte[] CONVOLUTION = "\"\4Conv".getBytes(StandardCharsets.US_ASCII);

    private static final Path STATM = Path.of("/proc/self/statm");
    private static final int PAGE = 4096;

    private final ModelChoice model;
    private final int opens;
    private final int failures;

    /**
     * Memory in use.
     *
     * @param host of this process, bytes; empty where the system does not tell
     * @param device of the GPU, with a lane open, bytes; empty without one
     */
    record Memory(OptionalLong host, OptionalLong device) {}

    /**
     * @param opens how often a lane is opened and closed
     * @param failures how often a load fails
     */
    public OpenCloseTrial(ModelChoice model, int opens, int failures) {
        this.model = model;
        this.opens = opens;
        this.failures = failures;
    }

    /** Prints what was in use before, half-way and after. */
    public void run(PrintStream out) throws IOException {
        Path folder = Files.createTempDirectory("sightline-broken-");
        Path broken = folder.resolve("broken.onnx");
        try {
            Files.write(broken, withoutConvolutions(Files.readAllBytes(model.file())));
            BackendFactory good = model.backendFactory();
            BackendFactory bad = model.withFile(broken).backendFactory();
            cycles(good, 1 + opens / SETTLING);
            failures(bad, 1 + failures / SETTLING);
            Memory before = look(good);
            cycles(good, opens / 2);
            failures(bad, failures / 2);
            Memory halfway = look(good);
            cycles(good, opens - opens / 2);
            failures(bad, failures - failures / 2);
            Memory after = look(good);
            out.printf(
                    "%s: a lane opened and closed %d times, %d failed loads%n",
                    good.backend(), opens, failures);
            print(out, "host", before.host(), halfway.host(), after.host());
            print(out, "GPU", before.device(), halfway.device(), after.device());
        } finally {
            Files.deleteIfExists(broken);
            Files.delete(folder);
        }
    }

    private static void cycles(BackendFactory factory, int count) {
        for (int i = 0; i < count; i++) {
            for (InferenceBackend backend : factory.open(1)) {
                try (backend;
                        BatchBuffer buffer = backend.newBuffer()) {
                    backend.submit(buffer, 1);
                    backend.await(buffer);
                }
            }
        }
    }

    private static void failures(BackendFactory factory, int count) {
        for (int i = 0; i < count; i++) {
            List<InferenceBackend> opened;
            try {
                opened = factory.open(1);
            } catch (InferenceException expected) {
                continue;
            }
            opened.forEach(InferenceBackend::close);
            throw new InferenceException(
                    "a model without its convolutions was loaded: take one that has some");
        }
    }

    private static Memory look(BackendFactory factory) throws IOException {
        OptionalLong device = OptionalLong.empty();
        for (InferenceBackend backend : factory.open(1)) {
            try (backend) {
                device = backend.gpuUsage().stream().mapToLong(GpuUsage::deviceBytes).findFirst();
            }
        }
        System.gc(); // buffers outside the heap go with their Java objects
        return new Memory(
                Files.exists(STATM)
                        ? OptionalLong.of(
                                Long.parseLong(Files.readString(STATM).split(" ", 3)[1]) * PAGE)
                        : OptionalLong.empty(),
                device);
    }

    private static void print(
            PrintStream out,
            String what,
            OptionalLong before,
            OptionalLong halfway,
            OptionalLong after) {
        if (before.isEmpty() || halfway.isEmpty() || after.isEmpty()) {
            out.printf("%s memory: not told here%n", what);
            return;
        }
        out.printf(
                Locale.ROOT,
                "%s memory: %.1f MiB before, %.1f MiB half-way, %.1f MiB after, grown by %.1f MiB in the second half%n",
                what,
                mebibytes(before),
                mebibytes(halfway),
                mebibytes(after),
                mebibytes(after) - mebibytes(halfway));
    }

    private static double mebibytes(OptionalLong bytes) {
        return (double) bytes.getAsLong() / MIB;
    }

    /** The same file, its convolutions operators that no engine knows. */
    private static byte[] withoutConvolutions(byte[] onnx) {
        for (int at = 0; at + CONVOLUTION.length <= onnx.length; at++) {
            boolean found = true;
            for (int i = 0; found && i < CONVOLUTION.length; i++) {
                found = onnx[at + i] == CONVOLUTION[i];
            }
            if (found) {
                onnx[at + CONVOLUTION.length - 1] = '_';
            }
        }
        return onnx;
    }
}

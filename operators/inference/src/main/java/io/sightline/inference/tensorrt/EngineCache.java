// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.sightline.inference.InferenceException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Engines in a folder, one file for each {@link EngineKey}, with a record in JSON beside it.
 * Whoever asks for one that is not there builds it; others who ask meanwhile, in this process or
 * another, wait for that one. A file appears whole or not at all: the record last, so that an
 * engine without one is a build that was cut short, and is built again.
 */
final class EngineCache {

    private static final Logger LOG = LoggerFactory.getLogger(EngineCache.class);

    private static final long POLL_MILLIS = 100;

    private static final JsonMapper JSON =
            JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

    private final Path folder;

    /** Builds an engine. */
    @FunctionalInterface
    interface Build {
        /**
         * @param file to write the engine to
         * @return int8 report of the engine; null but for int8 engines
         */
        Int8Report into(Path file) throws IOException;
    }

    /**
     * An engine that fits its key.
     *
     * @param file the engine
     * @param built whether it was built just now
     */
    record Entry(Path file, EngineRecord record, boolean built) {}

    /**
     * What is asked for.
     *
     * @param model the ONNX file, for messages
     * @param name short name of the model
     * @param gpu name of the GPU that builds
     * @param remedy command that builds the engine anew
     */
    record Request(EngineKey key, Path model, String name, String gpu, String remedy) {}

    EngineCache(Path folder) {
        this.folder = folder;
    }

    Path folder() {
        return folder;
    }

    /**
     * The engine of that key, built where it is not there.
     *
     * @param rebuild whether to build it in any case
     * @throws InferenceException if what lies there is not what its record or its name says, if the
     *     folder cannot be written, or if the build fails
     */
    Entry get(Request request, boolean rebuild, Build build) {
        Path engine = engineFile(request);
        try {
            if (!rebuild && Files.exists(recordFile(request))) {
                return verified(request);
            }
            Files.createDirectories(folder);
            try (FileChannel lockFile =
                            FileChannel.open(
                                    engine.resolveSibling(engine.getFileName() + ".lock"),
                                    StandardOpenOption.CREATE,
                                    StandardOpenOption.WRITE);
                    FileLock lock = lock(lockFile, engine)) {
                // Somebody else may have built it while this one waited.
                if (!rebuild && Files.exists(recordFile(request))) {
                    return verified(request);
                }
                return build(request, build);
            }
        } catch (IOException e) {
            throw new InferenceException(
                    "engine cache %s: %s: name a folder that can be written with --engine-cache"
                            .formatted(folder, oneLine(e)),
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InferenceException(
                    "model %s: interrupted while another process builds %s"
                            .formatted(request.model(), engine),
                    e);
        }
    }

    /**
     * Waits for it. A blocking lock would not do: within one process it throws where another thread
     * holds it, even one of another class loader.
     */
    private static FileLock lock(FileChannel file, Path engine)
            throws IOException, InterruptedException {
        boolean told = false;
        while (true) {
            try {
                FileLock lock = file.tryLock();
                if (lock != null) {
                    return lock;
                }
            } catch (OverlappingFileLockException e) {
                LOG.trace("locked by another thread", e);
            }
            if (!told) {
                LOG.info("waiting for {}, which somebody else builds", engine);
                told = true;
            }
            Thread.sleep(POLL_MILLIS);
        }
    }

    private Entry build(Request request, Build build) throws IOException {
        Path engine = engineFile(request);
        Path record = recordFile(request);
        Path enginePart = part(engine);
        Path recordPart = part(record);
        try {
            // Whoever reads sees either none or both of the new files.
            Files.deleteIfExists(record);
            long start = System.nanoTime();
            Int8Report int8 = build.into(enginePart);
            EngineRecord built =
                    new EngineRecord(
                            request.name(),
                            request.key(),
                            sha256(enginePart),
                            request.gpu(),
                            Math.round((System.nanoTime() - start) / 1e8) / 10.0,
                            int8);
            move(enginePart, engine);
            Files.writeString(
                    recordPart,
                    JSON.writerWithDefaultPrettyPrinter().writeValueAsString(built) + "\n");
            move(recordPart, record);
            return new Entry(engine, built, true);
        } finally {
            Files.deleteIfExists(enginePart);
            Files.deleteIfExists(recordPart);
        }
    }

    private Entry verified(Request request) throws IOException {
        Path engine = engineFile(request);
        Path file = recordFile(request);
        EngineRecord found;
        try {
            found = JSON.readValue(Files.readAllBytes(file), EngineRecord.class);
        } catch (JsonProcessingException e) {
            throw refused(
                    request, file + " is no record of an engine (" + e.getOriginalMessage() + ")");
        }
        if (found == null || found.key() == null) {
            throw refused(request, file + " is no record of an engine (no key in it)");
        }
        String difference = request.key().difference(found.key());
        if (!difference.isEmpty()) {
            throw refused(request, file + " is of another engine: " + difference);
        }
        if (!Files.exists(engine)) {
            throw refused(request, engine + " is not there, only its record");
        }
        String sha256 = sha256(engine);
        if (!sha256.equals(found.engineSha256())) {
            throw refused(
                    request,
                    "%s has sha256 %s, but its record was written for %s"
                            .formatted(engine, sha256, found.engineSha256()));
        }
        return new Entry(engine, found, false);
    }

    private InferenceException refused(Request request, String why) {
        return new InferenceException(
                "model %s: engine refused: %s: delete %s*, or build it anew with %s"
                        .formatted(
                                request.model(),
                                why,
                                folder.resolve(request.key().fileName(request.name())),
                                request.remedy()));
    }

    private Path engineFile(Request request) {
        return folder.resolve(request.key().fileName(request.name()) + ".engine");
    }

    private Path recordFile(Request request) {
        return folder.resolve(request.key().fileName(request.name()) + ".json");
    }

    private static Path part(Path file) {
        return file.resolveSibling(file.getFileName() + ".part");
    }

    private static void move(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file);
                DigestInputStream digest =
                        new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
            digest.transferTo(OutputStream.nullOutputStream());
            return HexFormat.of().formatHex(digest.getMessageDigest().digest());
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    private static String oneLine(Throwable e) {
        return e.toString().replaceAll("\\s+", " ").strip();
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * {@code docker/local-cluster}: a broker, a JobManager and TaskManagers, each a process of its own.
 * {@link #close} ends them and leaves logs and data; so does the end of the JVM where that comes
 * first.
 */
final class LocalCluster implements AutoCloseable {

    private static final Path SCRIPT =
            Path.of("..", "docker", "local-cluster").toAbsolutePath().normalize();

    private static final int PATIENCE_MINUTES = 5;

    private final Path folder;
    private final Thread shutdownHook = new Thread(this::end, "local-cluster-shutdown");

    private LocalCluster(Path folder) {
        this.folder = folder;
    }

    /**
     * @param folder for everything it keeps
     * @param options of the script's {@code up}
     */
    static LocalCluster up(Path folder, String... options) throws Exception {
        LocalCluster cluster = new LocalCluster(folder);
        Runtime.getRuntime().addShutdownHook(cluster.shutdownHook);
        try {
            cluster.run("up", options);
            return cluster;
        } catch (Exception e) {
            cluster.close();
            throw e;
        }
    }

    /**
     * Runs a command of the script to its end.
     *
     * @return what it prints, without the last line's end
     * @throws IOException with what it says where it fails
     */
    String run(String command, String... arguments) throws IOException, InterruptedException {
        List<String> line =
                new ArrayList<>(List.of(SCRIPT.toString(), "--dir", folder.toString(), command));
        line.addAll(List.of(arguments));
        // Into files: what it starts may outlive it.
        Path out = Files.createTempFile(folder, command, ".out");
        Path err = Files.createTempFile(folder, command, ".err");
        ProcessBuilder builder =
                new ProcessBuilder(line).redirectOutput(out.toFile()).redirectError(err.toFile());
        builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
        Process process = builder.start();
        process.getOutputStream().close();
        if (!process.waitFor(PATIENCE_MINUTES, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new IOException(
                    line + ": not within " + PATIENCE_MINUTES + " min: " + Files.readString(err));
        }
        if (process.exitValue() != 0) {
            throw new IOException(line + ": " + Files.readString(err));
        }
        return Files.readString(out, UTF_8).stripTrailing();
    }

    String bootstrapServers() throws Exception {
        return addresses("^Kafka +(.*)$").get(0);
    }

    /** Where each Flink process gives its metrics. */
    List<String> metrics() throws Exception {
        return addresses("^metrics +(\\S+).*$");
    }

    private List<String> addresses(String pattern) throws Exception {
        return Pattern.compile(pattern, Pattern.MULTILINE)
                .matcher(run("status"))
                .results()
                .map((MatchResult line) -> line.group(1))
                .toList();
    }

    @Override
    public void close() {
        end();
        Runtime.getRuntime().removeShutdownHook(shutdownHook);
    }

    private void end() {
        try {
            run("down", "--keep");
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import io.sightline.job.local.EmbeddedBroker;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A broker in a process of its own, so that its CPU time can be told from the job's. */
public final class BrokerProcess implements AutoCloseable {

    private static final int MAX_MESSAGE_BYTES = 8 << 20;

    private final Process process;
    private final String bootstrapServers;

    private BrokerProcess(Process process, String bootstrapServers) {
        this.process = process;
        this.bootstrapServers = bootstrapServers;
    }

    /** Starts this program once more, as a broker, and returns when it answers. */
    public static BrokerProcess start() throws IOException {
        Process process =
                new ProcessBuilder(
                                List.of(
                                        Path.of(System.getProperty("java.home"), "bin", "java")
                                                .toString(),
                                        "-Xmx1g",
                                        "-cp",
                                        System.getProperty("java.class.path"),
                                        BrokerProcess.class.getName()))
                        .redirectError(ProcessBuilder.Redirect.DISCARD)
                        .start();
        BufferedReader reader =
                new BufferedReader(
                        new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        String bootstrapServers = reader.readLine();
        if (bootstrapServers == null) {
            process.destroyForcibly();
            throw new IOException("the broker's process ended before it answered");
        }
        return new BrokerProcess(process, bootstrapServers);
    }

    public String bootstrapServers() {
        return bootstrapServers;
    }

    /** CPU time of the process so far. */
    public Duration cpuTime() {
        return process.info().totalCpuDuration().orElse(Duration.ZERO);
    }

    @Override
    public void close() {
        // It ends when its standard input does, also when this process is killed.
        try {
            process.getOutputStream().close();
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    /** The other side: a broker until standard input ends. */
    public static void main(String[] args) throws Exception {
        try (EmbeddedBroker broker = EmbeddedBroker.start(MAX_MESSAGE_BYTES)) {
            System.out.println(broker.bootstrapServers());
            while (System.in.read() >= 0) {
                // Nothing is said: only the end counts.
            }
        }
    }
}

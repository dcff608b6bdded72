// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.job.UserException;
import io.sightline.job.demo.StopSignals;
import io.sightline.live.HttpEndpoint;
import io.sightline.live.LiveView;
import io.sightline.live.Topics;
import io.sightline.live.WindowLimits;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.apache.flink.configuration.MemorySize;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./sightline live}: the page beside a job that runs elsewhere. */
@Command(
        name = "live",
        description =
                "Serve the live page: cameras with what the job sees in them, read from its topics.",
        mixinStandardHelpOptions = true,
        showDefaultValues = true)
final class LiveCommand implements Callable<Integer> {

    @Mixin KafkaFlags kafka;

    @Mixin JobTopics topics;

    @Option(
            names = "--bind",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description =
                    "Address to serve at. 0.0.0.0 is every one of this machine: give --token-file as well then.")
    String bind;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            defaultValue = "8080",
            description = "Port to serve at; 0 for any that is free.")
    int port;

    @Option(
            names = "--host",
            paramLabel = "NAME",
            description =
                    "Name that browsers use for this server, where that is not localhost or an address; repeatable.")
    List<String> hosts = List.of();

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description =
                    "File with the token that viewers need, at least 16 characters in one line. Absent: none is needed.")
    Path tokenFile;

    @Option(
            names = "--window",
            paramLabel = "FRAMES",
            defaultValue = "150",
            description = "Frames of each camera to keep for stepping back.")
    int windowFrames;

    @Option(
            names = "--window-memory",
            paramLabel = "SIZE",
            defaultValue = "256mb",
            description =
                    "Memory for the frames of all cameras together; beyond it the oldest go early.")
    MemorySize windowMemory;

    @Option(
            names = "--max-cameras",
            paramLabel = "N",
            defaultValue = "256",
            description =
                    "Cameras to keep; of more, the one not heard of for longest is forgotten.")
    int maxCameras;

    @Option(
            names = "--join-timeout",
            paramLabel = "DURATION",
            defaultValue = "2s",
            description = "How long a frame waits for its event before it is shown without.")
    Duration joinTimeout;

    @Override
    public Integer call() throws Exception {
        Set<String> names = new HashSet<>(hosts);
        String token = token();
        CountDownLatch stopped = new CountDownLatch(1);
        try (LiveView page =
                        LiveView.start(
                                kafka.client(),
                                new Topics(
                                        topics.frames,
                                        topics.events,
                                        topics.deadLetters,
                                        topics.statuses),
                                new WindowLimits(
                                        windowFrames,
                                        windowMemory.getBytes(),
                                        maxCameras,
                                        joinTimeout),
                                new HttpEndpoint(bind, port, names, token));
                StopSignals signals = StopSignals.to(stopped::countDown)) {
            if (token == null && !InetAddress.getByName(bind).isLoopbackAddress()) {
                System.err.println(
                        "whoever reaches this machine can watch the cameras: give --token-file");
            }
            System.out.printf(
                    "live page: %s%s; Ctrl-C ends it%n",
                    page.uri(), token == null ? "" : "?token=… with the token");
            stopped.await();
        }
        return 0;
    }

    private String token() {
        if (tokenFile == null) {
            return null;
        }
        try {
            return Files.readString(tokenFile).strip();
        } catch (IOException e) {
            throw new UserException(
                    "--token-file "
                            + tokenFile
                            + " cannot be read ("
                            + e.getClass().getSimpleName()
                            + ")",
                    e);
        }
    }
}

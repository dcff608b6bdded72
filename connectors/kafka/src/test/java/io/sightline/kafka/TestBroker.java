// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka;

import io.sightline.kafka.testing.KraftBroker;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.kafka.common.utils.Utils;

/** One real broker in the tests' JVM, started by the first test that needs it. */
final class TestBroker {

    private static KraftBroker running;

    private TestBroker() {}

    static synchronized KraftBroker start() throws IOException {
        if (running == null) {
            Path folder = Files.createTempDirectory("test-broker");
            KraftBroker broker = KraftBroker.start(folder);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> end(broker, folder)));
            running = broker;
        }
        return running;
    }

    private static void end(KraftBroker broker, Path folder) {
        broker.close();
        try {
            Utils.delete(folder.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

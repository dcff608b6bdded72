// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.local;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes records that nobody needs any more, now and then, so that what runs without end does not
 * fill the disk. A retention by size or time would not know what is still to be read.
 */
public final class TopicTrimmer implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(TopicTrimmer.class);

    private final Admin admin;
    private final Supplier<Map<TopicPartition, Long>> needed;
    private final Thread thread;

    /**
     * Begins to delete.
     *
     * @param needed the first offset of each partition that is still needed
     */
    public TopicTrimmer(
            String bootstrapServers,
            Supplier<Map<TopicPartition, Long>> needed,
            Duration interval) {
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrapServers));
        this.needed = needed;
        this.thread = new Thread(() -> run(interval), "topic-trimmer");
        thread.setDaemon(true);
        thread.start();
    }

    private void run(Duration interval) {
        try {
            while (true) {
                Thread.sleep(interval.toMillis());
                trim();
            }
        } catch (InterruptedException e) {
            // Closed.
        }
    }

    private void trim() throws InterruptedException {
        Map<TopicPartition, RecordsToDelete> before =
                needed.get().entrySet().stream()
                        .collect(
                                Collectors.toMap(
                                        Map.Entry::getKey,
                                        entry -> RecordsToDelete.beforeOffset(entry.getValue())));
        try {
            admin.deleteRecords(before).all().get();
        } catch (ExecutionException e) {
            // The next time deletes what this one left.
            LOG.warn("records cannot be deleted: {}", e.getCause().getMessage());
        }
    }

    @Override
    public void close() {
        thread.interrupt();
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        admin.close(Duration.ZERO);
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import io.sightline.inference.NanoClock;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Says now and then that a build goes on. TensorRT tells of no share done, only, in its log, what
 * it is at: whatever it says is a sign of life.
 */
final class BuildProgress {

    private static final long INTERVAL_NANOS = TimeUnit.SECONDS.toNanos(10);

    private final String what;
    private final NanoClock clock;
    private final Consumer<String> lines;
    private final long startNanos;
    private long lastNanos;

    /**
     * @param what is built, for the lines
     */
    BuildProgress(String what, NanoClock clock, Consumer<String> lines) {
        this.what = what;
        this.clock = clock;
        this.lines = lines;
        this.startNanos = clock.nanoTime();
        this.lastNanos = startNanos;
    }

    /** A message of the builder's log. From any thread. */
    synchronized void heard() {
        long now = clock.nanoTime();
        if (now - lastNanos >= INTERVAL_NANOS) {
            lastNanos = now;
            lines.accept(
                    "building %s: %d s"
                            .formatted(what, TimeUnit.NANOSECONDS.toSeconds(now - startNanos)));
        }
    }
}

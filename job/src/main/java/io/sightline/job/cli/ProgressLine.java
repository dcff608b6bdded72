// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import io.sightline.toolchain.Progress;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.function.LongSupplier;

/**
 * How far a piece of work is: on a terminal one line that is written over, elsewhere a line now and
 * then.
 */
final class ProgressLine implements Progress, AutoCloseable {

    private static final long TERMINAL_NANOS = 100_000_000L;
    private static final long ELSEWHERE_NANOS = 10_000_000_000L;

    /** Back to the line's beginning, and all of it away. */
    private static final String ERASE = "\r\u001b[K";

    private final PrintStream out;
    private final boolean terminal;
    private final LongSupplier nanos;
    private long lastNanos;
    private boolean written;

    /**
     * @param terminal whether lines can be written over
     * @param nanos a clock, of any beginning
     */
    ProgressLine(PrintStream out, boolean terminal, LongSupplier nanos) {
        this.out = out;
        this.terminal = terminal;
        this.nanos = nanos;
        lastNanos = nanos.getAsLong();
    }

    /** On standard error. */
    static ProgressLine open() {
        return new ProgressLine(System.err, errorsGoToTerminal(), System::nanoTime);
    }

    /** Asked of Linux: Java's console says nothing of standard error. Elsewhere: no. */
    private static boolean errorsGoToTerminal() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public synchronized void step(String what, int done, int total) {
        long now = nanos.getAsLong();
        if (now - lastNanos < (terminal ? TERMINAL_NANOS : ELSEWHERE_NANOS)) {
            return;
        }
        lastNanos = now;
        written = true;
        String text = String.format(Locale.ROOT, "%s: %d of %d", what, done, total);
        if (terminal) {
            out.print(ERASE + text);
            out.flush();
        } else {
            out.println(text);
        }
    }

    /** Leaves a terminal as it was. */
    @Override
    public synchronized void close() {
        if (terminal && written) {
            out.print(ERASE);
            out.flush();
        }
    }
}

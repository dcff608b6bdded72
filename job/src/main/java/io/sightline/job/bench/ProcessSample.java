// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * What a process holds, as Linux counts it.
 *
 * @param residentBytes memory in RAM
 * @param handles open files, sockets, pipes and the like
 */
record ProcessSample(long residentBytes, int handles, int threads) {

    /**
     * @throws IOException if there is no such process, or it is another user's
     */
    static ProcessSample of(long process) throws IOException {
        Path folder = Path.of("/proc", Long.toString(process));
        List<String> status = Files.readAllLines(folder.resolve("status"));
        try (Stream<Path> handles = Files.list(folder.resolve("fd"))) {
            return new ProcessSample(
                    1024 * number(status, "VmRSS:"),
                    (int) handles.count(),
                    (int) number(status, "Threads:"));
        }
    }

    /** A line such as {@code VmRSS: 1234 kB}. */
    private static long number(List<String> status, String name) throws IOException {
        for (String line : status) {
            if (line.startsWith(name)) {
                return Long.parseLong(line.substring(name.length()).replace("kB", "").strip());
            }
        }
        throw new IOException("the process has no " + name + " it may just have ended");
    }
}

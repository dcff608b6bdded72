// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.cli;

import java.util.Map;

/** What commands say of the frames that they sent, counted by camera. */
final class SentFrames {

    private SentFrames() {}

    static long total(Map<String, Long> sent) {
        return sent.values().stream().mapToLong(Long::longValue).sum();
    }

    /**
     * Sums up, when all are sent.
     *
     * @param start when the first was due, by {@link System#nanoTime}
     */
    static void print(Map<String, Long> sent, long start) {
        double seconds = (System.nanoTime() - start) / 1e9;
        long total = total(sent);
        System.out.printf(
                "sent %d frames of %d cameras in %.1f s (%.1f frames/s)%n",
                total, sent.size(), seconds, total / seconds);
    }
}

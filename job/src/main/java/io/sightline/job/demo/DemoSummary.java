// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import java.util.Locale;
import java.util.Optional;

/**
 * What a demo came to.
 *
 * @param events frames and their answers
 * @param carried frames per second that the machine carries, measured before anything else ran
 * @param behind frames that had no answer yet when the cameras ended
 * @param secondsBehind how long it took until they had
 * @param score empty where the truth is not known
 */
public record DemoSummary(
        EventLog.Summary events,
        double carried,
        long behind,
        double secondsBehind,
        Optional<Score> score) {

    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s%nthis machine carries %.0f frames/s | lag at the end %.1f s (%d frames under way)%s",
                events,
                carried,
                secondsBehind,
                behind,
                score.map(one -> System.lineSeparator() + one).orElse(""));
    }
}

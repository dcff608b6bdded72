// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands still until it is told otherwise, with a monotonic one beside it. */
final class SettableClock implements InstantSource {

    private long millis = 1_700_000_000_000L;

    private long nanos = Long.MAX_VALUE - 1;

    void pass(long moreMillis) {
        millis += moreMillis;
        nanos += moreMillis * 1_000_000;
    }

    /** As an operator or NTP does. */
    void set(long moreMillis) {
        millis += moreMillis;
    }

    /** Like {@link System#nanoTime}, which may overflow. */
    long nanos() {
        return nanos;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis);
    }
}

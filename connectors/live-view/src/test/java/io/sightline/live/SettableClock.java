// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.time.Instant;
import java.time.InstantSource;

/** A clock that stands still until it is told otherwise. */
final class SettableClock implements InstantSource {

    private long millis = 1_700_000_000_000L;

    void pass(long moreMillis) {
        millis += moreMillis;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis);
    }
}

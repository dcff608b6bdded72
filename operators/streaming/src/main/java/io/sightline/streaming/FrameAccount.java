// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.DropReason;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;

/** Frames in = events out + dead letters + dropped (by reason) + in flight, as registered. */
final class FrameAccount {

    private static final DropReason[] REASONS = DropReason.values();

    final Counter framesIn;
    final Counter eventsOut;
    final Counter deadLetters;
    private final Counter[] dropped = new Counter[REASONS.length];

    FrameAccount(MetricGroup group) {
        framesIn = group.counter("framesIn");
        eventsOut = group.counter("eventsOut");
        deadLetters = group.counter("deadLetters");
        for (DropReason reason : REASONS) {
            dropped[reason.ordinal()] = group.addGroup("reason", reason.label()).counter("dropped");
        }
        group.gauge("inFlight", this::inFlight);
    }

    void dropped(DropReason reason) {
        dropped[reason.ordinal()].inc();
    }

    private long inFlight() {
        long inFlight = framesIn.getCount() - eventsOut.getCount() - deadLetters.getCount();
        for (Counter counter : dropped) {
            inFlight -= counter.getCount();
        }
        return inFlight;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.events.DropReason;
import java.util.EnumMap;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;

/** Frames in = events out + dead letters + dropped (by reason) + in flight, as registered. */
final class FrameAccount {

    final Counter framesIn;
    final Counter eventsOut;
    final Counter deadLetters;
    private final Map<DropReason, Counter> dropped = new EnumMap<>(DropReason.class);

    FrameAccount(MetricGroup group) {
        framesIn = group.counter("framesIn");
        eventsOut = group.counter("eventsOut");
        deadLetters = group.counter("deadLetters");
        for (DropReason reason : DropReason.values()) {
            dropped.put(reason, group.addGroup("reason", reason.label()).counter("dropped"));
        }
        group.gauge("inFlight", this::inFlight);
    }

    void dropped(DropReason reason) {
        dropped.get(reason).inc();
    }

    private long inFlight() {
        long gone = eventsOut.getCount() + deadLetters.getCount();
        for (Counter counter : dropped.values()) {
            gone += counter.getCount();
        }
        // Read last: frames go on meanwhile, and fewer than none cannot be in flight.
        return framesIn.getCount() - gone;
    }
}

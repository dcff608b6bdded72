// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.audit;

import java.util.Map;
import java.util.TreeMap;

/** What was found for the offsets of one partition of the frames topic. */
final class PartitionAccount {

    final int partition;
    final long from;
    final long until;

    /** Whatever has an answer of any kind. */
    final OffsetBits answered;

    /** By the model's sha256: two events of one frame have the same id where it is the same. */
    private final Map<String, OffsetBits> eventsByModel = new TreeMap<>();

    private final OffsetBits events;
    private final OffsetBits deadLetters;
    private final OffsetBits dropped;

    /** Frames that are on the topic and have no answer. */
    private OffsetBits missing;

    private long heldFrom;

    long doubledEvents;
    long doubledDeadLetters;
    long doubledDrops;

    PartitionAccount(int partition, long from, long until) {
        this.partition = partition;
        this.from = from;
        this.until = until;
        answered = new OffsetBits(from, until);
        events = new OffsetBits(from, until);
        deadLetters = new OffsetBits(from, until);
        dropped = new OffsetBits(from, until);
    }

    /**
     * @return whether it is the first one of a frame of the range
     */
    boolean event(long offset, String model) {
        if (!answered.inRange(offset)) {
            return false;
        }
        OffsetBits ofModel =
                eventsByModel.computeIfAbsent(model, sha -> new OffsetBits(from, until));
        doubledEvents += ofModel.add(offset) ? 0 : 1;
        answered.add(offset);
        return events.add(offset);
    }

    /**
     * @return whether it is the first one of a frame of the range
     */
    boolean deadLetter(long offset) {
        if (!answered.inRange(offset)) {
            return false;
        }
        boolean first = deadLetters.add(offset);
        doubledDeadLetters += first ? 0 : 1;
        answered.add(offset);
        return first;
    }

    /**
     * Both included.
     *
     * @return how many of them were not known to be dropped
     */
    long dropped(long first, long last) {
        long added = 0;
        for (long at = Math.max(first, from); at <= Math.min(last, until - 1); at++) {
            if (dropped.add(at)) {
                added++;
            } else {
                doubledDrops++;
            }
            answered.add(at);
        }
        return added;
    }

    /** The first offset that retention had left when frames had been looked for. */
    void heldFrom(long begin) {
        heldFrom = begin;
    }

    long heldFrom() {
        return heldFrom;
    }

    /** Offsets without an answer of which nobody can tell any more whether they held a frame. */
    long deleted() {
        long end = Math.min(until, heldFrom);
        long deleted = 0;
        long at = answered.nextAbsent(from);
        while (at < end) {
            long next = Math.min(end, answered.nextPresent(at));
            deleted += next - at;
            at = answered.nextAbsent(next);
        }
        // These were read before they were deleted.
        for (at = missing.nextPresent(from); at < end; at = missing.nextPresent(at + 1)) {
            deleted--;
        }
        return deleted;
    }

    void missing(OffsetBits found) {
        missing = found;
    }

    OffsetBits missing() {
        return missing;
    }

    long events() {
        return events.count();
    }

    long deadLetters() {
        return deadLetters.count();
    }

    long dropped() {
        return dropped.count();
    }

    long eventsAndDeadLetters() {
        return events.countCommon(deadLetters);
    }

    long droppedAndAnswered() {
        return dropped.countCommon(events) + dropped.countCommon(deadLetters);
    }

    /** Events of frames that another model has an event for as well. */
    long eventsOfSeveralModels() {
        return eventsByModel.values().stream().mapToLong(OffsetBits::count).sum() - events.count();
    }
}

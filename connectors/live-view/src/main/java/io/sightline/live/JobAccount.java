// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * What becomes of a camera's frames in the job, by its own word. That comes once a checkpoint: all
 * figures are those up to the last word. Of a size that does not grow. All times are milliseconds
 * since 1970 by the clock of this server.
 */
final class JobAccount {

    /** What counts as now: the job's default checkpoint interval. */
    private static final int NOW_SECONDS = 10;

    private static final long MIN_KEPT_MILLIS = 60_000;
    private static final int KEPT_INTERVALS = 2;

    private final SecondBuckets framesIn = new SecondBuckets();
    private final SecondBuckets events = new SecondBuckets();
    private final Map<String, SecondBuckets> dropped = new TreeMap<>();
    private long heardMillis = Long.MIN_VALUE;

    /** Several subtasks may have had frames of the camera: one word each for a checkpoint. */
    private Long checkpoint;

    private long checkpointHeardMillis = Long.MIN_VALUE;
    private long intervalMillis;
    private Long lagMillis;
    private Long silentSinceMillis;

    /**
     * @param dropped by reason; reasons of which there were any
     */
    record Counts(long framesIn, long events, Map<String, Long> dropped) {}

    /**
     * @param heardMillis when the last word came
     * @param lastMinute what came in the minute before it
     * @param now what came in the ten seconds before it
     */
    record State(
            long heardMillis,
            Counts lastMinute,
            Counts now,
            Long lagMillis,
            Long silentSinceMillis) {}

    void add(long nowMillis, JobStatus status) {
        framesIn.add(nowMillis, status.framesIn());
        events.add(nowMillis, status.events());
        status.dropped()
                .forEach(
                        (reason, frames) ->
                                dropped.computeIfAbsent(reason, ignored -> new SecondBuckets())
                                        .add(nowMillis, frames));
        if (heardMillis != Long.MIN_VALUE && Objects.equals(status.checkpoint(), checkpoint)) {
            silentSinceMillis = later(silentSinceMillis, status.silentSinceMillis());
        } else {
            if (heardMillis != Long.MIN_VALUE) {
                intervalMillis = nowMillis - checkpointHeardMillis;
            }
            checkpoint = status.checkpoint();
            checkpointHeardMillis = nowMillis;
            silentSinceMillis = status.silentSinceMillis();
            lagMillis = status.lagMillis();
        }
        // A subtask that no frame reached has an old lag to tell.
        if (status.framesIn() > 0) {
            lagMillis = status.lagMillis();
        }
        heardMillis = nowMillis;
    }

    /** Null where one of the two is: then the camera is silent nowhere but where it is not. */
    private static Long later(Long one, Long other) {
        return one == null || other == null ? null : Long.valueOf(Math.max(one, other));
    }

    /** Null where the job has said nothing, or nothing for longer than it may take to. */
    State state(long nowMillis) {
        long kept = Math.max(MIN_KEPT_MILLIS, KEPT_INTERVALS * intervalMillis);
        if (heardMillis == Long.MIN_VALUE || nowMillis - heardMillis > kept) {
            return null;
        }
        return new State(
                heardMillis,
                counts(SecondBuckets.SECONDS),
                counts(NOW_SECONDS),
                lagMillis,
                silentSinceMillis);
    }

    private Counts counts(int seconds) {
        Map<String, Long> byReason = new TreeMap<>();
        dropped.forEach((reason, frames) -> byReason.put(reason, sum(frames, seconds)));
        byReason.values().removeIf(frames -> frames == 0);
        return new Counts(sum(framesIn, seconds), sum(events, seconds), byReason);
    }

    private long sum(SecondBuckets buckets, int seconds) {
        int[] values = buckets.values(heardMillis);
        return IntStream.range(values.length - seconds, values.length)
                .mapToLong(i -> values[i])
                .sum();
    }
}

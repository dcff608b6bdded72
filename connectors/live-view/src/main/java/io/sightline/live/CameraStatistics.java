// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

import io.sightline.events.DetectionEvent.DetectedObject;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * How a camera has been doing, by the clock of this server. Of a size that does not grow: labels
 * and rates come from outside. All times are milliseconds since 1970.
 */
final class CameraStatistics {

    /** Labels counted one by one; the rest counts under {@link #OTHER_LABELS}. */
    static final int MAX_LABELS = 32;

    static final String OTHER_LABELS = "other";
    static final int MAX_LABEL_CHARS = 80;

    private static final long RATE_MILLIS = 10_000;
    private static final long LATENCY_MILLIS = 60_000;
    private static final long MIN_PATIENCE_MILLIS = 3_000;
    private static final int PATIENCE_INTERVALS = 5;

    /** Enough for the rate of a fast camera, and for a median interval. */
    private static final int ARRIVALS = 256;

    private static final int INTERVALS = 15;

    /** The last minute of a camera of 34 frames a second. */
    private static final int MAX_LATENCIES = 2048;

    private final long firstSeenMillis;
    private final long joinTimeoutMillis;
    private final long[] arrivals = new long[ARRIVALS];
    private long frames;
    private long events;
    private long deadLetters;
    private long lastCaptureMillis = Long.MIN_VALUE;
    private long lastEventMillis = Long.MIN_VALUE;
    private long lastDeadLetterMillis = Long.MIN_VALUE;

    private final Map<String, SecondBuckets> objects = new HashMap<>();
    private final SecondBuckets eventBuckets = new SecondBuckets();

    private long[] latencyTimes = new long[64];
    private int[] latencies = new int[64];

    /**
     * How a camera is. Its patience: five of its usual intervals, and three seconds; with events
     * and dead letters for the join timeout longer.
     */
    enum Condition {
        /** No frame came within its patience. */
        SILENT,
        /** Frames and, within its patience, an event; or it is new. */
        LIVE,
        /** Frames and, instead of an event, a dead letter. */
        FAILING,
        /** Frames, but nobody says what is in them. */
        NO_EVENTS;

        /** As the page is told. */
        String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Median and 95th percentile, milliseconds, nearest rank. */
    record Latency(int p50, int p95) {}

    /**
     * @param joinTimeout how long a frame's event may take
     */
    CameraStatistics(long nowMillis, Duration joinTimeout) {
        firstSeenMillis = nowMillis;
        joinTimeoutMillis = joinTimeout.toMillis();
    }

    void frame(long nowMillis, long captureMillis) {
        arrived(nowMillis);
        lastCaptureMillis = captureMillis;
    }

    /** A frame came, and be it one that cannot be read. */
    void arrived(long nowMillis) {
        arrivals[(int) (frames++ % ARRIVALS)] = nowMillis;
    }

    void event(long nowMillis, long latencyMillis, List<DetectedObject> found) {
        if (events == latencies.length && latencies.length < MAX_LATENCIES) {
            latencyTimes = Arrays.copyOf(latencyTimes, 2 * latencyTimes.length);
            latencies = Arrays.copyOf(latencies, 2 * latencies.length);
        }
        int at = (int) (events++ % latencies.length);
        latencyTimes[at] = nowMillis;
        latencies[at] =
                (int) Math.max(Integer.MIN_VALUE, Math.min(Integer.MAX_VALUE, latencyMillis));
        lastEventMillis = nowMillis;
        eventBuckets.add(nowMillis, 1);
        for (DetectedObject object : found) {
            buckets(object.label(), nowMillis).add(nowMillis, 1);
        }
    }

    void deadLetter(long nowMillis) {
        deadLetters++;
        lastDeadLetterMillis = nowMillis;
    }

    private SecondBuckets buckets(String label, long nowMillis) {
        String name = label == null ? "" : label;
        if (name.length() > MAX_LABEL_CHARS) {
            name = name.substring(0, MAX_LABEL_CHARS) + "…";
        }
        SecondBuckets known = objects.get(name);
        if (known != null) {
            return known;
        }
        if (objects.size() >= MAX_LABELS) {
            objects.values().removeIf(buckets -> buckets.isEmpty(nowMillis));
        }
        return objects.computeIfAbsent(
                objects.size() < MAX_LABELS - 1 ? name : OTHER_LABELS,
                ignored -> new SecondBuckets());
    }

    long frames() {
        return frames;
    }

    long events() {
        return events;
    }

    long deadLetters() {
        return deadLetters;
    }

    /** Null before the first frame that could be read. */
    Long lastCaptureMillis() {
        return lastCaptureMillis == Long.MIN_VALUE ? null : lastCaptureMillis;
    }

    /** When the last frame came; null before the first. */
    Long lastFrameMillis() {
        return frames == 0 ? null : arrival(0);
    }

    /** When the last event came; null before the first. */
    Long lastEventMillis() {
        return lastEventMillis == Long.MIN_VALUE ? null : lastEventMillis;
    }

    /**
     * Over the last ten seconds, or by its usual interval where they had fewer than two frames; 0
     * where it is silent, or had but one frame.
     */
    double framesPerSecond(long nowMillis) {
        int known = (int) Math.min(frames, ARRIVALS);
        int recent = 0;
        while (recent < known && arrival(recent) > nowMillis - RATE_MILLIS) {
            recent++;
        }
        if (silent(nowMillis)) {
            return 0;
        }
        if (recent < 2) {
            long interval = medianInterval();
            return interval > 0 ? 1000.0 / interval : 0;
        }
        long span = arrival(0) - arrival(recent - 1);
        return (recent - 1) * 1000.0 / Math.max(1, span);
    }

    Condition condition(long nowMillis) {
        long since = nowMillis - patience() - joinTimeoutMillis;
        if (silent(nowMillis)) {
            return Condition.SILENT;
        } else if (lastEventMillis >= since) {
            return Condition.LIVE;
        } else if (lastDeadLetterMillis >= since) {
            return Condition.FAILING;
        }
        return firstSeenMillis >= since ? Condition.LIVE : Condition.NO_EVENTS;
    }

    private boolean silent(long nowMillis) {
        return nowMillis - (frames == 0 ? firstSeenMillis : arrival(0)) > patience();
    }

    private long patience() {
        return Math.max(MIN_PATIENCE_MILLIS, PATIENCE_INTERVALS * medianInterval());
    }

    /** The median, so that one long pause does not make the next one look usual. */
    private long medianInterval() {
        int known = (int) Math.min(frames - 1, INTERVALS);
        if (known < 1) {
            return 0;
        }
        long[] intervals = new long[known];
        for (int i = 0; i < known; i++) {
            intervals[i] = arrival(i) - arrival(i + 1);
        }
        Arrays.sort(intervals);
        return intervals[known / 2];
    }

    /** When the newest frame came (0), or one before it. */
    private long arrival(int back) {
        return arrivals[(int) ((frames - 1 - back) % ARRIVALS)];
    }

    /** Of the events of the last minute; null where there were none. */
    Latency latency(long nowMillis) {
        int known = (int) Math.min(events, latencies.length);
        int[] recent = new int[known];
        int count = 0;
        for (int i = 0; i < known; i++) {
            if (latencyTimes[i] > nowMillis - LATENCY_MILLIS) {
                recent[count++] = latencies[i];
            }
        }
        if (count == 0) {
            return null;
        }
        Arrays.sort(recent, 0, count);
        return new Latency(rank(recent, count, 50), rank(recent, count, 95));
    }

    private static int rank(int[] sorted, int count, int percent) {
        return sorted[(count * percent + 99) / 100 - 1];
    }

    /** Objects of each label in each of the last sixty seconds; labels that had any. */
    Map<String, int[]> counts(long nowMillis) {
        Map<String, int[]> counts = new TreeMap<>();
        objects.forEach(
                (label, buckets) -> {
                    if (!buckets.isEmpty(nowMillis)) {
                        counts.put(label, buckets.values(nowMillis));
                    }
                });
        return counts;
    }

    /** Events in each of those seconds. */
    int[] eventBuckets(long nowMillis) {
        return eventBuckets.values(nowMillis);
    }
}

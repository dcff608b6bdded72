// SPDX-License-Identifier: Apache-2.0
package io.sightline.kafka.audit;

import io.sightline.events.CameraStatus;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * For each camera, how many events and dead letters the topics hold, and how many its statuses
 * count: under exactly-once the two are the same.
 *
 * <p>While a job runs, no moment shows the topics at the same checkpoint. So statuses are read
 * before and after the answers: there must be no fewer answers than the statuses counted before,
 * and no more than they count after. Once the job stands still the two bounds are one number.
 *
 * <p>Cameras that the job does not tell apart have no status of their own: their answers must be as
 * many as the status that these cameras share counts.
 */
final class CameraSums {

    private static final int LISTED = 10;

    /** Of records without a readable camera id, and the status that cameras share. */
    private static final String SHARED = "";

    /** A camera's numbers. */
    private static final class Sum {
        long events;
        long deadLetters;
    }

    private interface Term {
        long of(Sum sum);
    }

    private final Map<String, Sum> answered = new TreeMap<>();
    private final Map<String, Sum> stated = new HashMap<>();
    private Map<String, Sum> statedBefore = new HashMap<>();

    void event(String camera) {
        of(answered, camera).events++;
    }

    /**
     * @param camera null where it cannot be read
     */
    void deadLetter(String camera) {
        of(answered, camera).deadLetters++;
    }

    void status(CameraStatus status) {
        Sum sum = of(stated, status.cameraId());
        sum.events += status.events();
        sum.deadLetters += status.deadLetters();
    }

    /** Answers are about to be read: what is stated so far, they must come to. */
    void beginPass() {
        statedBefore = new HashMap<>();
        stated.forEach(
                (camera, sum) -> {
                    Sum copy = of(statedBefore, camera);
                    copy.events = sum.events;
                    copy.deadLetters = sum.deadLetters;
                });
    }

    private static Sum of(Map<String, Sum> sums, String camera) {
        return sums.computeIfAbsent(camera == null ? SHARED : camera, id -> new Sum());
    }

    /** What does not agree, a line each; the first ones, where there are many. */
    List<String> problems() {
        List<String> problems = new ArrayList<>();
        compare("events", sum -> sum.events, problems);
        compare("dead letters", sum -> sum.deadLetters, problems);
        return problems.size() <= LISTED ? problems : problems.subList(0, LISTED);
    }

    private void compare(String what, Term term, List<String> problems) {
        Set<String> cameras = new TreeSet<>(answered.keySet());
        cameras.addAll(stated.keySet());
        cameras.remove(SHARED);
        long leastOfOthers = value(answered, SHARED, term);
        long mostOfOthers = leastOfOthers;
        for (String camera : cameras) {
            long is = value(answered, camera, term);
            long before = value(statedBefore, camera, term);
            if (is < before) {
                problems.add(
                        "the statuses of camera '%s' count %d %s, the topic has %d"
                                .formatted(camera, before, what, is));
            }
            leastOfOthers += Math.max(0, is - value(stated, camera, term));
            mostOfOthers += Math.max(0, is - before);
        }
        long others = value(stated, SHARED, term);
        if (leastOfOthers > others || mostOfOthers < value(statedBefore, SHARED, term)) {
            problems.add(
                    "%d %s are beyond what the statuses of their cameras count, the status that cameras share counts %d"
                            .formatted(leastOfOthers, what, others));
        }
    }

    private static long value(Map<String, Sum> sums, String camera, Term term) {
        Sum sum = sums.get(camera);
        return sum == null ? 0 : term.of(sum);
    }
}

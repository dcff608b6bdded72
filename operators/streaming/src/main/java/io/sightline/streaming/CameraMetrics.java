// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;

/**
 * The account of each camera: frames in = events + dead letters + in flight. Camera ids come from
 * outside, so only a bounded number of well-formed ones get metrics of their own; the rest is
 * counted under {@value #OTHER}, and totals stay exact.
 */
final class CameraMetrics {

    static final String OTHER = "other";
    private static final Pattern WELL_FORMED = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private final MetricGroup group;
    private final int maxCameras;
    private final Map<String, Account> cameras = new HashMap<>();
    private final Account other;

    /** One camera's counts, as registered. */
    static final class Account {
        final Counter framesIn;
        final Counter eventsOut;
        final Counter deadLetters;

        Account(MetricGroup group) {
            framesIn = group.counter("framesIn");
            eventsOut = group.counter("eventsOut");
            deadLetters = group.counter("deadLetters");
            group.gauge("inFlight", this::inFlight);
        }

        long inFlight() {
            return framesIn.getCount() - eventsOut.getCount() - deadLetters.getCount();
        }
    }

    CameraMetrics(MetricGroup group, int maxCameras) {
        this.group = group;
        this.maxCameras = maxCameras;
        this.other = new Account(group.addGroup("camera", OTHER));
    }

    /**
     * @param cameraId null where the frame has none
     */
    Account of(String cameraId) {
        if (cameraId == null) {
            return other;
        }
        Account account = cameras.get(cameraId);
        if (account == null) {
            if (cameras.size() >= maxCameras
                    || cameraId.equals(OTHER)
                    || !WELL_FORMED.matcher(cameraId).matches()) {
                return other;
            }
            account = new Account(group.addGroup("camera", cameraId));
            cameras.put(cameraId, account);
        }
        return account;
    }
}

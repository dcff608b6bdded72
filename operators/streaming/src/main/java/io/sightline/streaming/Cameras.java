// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import io.sightline.inference.NanoClock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.flink.metrics.MetricGroup;

/**
 * The cameras a subtask has seen. Their ids come from outside, so only a bounded number is told
 * apart; the others share a line and an account. Metrics have only those with well-formed ids, the
 * rest is counted under {@value #OTHER}; totals stay exact.
 */
final class Cameras {

    static final String OTHER = "other";
    private static final Pattern WELL_FORMED = Pattern.compile("[A-Za-z0-9._-]{1,64}");

    private final MetricGroup group;
    private final NanoClock clock;
    private final OverloadSettings overload;
    private final int maxCameras;
    private final long clockToleranceMillis;
    private final Map<String, Camera> byId = new HashMap<>();
    private final FrameAccount otherAccount;
    private final Camera rest;

    Cameras(MetricGroup group, DetectSettings settings, NanoClock clock) {
        this.group = group;
        this.clock = clock;
        this.overload = settings.overload();
        this.maxCameras = settings.maxCameras();
        this.clockToleranceMillis = settings.clockTolerance().toMillis();
        this.otherAccount = new FrameAccount(group.addGroup("camera", OTHER));
        this.rest =
                new Camera(
                        null,
                        new CameraLine(overload.policy(), /* shared= */ true),
                        new CameraTime(clockToleranceMillis),
                        otherAccount);
    }

    Camera of(String cameraId) {
        Camera camera = byId.get(cameraId);
        if (camera == null) {
            // A camera that somebody has named is always told apart.
            if (byId.size() >= maxCameras && !overload.byCamera().containsKey(cameraId)) {
                return rest;
            }
            CameraTime time = new CameraTime(clockToleranceMillis);
            camera =
                    new Camera(
                            cameraId,
                            new CameraLine(overload.of(cameraId), /* shared= */ false),
                            time,
                            account(cameraId, time));
            byId.put(cameraId, camera);
        }
        return camera;
    }

    private FrameAccount account(String cameraId, CameraTime time) {
        if (cameraId.equals(OTHER) || !WELL_FORMED.matcher(cameraId).matches()) {
            return otherAccount;
        }
        MetricGroup own = group.addGroup("camera", cameraId);
        own.gauge("lagMillis", time::lagMillis);
        own.gauge("silentMillis", () -> time.silentMillis(clock.nanoTime()));
        return new FrameAccount(own);
    }

    /** For those that are not told apart, and for records without a readable camera id. */
    Camera rest() {
        return rest;
    }

    /** All of them, those that are not told apart as one. */
    List<Camera> all() {
        List<Camera> all = new ArrayList<>(byId.values());
        all.add(rest);
        return all;
    }
}

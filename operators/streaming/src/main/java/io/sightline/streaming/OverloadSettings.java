// SPDX-License-Identifier: Apache-2.0
package io.sightline.streaming;

import java.io.Serializable;
import java.time.Duration;
import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which policy each camera has.
 *
 * @param policy of every camera that is not named
 * @param maxAge from capture, beyond which {@link OverloadPolicy#MAX_AGE} drops a frame; null where
 *     no camera has that policy
 * @param byCamera policies of single cameras, by their id
 */
public record OverloadSettings(
        OverloadPolicy policy, Duration maxAge, Map<String, OverloadPolicy> byCamera)
        implements Serializable {

    /** Nothing is dropped. */
    public static final OverloadSettings PROCESS_ALL =
            new OverloadSettings(OverloadPolicy.PROCESS_ALL, null, Map.of());

    /**
     * @throws IllegalArgumentException if an age is missing, or given to nobody
     */
    public OverloadSettings {
        byCamera = Collections.unmodifiableMap(new TreeMap<>(byCamera));
        boolean ages =
                policy == OverloadPolicy.MAX_AGE || byCamera.containsValue(OverloadPolicy.MAX_AGE);
        if (ages && (maxAge == null || maxAge.isZero() || maxAge.isNegative())) {
            throw new IllegalArgumentException(
                    "policy max-age is chosen and max-age is "
                            + (maxAge == null ? "absent" : maxAge)
                            + ", expected a duration such as 500ms");
        }
        if (!ages && maxAge != null) {
            throw new IllegalArgumentException(
                    "max-age is "
                            + maxAge
                            + ", but no camera has policy max-age: choose it, or leave the age out");
        }
    }

    OverloadPolicy of(String cameraId) {
        return byCamera.isEmpty() ? policy : byCamera.getOrDefault(cameraId, policy);
    }

    /** {@link Long#MAX_VALUE} where no frame is ever too old. */
    long maxAgeMillis() {
        return maxAge == null ? Long.MAX_VALUE : maxAge.toMillis();
    }
}

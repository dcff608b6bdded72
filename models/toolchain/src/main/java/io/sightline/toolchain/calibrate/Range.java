// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

/**
 * What a quantised tensor can express; always with zero in it.
 *
 * @param low at most 0
 * @param high at least 0
 */
public record Range(double low, double high) {

    public Range {
        if (!(low <= 0 && high >= 0)) {
            throw new IllegalArgumentException("low=" + low + " high=" + high);
        }
    }

    /** The least that holds both. */
    public Range union(Range other) {
        return new Range(Math.min(low, other.low), Math.max(high, other.high));
    }

    /** The largest magnitude. */
    public double amax() {
        return Math.max(-low, high);
    }
}

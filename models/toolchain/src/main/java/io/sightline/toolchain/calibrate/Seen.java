// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.calibrate;

/**
 * What a network sees of a tensor before anything else happens to it. A sigmoid hardly tells −8
 * from −16, so numbers need not be spent on the difference.
 */
public enum Seen {
    AS_IS {
        @Override
        double of(double value) {
            return value;
        }
    },
    THROUGH_SIGMOID {
        @Override
        double of(double value) {
            return 1 / (1 + Math.exp(-value));
        }
    },
    /** x · sigmoid(x). */
    THROUGH_SILU {
        @Override
        double of(double value) {
            return value / (1 + Math.exp(-value));
        }
    };

    abstract double of(double value);
}

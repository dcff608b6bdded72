// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain.check;

/**
 * The machine that costs are estimated for, so that models can be compared without running them:
 * one core at 3.5 GHz with two AVX-512 units and VNNI, and its share of the memory's bandwidth. A
 * layer takes as long as its arithmetic or its memory traffic, whichever is more (the roofline of
 * Williams, Waterman and Patterson, 2009). Neither caches nor kernels' overhead are in it: real
 * times are longer, their order is mostly this.
 */
final class ReferenceCore {

    static final String NAME = "one core, 3.5 GHz, AVX-512 VNNI, 20 GB/s";

    private static final double CLOCK = 3.5e9;
    private static final double UNITS = 2;

    /** Multiply-accumulates a second: 16 lanes a unit. */
    private static final double FLOAT_MACS = CLOCK * UNITS * 16;

    /** Four bytes in the place of a float. */
    private static final double INT8_MACS = 4 * FLOAT_MACS;

    /** Bytes a second. */
    private static final double BANDWIDTH = 20e9;

    private ReferenceCore() {}

    static double floatMillis(long macs, long elements) {
        return 1000 * Math.max(macs / FLOAT_MACS, 4.0 * elements / BANDWIDTH);
    }

    static double int8Millis(long macs, long elements) {
        return 1000 * Math.max(macs / INT8_MACS, elements / BANDWIDTH);
    }

    static boolean memoryBound(long macs, long elements) {
        return 4.0 * elements / BANDWIDTH > macs / FLOAT_MACS;
    }
}

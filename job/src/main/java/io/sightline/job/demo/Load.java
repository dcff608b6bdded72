// SPDX-License-Identifier: Apache-2.0
package io.sightline.job.demo;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;

/**
 * How many frames a demo's cameras give out.
 *
 * @param cameras how many
 * @param framesPerSecond of each
 * @param lowered whether the rate is less than usual
 * @param carried frames per second that the machine carries, all cameras together
 */
record Load(int cameras, double framesPerSecond, boolean lowered, double carried) {

    static final int CAMERAS = 4;
    static final double FRAMES_PER_SECOND = 5;

    /**
     * Of what the machine carries: the rest is for the broker, Flink and whoever reads the events,
     * which run on the same cores, and keeps queues short.
     */
    private static final double SHARE = 0.7;

    /** Rates are lowered to whole steps of so many frames per second, and not below the first. */
    private static final double STEP = 0.1;

    /**
     * Takes what is asked for as it is; where nothing is, the usual load or what the machine
     * carries, whichever is less.
     *
     * @param cameras asked for; null for the usual number
     * @param framesPerSecond asked for, of each camera; null for the usual rate
     */
    static Load decide(Integer cameras, Double framesPerSecond, double carried) {
        int count = cameras == null ? CAMERAS : cameras;
        double rate = framesPerSecond == null ? FRAMES_PER_SECOND : framesPerSecond;
        double affordable = SHARE * carried / count;
        if (cameras != null || framesPerSecond != null || rate <= affordable) {
            return new Load(count, rate, false, carried);
        }
        double steps = Math.max(1, Math.floor(affordable / STEP));
        return new Load(count, steps * STEP, true, carried);
    }

    /** One line for people. */
    @Override
    public String toString() {
        double total = cameras * framesPerSecond;
        return "this machine carries "
                + number(carried)
                + " frames/s; "
                + cameras
                + (cameras == 1 ? " camera" : " cameras")
                + " at "
                + number(framesPerSecond)
                + " frames/s"
                + (lowered()
                        ? " instead of " + number(FRAMES_PER_SECOND) + ", so that none has to wait"
                        : total > carried
                                ? ", " + number(total) + " in all, are more: they will have to wait"
                                : "");
    }

    private static String number(double value) {
        return new DecimalFormat("0.#", DecimalFormatSymbols.getInstance(Locale.ROOT))
                .format(value);
    }
}

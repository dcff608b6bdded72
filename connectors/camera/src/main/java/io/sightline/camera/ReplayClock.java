// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera;

import java.util.concurrent.TimeUnit;

/** The time a replay keeps. */
public interface ReplayClock {

    /** Milliseconds since 1970: what frames are stamped with. */
    long currentTimeMillis();

    /** Nanoseconds from an arbitrary origin, never going back: what the pace is kept by. */
    long nanoTime();

    /** Returns when {@link #nanoTime()} has reached that time; at once where it has. */
    void sleepUntil(long nanoTime) throws InterruptedException;

    /** The system's clock. */
    static ReplayClock system() {
        return new ReplayClock() {
            @Override
            public long currentTimeMillis() {
                return System.currentTimeMillis();
            }

            @Override
            public long nanoTime() {
                return System.nanoTime();
            }

            @Override
            public void sleepUntil(long nanoTime) throws InterruptedException {
                TimeUnit.NANOSECONDS.sleep(nanoTime - System.nanoTime());
            }
        };
    }
}

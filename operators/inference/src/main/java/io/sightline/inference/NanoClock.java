// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/** A monotonic clock with an arbitrary zero: {@link System#nanoTime} but for tests. */
@FunctionalInterface
public interface NanoClock {

    NanoClock SYSTEM = System::nanoTime;

    long nanoTime();
}

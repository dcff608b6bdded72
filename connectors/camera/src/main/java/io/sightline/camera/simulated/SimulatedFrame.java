// SPDX-License-Identifier: Apache-2.0
package io.sightline.camera.simulated;

import java.util.List;

/**
 * A picture and what is to be seen in it.
 *
 * @param jpeg the encoded picture, not to be changed
 * @param truth the objects in it, all of them: also those that do not count
 */
public record SimulatedFrame(byte[] jpeg, List<TrueObject> truth) {

    public SimulatedFrame {
        truth = List.copyOf(truth);
    }
}

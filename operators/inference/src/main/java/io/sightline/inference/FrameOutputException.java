// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * What the network gave for one frame are not the numbers that it should be, such as NaN where FP16
 * overflowed. The engine and the other frames of the batch are not to blame.
 */
public final class FrameOutputException extends InferenceException {

    public FrameOutputException(String message) {
        super(message);
    }
}

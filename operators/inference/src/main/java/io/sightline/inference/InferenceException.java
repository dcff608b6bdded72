// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * An engine, or its model file, failed or does not fit. Not the fault of a single frame, unless it
 * is a {@link FrameOutputException}: it fails the job.
 */
public class InferenceException extends RuntimeException {

    public InferenceException(String message) {
        super(message);
    }

    public InferenceException(String message, Throwable cause) {
        super(message, cause);
    }
}

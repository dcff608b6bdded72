// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * An engine, or its model file, failed or does not fit. Never the fault of a single frame: it fails
 * the job.
 */
public class InferenceException extends RuntimeException {

    public InferenceException(String message) {
        super(message);
    }

    public InferenceException(String message, Throwable cause) {
        super(message, cause);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

/**
 * An engine failed in a way after which no engine of its kind runs in this process any more: trying
 * anew helps only in a new process.
 */
public final class ProcessUnusableException extends InferenceException {

    public ProcessUnusableException(String message) {
        super(message);
    }
}

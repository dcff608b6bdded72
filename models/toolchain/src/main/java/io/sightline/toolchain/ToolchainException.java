// SPDX-License-Identifier: Apache-2.0
package io.sightline.toolchain;

/**
 * What the user gave cannot be worked on; the message says what was found, what is expected and
 * what to do about it.
 */
public final class ToolchainException extends RuntimeException {

    public ToolchainException(String message) {
        super(message);
    }

    public ToolchainException(String message, Throwable cause) {
        super(message, cause);
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.job;

/** Something the user can mend; its message is the one line that is shown for it. */
public final class UserException extends RuntimeException {

    public UserException(String message) {
        super(message);
    }

    public UserException(String message, Throwable cause) {
        super(message, cause);
    }
}

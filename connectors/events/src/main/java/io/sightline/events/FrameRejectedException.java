// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

/**
 * A frame that cannot be analysed: it goes to the dead-letter topic with this reason, and the job
 * goes on.
 */
public final class FrameRejectedException extends Exception {

    private final Rejection reason;

    /**
     * @param reason the class of the defect
     * @param message what was found and what is expected, for a person
     */
    public FrameRejectedException(Rejection reason, String message) {
        // Without a stack trace: hostile input must not cost more than good frames do.
        super(message, null, false, false);
        this.reason = reason;
    }

    public Rejection reason() {
        return reason;
    }
}

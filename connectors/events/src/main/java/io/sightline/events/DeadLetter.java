// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

/**
 * A frame that could not be analysed, with the reason.
 *
 * @param record the record as it was read
 * @param reason the class of the defect
 * @param message what was found and what is expected
 */
public record DeadLetter(FrameRecord record, Rejection reason, String message) {}

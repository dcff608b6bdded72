// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

/**
 * The topics the page looks at; any of them may appear later.
 *
 * @param cameraStatus what the job says of each camera; the page does without where it is not there
 */
public record Topics(String frames, String events, String deadLetters, String cameraStatus) {}

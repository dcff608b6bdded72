// SPDX-License-Identifier: Apache-2.0
package io.sightline.live;

/** The three topics the page looks at; any of them may appear later. */
public record Topics(String frames, String events, String deadLetters) {}

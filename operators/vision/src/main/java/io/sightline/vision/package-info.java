// SPDX-License-Identifier: Apache-2.0
/**
 * From encoded frames to letterboxed pixels, and from a network's output to boxes: decode,
 * letterbox, output parsing, suppression and the geometry between them.
 *
 * <p>OpenCV does the pixel work and is never seen from outside this package: pixels travel as
 * {@link io.sightline.vision.DecodedFrame} from a decoder to a {@link
 * io.sightline.vision.Letterbox}, which writes them into a batch slot.
 */
package io.sightline.vision;

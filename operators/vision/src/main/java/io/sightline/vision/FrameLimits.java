// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

/**
 * What a frame may be at most. Both limits are checked before any pixel is decoded, and they bound
 * a decoder's memory.
 *
 * @param maxFrameBytes of the encoded frame
 * @param maxFramePixels width × height, as the picture's header says
 */
public record FrameLimits(int maxFrameBytes, int maxFramePixels) {

    /** For pictures of one's own, which nobody made to do harm: next to none. */
    public static final FrameLimits OWN_PICTURES = new FrameLimits(1 << 29, 1 << 28);

    private static final int BYTES_PER_PIXEL = 3;

    /**
     * @throws IllegalArgumentException if a limit is not positive or too large for one buffer
     */
    public FrameLimits {
        if (maxFrameBytes < 1 || maxFrameBytes > Integer.MAX_VALUE / 2) {
            throw new IllegalArgumentException(
                    "max-frame-bytes "
                            + maxFrameBytes
                            + ": expected 1 to "
                            + Integer.MAX_VALUE / 2);
        }
        if (maxFramePixels < 1 || maxFramePixels > Integer.MAX_VALUE / BYTES_PER_PIXEL) {
            throw new IllegalArgumentException(
                    "max-frame-pixels "
                            + maxFramePixels
                            + ": expected 1 to "
                            + Integer.MAX_VALUE / BYTES_PER_PIXEL);
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;

/** What can be told of an encoded picture without decoding its pixels. */
sealed interface Picture permits JpegPicture, PngPicture, WebpPicture {

    /** As the header says, at least 1. */
    int width();

    /** As the header says, at least 1. */
    int height();

    /**
     * Checks, without decoding, that all of the picture is there.
     *
     * @return whether only its end marker is missing
     * @throws FrameRejectedException if more is missing, or its structure is broken
     */
    boolean requireComplete() throws FrameRejectedException;

    /**
     * Checks what only the decoded pixels can raise a doubt about: called after decoding with the
     * pixel at the bottom right, each component 0..255.
     *
     * @throws FrameRejectedException if the doubt proves right
     */
    default void requireDecodedToTheEnd(int blue, int green, int red)
            throws FrameRejectedException {}

    /**
     * Reads the header of a picture whose format its first bytes tell.
     *
     * @throws FrameRejectedException if the format is unknown or the header incomplete or invalid
     */
    static Picture read(byte[] encoded) throws FrameRejectedException {
        if (JpegPicture.matches(encoded)) {
            return JpegPicture.read(encoded);
        }
        if (PngPicture.matches(encoded)) {
            return PngPicture.read(encoded);
        }
        if (WebpPicture.matches(encoded)) {
            return WebpPicture.read(encoded);
        }
        StringBuilder start = new StringBuilder();
        for (int i = 0; i < Math.min(encoded.length, 8); i++) {
            start.append(String.format("%02x", encoded[i]));
        }
        throw new FrameRejectedException(
                Rejection.UNKNOWN_FORMAT,
                encoded.length == 0
                        ? "the frame is empty: expected JPEG, PNG or WebP"
                        : "the frame of "
                                + encoded.length
                                + " bytes starts with "
                                + start
                                + ": expected JPEG, PNG or WebP");
    }

    /** Whether the bytes at that offset are those ASCII characters. */
    static boolean hasTag(byte[] data, int offset, String tag) {
        if (offset < 0 || offset + tag.length() > data.length) {
            return false;
        }
        for (int i = 0; i < tag.length(); i++) {
            if (data[offset + i] != tag.charAt(i)) {
                return false;
            }
        }
        return true;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A WebP: a RIFF container whose first chunk is a lossy bitstream (VP8), a lossless one (VP8L), or
 * the header of an extended file (VP8X) in which the bitstream follows.
 */
record WebpPicture(byte[] data, int width, int height) implements Picture {

    private static final int FIRST_CHUNK = 12;
    private static final int CHUNK_HEADER = 8;
    private static final int ANIMATION_FLAG = 0x02;

    static boolean matches(byte[] data) {
        return Picture.hasTag(data, 0, "RIFF") && Picture.hasTag(data, 8, "WEBP");
    }

    static WebpPicture read(byte[] data) throws FrameRejectedException {
        int start = FIRST_CHUNK + CHUNK_HEADER;
        if (data.length < start + 10) {
            throw truncated(data.length, start + 10);
        }
        ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        int width;
        int height;
        if (Picture.hasTag(data, FIRST_CHUNK, "VP8 ")) {
            // A frame tag and the start code, three bytes each; the sizes' upper two bits scale.
            width = bytes.getShort(start + 6) & 0x3fff;
            height = bytes.getShort(start + 8) & 0x3fff;
        } else if (Picture.hasTag(data, FIRST_CHUNK, "VP8L")) {
            int sizes = bytes.getInt(start + 1);
            width = 1 + (sizes & 0x3fff);
            height = 1 + ((sizes >>> 14) & 0x3fff);
        } else if (Picture.hasTag(data, FIRST_CHUNK, "VP8X")) {
            if ((data[start] & ANIMATION_FLAG) != 0) {
                throw new FrameRejectedException(
                        Rejection.UNKNOWN_FORMAT, "the WebP is animated: expected one picture");
            }
            width = 1 + (bytes.getInt(start + 4) & 0xffffff);
            height = 1 + (bytes.getInt(start + 6) >>> 8);
        } else {
            throw new FrameRejectedException(
                    Rejection.CORRUPT, "the WebP does not start with a VP8, VP8L or VP8X chunk");
        }
        if (width < 1 || height < 1) {
            throw new FrameRejectedException(
                    Rejection.CORRUPT,
                    "the WebP header says " + width + "x" + height + ": expected at least 1x1");
        }
        return new WebpPicture(data, width, height);
    }

    @Override
    public boolean requireComplete() throws FrameRejectedException {
        ByteBuffer bytes = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);
        long end = CHUNK_HEADER + Integer.toUnsignedLong(bytes.getInt(4));
        if (end > data.length) {
            throw truncated(data.length, end);
        }
        boolean hasPixels = false;
        long offset = FIRST_CHUNK;
        while (offset + CHUNK_HEADER <= end) {
            int chunk = (int) offset;
            long length = Integer.toUnsignedLong(bytes.getInt(chunk + 4));
            if (offset + CHUNK_HEADER + length > end) {
                throw truncated(data.length, offset + CHUNK_HEADER + length);
            }
            hasPixels |= Picture.hasTag(data, chunk, "VP8 ") || Picture.hasTag(data, chunk, "VP8L");
            // Chunks start at even offsets.
            offset += CHUNK_HEADER + length + (length & 1);
        }
        if (!hasPixels) {
            throw new FrameRejectedException(
                    Rejection.TRUNCATED, "the WebP ends before its VP8 or VP8L chunk");
        }
        return false;
    }

    private static FrameRejectedException truncated(long found, long expected) {
        return new FrameRejectedException(
                Rejection.TRUNCATED,
                "the WebP ends after " + found + " bytes: expected at least " + expected);
    }
}

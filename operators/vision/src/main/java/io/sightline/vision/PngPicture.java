// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;
import java.nio.ByteBuffer;
import java.util.zip.CRC32;

/** A PNG: a signature, then chunks of length, type, data and checksum up to the one named IEND. */
record PngPicture(byte[] data, int width, int height) implements Picture {

    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    /** Length, type and checksum. */
    private static final int CHUNK_OVERHEAD = 12;

    private static final int HEADER_BYTES = SIGNATURE.length + CHUNK_OVERHEAD + 13;

    static boolean matches(byte[] data) {
        return data.length >= SIGNATURE.length
                && ByteBuffer.wrap(data, 0, SIGNATURE.length).equals(ByteBuffer.wrap(SIGNATURE));
    }

    static PngPicture read(byte[] data) throws FrameRejectedException {
        if (data.length < HEADER_BYTES) {
            throw truncated(data.length);
        }
        if (!Picture.hasTag(data, 12, "IHDR")) {
            throw new FrameRejectedException(
                    Rejection.CORRUPT, "the PNG does not start with an IHDR chunk");
        }
        int width = ByteBuffer.wrap(data).getInt(16);
        int height = ByteBuffer.wrap(data).getInt(20);
        if (width < 1 || height < 1) {
            throw new FrameRejectedException(
                    Rejection.CORRUPT,
                    "the PNG header says " + width + "x" + height + ": expected at least 1x1");
        }
        return new PngPicture(data, width, height);
    }

    @Override
    public boolean requireComplete() throws FrameRejectedException {
        ByteBuffer bytes = ByteBuffer.wrap(data);
        CRC32 checksum = new CRC32();
        int offset = SIGNATURE.length;
        while (offset + CHUNK_OVERHEAD <= data.length) {
            int length = bytes.getInt(offset);
            if (length < 0) {
                throw new FrameRejectedException(
                        Rejection.CORRUPT,
                        "the PNG chunk at byte " + offset + " has a negative length");
            }
            if (length > data.length - offset - CHUNK_OVERHEAD) {
                break;
            }
            checksum.reset();
            checksum.update(data, offset + 4, length + 4);
            if ((int) checksum.getValue() != bytes.getInt(offset + 8 + length)) {
                throw new FrameRejectedException(
                        Rejection.CORRUPT,
                        "the PNG chunk at byte " + offset + " does not match its checksum");
            }
            if (Picture.hasTag(data, offset + 4, "IEND")) {
                return false;
            }
            if (Picture.hasTag(data, offset + 4, "acTL")
                    || Picture.hasTag(data, offset + 4, "fcTL")
                    || Picture.hasTag(data, offset + 4, "fdAT")) {
                throw new FrameRejectedException(
                        Rejection.UNKNOWN_FORMAT, "the PNG is animated: expected one picture");
            }
            offset += CHUNK_OVERHEAD + length;
        }
        throw truncated(data.length);
    }

    private static FrameRejectedException truncated(int length) {
        return new FrameRejectedException(
                Rejection.TRUNCATED, "the PNG ends after " + length + " bytes, before IEND");
    }
}

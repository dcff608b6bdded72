// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;

/** A cursor over the marker segments of a JPEG; it starts after the start-of-image marker. */
final class JpegMarkers {

    static final int NONE = -1;
    static final int DHT = 0xc4;
    static final int RST0 = 0xd0;
    static final int RST7 = 0xd7;
    static final int SOI = 0xd8;
    static final int EOI = 0xd9;
    static final int SOS = 0xda;
    static final int DRI = 0xdd;
    private static final int TEM = 0x01;

    private final byte[] data;
    private int position = 2;
    private int segmentEnd;

    JpegMarkers(byte[] data) {
        this.data = data;
    }

    /** The next marker's code, past any bytes that are not one; {@link #NONE} at the end. */
    int next() {
        while (position < data.length) {
            if ((data[position++] & 0xff) != 0xff) {
                continue;
            }
            while (position < data.length && (data[position] & 0xff) == 0xff) {
                position++;
            }
            if (position < data.length && data[position++] != 0) {
                return data[position - 1] & 0xff;
            }
        }
        return NONE;
    }

    static boolean standsAlone(int marker) {
        return (marker >= RST0 && marker <= EOI) || marker == TEM;
    }

    /** Reads the length of the segment whose marker came last. */
    void enterSegment() throws FrameRejectedException {
        int length = position + 2 <= data.length ? u16() : data.length + 2;
        if (length < 2) {
            throw JpegPicture.corrupt("the segment at byte " + position + " has length " + length);
        }
        segmentEnd = position + length - 2;
        if (segmentEnd > data.length) {
            throw new FrameRejectedException(
                    Rejection.TRUNCATED,
                    "the JPEG ends after " + data.length + " bytes, within a header segment");
        }
    }

    void leaveSegment() {
        position = segmentEnd;
    }

    /** Bytes of the current segment that were not read yet. */
    int remaining() {
        return segmentEnd - position;
    }

    int u8() {
        return data[position++] & 0xff;
    }

    int u16() {
        return u8() << 8 | u8();
    }

    int position() {
        return position;
    }

    void moveTo(int newPosition) {
        position = newPosition;
    }
}

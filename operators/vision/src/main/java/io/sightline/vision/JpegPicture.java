// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;
import java.util.List;

/**
 * A JPEG: marker segments up to the first scan.
 *
 * @param scanInterleaved whether the first scan holds all components
 */
record JpegPicture(
        byte[] data,
        int width,
        int height,
        boolean progressive,
        List<Component> components,
        boolean scanInterleaved)
        implements Picture {

    /*
     * libjpeg does not tell of missing data: where a scan ends early it fills in, and reports
     * success. What it fills in depends on how the data ends:
     *
     * - no end marker: older OpenCV leaves the missing rows as they were, newer gives no picture,
     *   even if only the marker is missing. So such data is walked code by code (JpegScans), which
     *   is exact, and decoded with the marker put back.
     * - progressive, or one scan per component: missing data only blurs. Walked as well.
     * - one scan and an end marker, what nearly every camera sends: walking all of them would cost
     *   about half a decode. Blocks without data come out with luma 128, so a frame cut and closed
     *   with a marker has such a pixel at its bottom right, and only frames that do are walked.
     */

    private static final int SOF0_BASELINE = 0xc0;
    private static final int SOF2_PROGRESSIVE = 0xc2;
    private static final int MAX_COMPONENTS = 4;
    private static final int MAX_SAMPLING = 4;

    /** One colour channel; its sampling factors relate its resolution to the largest ones. */
    record Component(int id, int horizontal, int vertical) {}

    static boolean matches(byte[] data) {
        return data.length >= 3
                && (data[0] & 0xff) == 0xff
                && (data[1] & 0xff) == JpegMarkers.SOI
                && (data[2] & 0xff) == 0xff;
    }

    static JpegPicture read(byte[] data) throws FrameRejectedException {
        JpegMarkers markers = new JpegMarkers(data);
        JpegPicture frame = null;
        while (true) {
            int marker = markers.next();
            if (marker == JpegMarkers.NONE || marker == JpegMarkers.EOI) {
                throw new FrameRejectedException(
                        Rejection.TRUNCATED,
                        "the JPEG ends after " + data.length + " bytes, before its first scan");
            }
            if (marker == JpegMarkers.SOS) {
                if (frame == null) {
                    throw corrupt("a scan comes before the frame header");
                }
                markers.enterSegment();
                boolean interleaved =
                        markers.remaining() > 0 && markers.u8() == frame.components.size();
                return new JpegPicture(
                        data,
                        frame.width,
                        frame.height,
                        frame.progressive,
                        frame.components,
                        interleaved);
            }
            if (isFrameHeader(marker)) {
                if (frame != null) {
                    throw corrupt("it has two frame headers");
                }
                frame = readFrameHeader(data, markers, marker);
            } else if (marker == JpegMarkers.SOI) {
                throw corrupt("a second picture starts within its header");
            } else if (!JpegMarkers.standsAlone(marker)) {
                markers.enterSegment();
                markers.leaveSegment();
            }
        }
    }

    @Override
    public boolean requireComplete() throws FrameRejectedException {
        if (progressive || !scanInterleaved || lumaIsSubsampled() || !endsWithMarker()) {
            return new JpegScans(this).walk();
        }
        return false;
    }

    @Override
    public void requireDecodedToTheEnd(int blue, int green, int red) throws FrameRejectedException {
        double luma = 0.299 * red + 0.587 * green + 0.114 * blue;
        if (Math.abs(luma - 128) <= 2 || components.size() == MAX_COMPONENTS) {
            new JpegScans(this).walk();
        }
    }

    int maxHorizontal() {
        return components.stream().mapToInt(Component::horizontal).max().orElseThrow();
    }

    int maxVertical() {
        return components.stream().mapToInt(Component::vertical).max().orElseThrow();
    }

    static FrameRejectedException corrupt(String what) {
        return new FrameRejectedException(Rejection.CORRUPT, "the JPEG is corrupt: " + what);
    }

    private static boolean isFrameHeader(int marker) {
        return marker >= SOF0_BASELINE
                && marker <= 0xcf
                && marker != JpegMarkers.DHT
                && marker != 0xc8
                && marker != 0xcc;
    }

    private static JpegPicture readFrameHeader(byte[] data, JpegMarkers markers, int marker)
            throws FrameRejectedException {
        markers.enterSegment();
        if (markers.remaining() < 6) {
            throw corrupt("its frame header is too short");
        }
        int precision = markers.u8();
        int height = markers.u16();
        int width = markers.u16();
        int count = markers.u8();
        if (marker > SOF2_PROGRESSIVE || precision != 8) {
            throw new FrameRejectedException(
                    Rejection.UNKNOWN_FORMAT,
                    "JPEG process "
                            + (marker - SOF0_BASELINE)
                            + " with "
                            + precision
                            + " bits is not supported: expected baseline, extended or progressive"
                            + " Huffman coding of 8 bits");
        }
        if (width < 1 || height < 1) {
            throw corrupt("its header says " + width + "x" + height + ", expected at least 1x1");
        }
        if (count < 1 || count > MAX_COMPONENTS || markers.remaining() != 3 * count) {
            throw corrupt(
                    "its frame header has "
                            + count
                            + " components in "
                            + markers.remaining()
                            + " bytes, expected 1 to 4 of 3 bytes each");
        }
        Component[] components = new Component[count];
        for (int i = 0; i < count; i++) {
            int id = markers.u8();
            int sampling = markers.u8();
            markers.u8(); // the quantisation table
            components[i] = new Component(id, sampling >> 4, sampling & 15);
            if (components[i].horizontal < 1
                    || components[i].horizontal > MAX_SAMPLING
                    || components[i].vertical < 1
                    || components[i].vertical > MAX_SAMPLING) {
                throw corrupt("component " + i + " has sampling factors other than 1 to 4");
            }
        }
        markers.leaveSegment();
        return new JpegPicture(
                data, width, height, marker == SOF2_PROGRESSIVE, List.of(components), true);
    }

    private boolean lumaIsSubsampled() {
        return components.get(0).horizontal != maxHorizontal()
                || components.get(0).vertical != maxVertical();
    }

    /** Whether the last bytes, but for zeros that some cameras pad with, are the end marker. */
    private boolean endsWithMarker() {
        int end = data.length;
        while (end > 2 && data[end - 1] == 0) {
            end--;
        }
        return (data[end - 1] & 0xff) == JpegMarkers.EOI && (data[end - 2] & 0xff) == 0xff;
    }
}

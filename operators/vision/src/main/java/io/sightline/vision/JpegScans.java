// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;
import io.sightline.events.Rejection;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.imageio.plugins.jpeg.JPEGHuffmanTable;

/**
 * Walks the entropy-coded data of a JPEG code by code, without computing a pixel, to find out
 * whether all of it is there. Follows ITU-T T.81: sequential scans (annex F) and progressive ones
 * (annex G).
 */
final class JpegScans {

    /** Encoders write about ten; thousands of nearly empty ones would cost minutes to decode. */
    private static final int MAX_SCANS = 100;

    private static final int BLOCK_SIZE = 8;
    private static final int COEFFICIENTS = 64;
    private static final int TABLES = 4;
    private static final int NOT_CODED = 255;

    /** The symbol of sixteen zeros. */
    private static final int ZERO_RUN = 0xf0;

    /** Interleaved scans hold nothing that needs the block's index. */
    private static final int NO_BLOCK = -1;

    private final JpegPicture picture;
    private final byte[] data;
    private final HuffmanTable[] dcTables = new HuffmanTable[TABLES];
    private final HuffmanTable[] acTables = new HuffmanTable[TABLES];
    private final List<Plane> planes = new ArrayList<>();
    private int restartInterval;

    // The scan at hand.
    private final List<Plane> scanned = new ArrayList<>();
    private int firstCoefficient;
    private int lastCoefficient;
    private boolean refines;
    private int endOfBandRun;

    // Its bits: the lowest bitCount of them are unread.
    private long bits;
    private int bitCount;
    private int position;

    /** What one component needs while it is walked. */
    private static final class Plane {
        final JpegPicture.Component component;
        final int blockColumns;
        final int blockRows;

        /** By coefficient in zigzag order: the lowest bit that has come, 0 once complete. */
        final int[] lowestBit = new int[COEFFICIENTS];

        /** By block, a bit for each coefficient that is not zero; progressive only. */
        final long[] nonZero;

        HuffmanTable dc;
        HuffmanTable ac;

        Plane(JpegPicture picture, JpegPicture.Component component) {
            this.component = component;
            blockColumns = blocks(picture.width(), component.horizontal(), picture.maxHorizontal());
            blockRows = blocks(picture.height(), component.vertical(), picture.maxVertical());
            nonZero = picture.progressive() ? new long[blockColumns * blockRows] : null;
            Arrays.fill(lowestBit, NOT_CODED);
        }

        private static int blocks(int pixels, int sampling, int maxSampling) {
            return divideUp(divideUp(pixels * sampling, maxSampling), BLOCK_SIZE);
        }
    }

    JpegScans(JpegPicture picture) {
        this.picture = picture;
        this.data = picture.data();
    }

    /**
     * @return whether the end marker is missing
     * @throws FrameRejectedException if more than that is missing, or a code is invalid
     */
    boolean walk() throws FrameRejectedException {
        for (JpegPicture.Component component : picture.components()) {
            planes.add(new Plane(picture, component));
        }
        JpegMarkers markers = new JpegMarkers(data);
        int scans = 0;
        int marker = markers.next();
        for (; marker != JpegMarkers.NONE && marker != JpegMarkers.EOI; marker = markers.next()) {
            if (marker == JpegMarkers.SOI) {
                break;
            }
            if (JpegMarkers.standsAlone(marker)) {
                continue;
            }
            markers.enterSegment();
            if (marker == JpegMarkers.DHT) {
                readHuffmanTables(markers);
            } else if (marker == JpegMarkers.DRI && markers.remaining() >= 2) {
                restartInterval = markers.u16();
            } else if (marker == JpegMarkers.SOS) {
                if (++scans > MAX_SCANS) {
                    throw JpegPicture.corrupt("it has more than " + MAX_SCANS + " scans");
                }
                readScanHeader(markers);
                markers.leaveSegment();
                position = markers.position();
                walkScan();
                markers.moveTo(position);
                continue;
            }
            markers.leaveSegment();
        }
        requireAllCoefficients(scans);
        return marker != JpegMarkers.EOI;
    }

    private void requireAllCoefficients(int scans) throws FrameRejectedException {
        for (Plane plane : planes) {
            for (int lowest : plane.lowestBit) {
                if (lowest != 0) {
                    throw new FrameRejectedException(
                            Rejection.TRUNCATED,
                            "the JPEG ends after " + scans + " scans: more are expected");
                }
            }
        }
    }

    private void readHuffmanTables(JpegMarkers markers) throws FrameRejectedException {
        while (markers.remaining() > HuffmanTable.MAX_LENGTH) {
            int target = markers.u8();
            int[] counts = new int[HuffmanTable.MAX_LENGTH];
            int total = 0;
            for (int i = 0; i < counts.length; i++) {
                counts[i] = markers.u8();
                total += counts[i];
            }
            if (total > markers.remaining() || total > 256 || (target & 0xef) >= TABLES) {
                throw JpegPicture.corrupt("a Huffman table is larger than its segment");
            }
            byte[] symbols = new byte[total];
            for (int i = 0; i < total; i++) {
                symbols[i] = (byte) markers.u8();
            }
            HuffmanTable[] tables = (target & 0x10) == 0 ? dcTables : acTables;
            tables[target & 15] = new HuffmanTable(counts, symbols);
        }
    }

    private void readScanHeader(JpegMarkers markers) throws FrameRejectedException {
        int count = markers.remaining() > 0 ? markers.u8() : 0;
        if (count < 1 || count > planes.size() || markers.remaining() != 2 * count + 3) {
            throw JpegPicture.corrupt("a scan header is invalid");
        }
        installDefaultTables();
        scanned.clear();
        for (int i = 0; i < count; i++) {
            Plane plane = plane(markers.u8());
            int tables = markers.u8();
            plane.dc = dcTables[(tables >> 4) & 3];
            plane.ac = acTables[tables & 3];
            scanned.add(plane);
        }
        firstCoefficient = markers.u8();
        lastCoefficient = markers.u8();
        int approximation = markers.u8();
        refines = approximation >> 4 != 0;
        if (!picture.progressive()) {
            // As decoders do: a sequential scan holds everything, whatever it says.
            firstCoefficient = 0;
            lastCoefficient = COEFFICIENTS - 1;
            approximation = 0;
            refines = false;
        } else if (lastCoefficient < firstCoefficient
                || lastCoefficient >= COEFFICIENTS
                || (firstCoefficient == 0 && lastCoefficient != 0)
                || (firstCoefficient > 0 && count > 1)) {
            throw JpegPicture.corrupt("a progressive scan covers an invalid range");
        }
        for (Plane plane : scanned) {
            for (int k = firstCoefficient; k <= lastCoefficient; k++) {
                plane.lowestBit[k] = approximation & 15;
            }
            boolean needsDc = firstCoefficient == 0 && !refines;
            if ((needsDc && plane.dc == null) || (lastCoefficient > 0 && plane.ac == null)) {
                throw JpegPicture.corrupt("a scan uses a Huffman table that is not there");
            }
        }
    }

    private Plane plane(int id) throws FrameRejectedException {
        for (Plane plane : planes) {
            if (plane.component.id() == id && !scanned.contains(plane)) {
                return plane;
            }
        }
        throw JpegPicture.corrupt("a scan names component " + id + ", which is not there");
    }

    /** MJPEG may leave out the tables; decoders then take the standard's example tables. */
    private void installDefaultTables() throws FrameRejectedException {
        for (int i = 0; i < TABLES; i++) {
            if (dcTables[i] != null || acTables[i] != null) {
                return;
            }
        }
        dcTables[0] = standard(JPEGHuffmanTable.StdDCLuminance);
        dcTables[1] = standard(JPEGHuffmanTable.StdDCChrominance);
        acTables[0] = standard(JPEGHuffmanTable.StdACLuminance);
        acTables[1] = standard(JPEGHuffmanTable.StdACChrominance);
    }

    private static HuffmanTable standard(JPEGHuffmanTable table) throws FrameRejectedException {
        int[] counts = new int[HuffmanTable.MAX_LENGTH];
        for (int i = 0; i < table.getLengths().length; i++) {
            counts[i] = table.getLengths()[i];
        }
        byte[] symbols = new byte[table.getValues().length];
        for (int i = 0; i < symbols.length; i++) {
            symbols[i] = (byte) table.getValues()[i];
        }
        return new HuffmanTable(counts, symbols);
    }

    private void walkScan() throws FrameRejectedException {
        boolean interleaved = scanned.size() > 1;
        Plane only = scanned.get(0);
        int columns =
                interleaved
                        ? divideUp(picture.width(), BLOCK_SIZE * picture.maxHorizontal())
                        : only.blockColumns;
        int rows =
                interleaved
                        ? divideUp(picture.height(), BLOCK_SIZE * picture.maxVertical())
                        : only.blockRows;
        bits = 0;
        bitCount = 0;
        endOfBandRun = 0;
        int units = columns * rows;
        for (int unit = 0; unit < units; unit++) {
            if (restartInterval > 0 && unit > 0 && unit % restartInterval == 0) {
                restart((unit / restartInterval - 1) & 7);
            }
            if (!interleaved) {
                walkBlock(only, unit);
                continue;
            }
            for (Plane plane : scanned) {
                int blocks = plane.component.horizontal() * plane.component.vertical();
                for (int i = 0; i < blocks; i++) {
                    walkBlock(plane, NO_BLOCK);
                }
            }
        }
    }

    private void walkBlock(Plane plane, int block) throws FrameRejectedException {
        if (!picture.progressive()) {
            skipDc(plane);
            walkSequentialAc(plane);
        } else if (firstCoefficient == 0) {
            if (refines) {
                take(1);
            } else {
                skipDc(plane);
            }
        } else if (refines) {
            refineAc(plane, block);
        } else {
            walkFirstAc(plane, block);
        }
    }

    private void skipDc(Plane plane) throws FrameRejectedException {
        int size = symbol(plane.dc);
        if (size > 16) {
            throw JpegPicture.corrupt("a DC coefficient has " + size + " bits");
        }
        take(size);
    }

    private void walkSequentialAc(Plane plane) throws FrameRejectedException {
        for (int k = 1; k < COEFFICIENTS; k++) {
            int symbol = symbol(plane.ac);
            int size = symbol & 15;
            if (size == 0 && symbol != ZERO_RUN) {
                return;
            }
            k += symbol >> 4;
            take(size);
        }
    }

    private void walkFirstAc(Plane plane, int block) throws FrameRejectedException {
        if (endOfBandRun > 0) {
            endOfBandRun--;
            return;
        }
        for (int k = firstCoefficient; k <= lastCoefficient; k++) {
            int symbol = symbol(plane.ac);
            int run = symbol >> 4;
            int size = symbol & 15;
            if (size == 0 && symbol != ZERO_RUN) {
                endOfBandRun = (1 << run) + take(run) - 1;
                return;
            }
            k += run;
            take(size);
            if (size != 0 && k < COEFFICIENTS) {
                plane.nonZero[block] |= 1L << k;
            }
        }
    }

    private void refineAc(Plane plane, int block) throws FrameRejectedException {
        int k = firstCoefficient;
        if (endOfBandRun == 0) {
            for (; k <= lastCoefficient; k++) {
                int symbol = symbol(plane.ac);
                int run = symbol >> 4;
                int size = symbol & 15;
                if (size == 0 && symbol != ZERO_RUN) {
                    endOfBandRun = (1 << run) + take(run);
                    break;
                }
                take(size == 0 ? 0 : 1); // the sign of the coefficient that becomes non-zero
                // One more bit for each non-zero coefficient passed on the way to it.
                for (; k <= lastCoefficient; k++) {
                    if (((plane.nonZero[block] >>> k) & 1) != 0) {
                        take(1);
                    } else if (--run < 0) {
                        break;
                    }
                }
                if (size != 0 && k < COEFFICIENTS) {
                    plane.nonZero[block] |= 1L << k;
                }
            }
        }
        if (endOfBandRun > 0) {
            if (k <= lastCoefficient) {
                long rest = (-1L << k) & (-1L >>> (COEFFICIENTS - 1 - lastCoefficient));
                for (int i = Long.bitCount(plane.nonZero[block] & rest); i > 0; i--) {
                    take(1);
                }
            }
            endOfBandRun--;
        }
    }

    private int symbol(HuffmanTable table) throws FrameRejectedException {
        if (bitCount < HuffmanTable.MAX_LENGTH) {
            fill();
        }
        int next =
                bitCount >= HuffmanTable.MAX_LENGTH
                        ? (int) (bits >>> (bitCount - HuffmanTable.MAX_LENGTH)) & 0xffff
                        : (int) (bits << (HuffmanTable.MAX_LENGTH - bitCount)) & 0xffff;
        int entry = table.decode(next);
        int length = entry >> 8;
        if (length > bitCount || (length == 0 && bitCount < HuffmanTable.MAX_LENGTH)) {
            throw endOfScan();
        }
        if (length == 0) {
            throw JpegPicture.corrupt("a Huffman code before byte " + position + " is invalid");
        }
        bitCount -= length;
        return entry & 0xff;
    }

    private int take(int count) throws FrameRejectedException {
        if (bitCount < count) {
            fill();
            if (bitCount < count) {
                throw endOfScan();
            }
        }
        bitCount -= count;
        return (int) (bits >>> bitCount) & ((1 << count) - 1);
    }

    /** Takes in bytes up to the next marker; a stuffed zero after 0xff is not data. */
    private void fill() {
        while (bitCount <= 48 && position < data.length) {
            int value = data[position] & 0xff;
            int next = position + 1;
            if (value == 0xff) {
                while (next < data.length && (data[next] & 0xff) == 0xff) {
                    next++;
                }
                if (next >= data.length || data[next] != 0) {
                    return;
                }
                next++;
            }
            bits = bits << 8 | value;
            bitCount += 8;
            position = next;
        }
    }

    private void restart(int expected) throws FrameRejectedException {
        bitCount = 0;
        endOfBandRun = 0;
        JpegMarkers markers = new JpegMarkers(data);
        markers.moveTo(position);
        int marker = markers.next();
        if (marker == JpegMarkers.NONE || !isRestart(marker)) {
            throw endOfScan();
        }
        if (marker != JpegMarkers.RST0 + expected) {
            throw JpegPicture.corrupt("restart markers are missing before byte " + position);
        }
        position = markers.position();
    }

    private static boolean isRestart(int marker) {
        return marker >= JpegMarkers.RST0 && marker <= JpegMarkers.RST7;
    }

    private static int divideUp(int value, int divisor) {
        return (value + divisor - 1) / divisor;
    }

    private FrameRejectedException endOfScan() {
        return new FrameRejectedException(
                Rejection.TRUNCATED,
                "the JPEG's scan data ends at byte "
                        + position
                        + " of "
                        + data.length
                        + ", before its last block");
    }
}

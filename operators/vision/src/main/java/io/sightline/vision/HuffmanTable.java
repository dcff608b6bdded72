// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.events.FrameRejectedException;
import java.util.Arrays;

/** A JPEG Huffman table (ITU-T T.81, annexes C and F), ready to decode. */
final class HuffmanTable {

    static final int MAX_LENGTH = 16;
    private static final int LOOKUP_BITS = 9;

    /** By the next bits: length << 8 | symbol, 0 where the code is longer. */
    private final short[] lookup = new short[1 << LOOKUP_BITS];

    /** By length: the largest code, moved up to 16 bits with ones behind it; -1 where none. */
    private final int[] largestCode = new int[MAX_LENGTH + 1];

    /** By length: what to add to a code for the index of its symbol. */
    private final int[] symbolOffset = new int[MAX_LENGTH + 1];

    private final byte[] symbols;

    /**
     * @param counts how many codes of each length, 1 to 16
     * @param symbols in the order of their codes
     */
    HuffmanTable(int[] counts, byte[] symbols) throws FrameRejectedException {
        this.symbols = symbols;
        int code = 0;
        int index = 0;
        Arrays.fill(largestCode, -1);
        for (int length = 1; length <= MAX_LENGTH; length++) {
            symbolOffset[length] = index - code;
            for (int i = 0; i < counts[length - 1]; i++, code++, index++) {
                if (code >= 1 << length) {
                    throw JpegPicture.corrupt("a Huffman table has too many codes");
                }
                if (length <= LOOKUP_BITS) {
                    int first = code << (LOOKUP_BITS - length);
                    short entry = (short) (length << 8 | (symbols[index] & 0xff));
                    Arrays.fill(lookup, first, first + (1 << (LOOKUP_BITS - length)), entry);
                }
            }
            if (counts[length - 1] > 0) {
                largestCode[length] = (code << (MAX_LENGTH - length)) - 1;
            }
            code <<= 1;
        }
    }

    /**
     * The code at the start of 16 bits.
     *
     * @return its length << 8 | its symbol; 0 if no code matches
     */
    int decode(int bits) {
        int entry = lookup[bits >>> (MAX_LENGTH - LOOKUP_BITS)];
        if (entry != 0) {
            return entry;
        }
        for (int length = LOOKUP_BITS + 1; length <= MAX_LENGTH; length++) {
            if (bits <= largestCode[length]) {
                int index = (bits >>> (MAX_LENGTH - length)) + symbolOffset[length];
                return length << 8 | (symbols[index] & 0xff);
            }
        }
        return 0;
    }
}

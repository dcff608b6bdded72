// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.FrameOutputException;
import io.sightline.inference.RawOutput;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * [batch, K, 6]: x1, y1, x2, y2, score, class. Each row is one box of one class.
 *
 * <p>Where boxes are still to be suppressed, a box may come in several rows, one for each of its
 * classes: rows whose corners are the same to the last bit. If a box counts for its best class
 * only, of such rows the best counts, the first of equals.
 */
final class PairsParser extends OutputParser {

    private static final int SCORE = 4;
    private static final int CLASS = 5;

    private final boolean bestClassOnly;
    private final float[] values = new float[6];

    /** By hash of the corners: place among the candidates, one more; zero where free. */
    private int[] places = new int[0];

    /**
     * @param suppress whether boxes are still to be suppressed
     */
    PairsParser(int classes, NmsSettings settings, boolean suppress) {
        super(classes, settings.confidence());
        bestClassOnly = suppress && !settings.multiLabel();
    }

    @Override
    String layout() {
        return "pairs";
    }

    @Override
    void parse(RawOutput output, int frame, Candidates candidates) {
        RawOutput.Tensor tensor = floats(output, 0, frame, ANY, values.length);
        FloatBuffer floats = tensor.floats();
        int rows = tensor.shape()[1];
        int offset = frame * tensor.rowSize();
        if (bestClassOnly) {
            prepare(rows);
        }
        for (int row = 0; row < rows; row++, offset += values.length) {
            // Written so that NaN is not passed over.
            if (floats.get(offset + SCORE) <= confidence) {
                continue;
            }
            floats.get(offset, values);
            addCorners(
                    candidates,
                    tensor,
                    frame,
                    row,
                    values[0],
                    values[1],
                    values[2],
                    values[3],
                    values[SCORE],
                    classId(tensor, frame, row));
            if (bestClassOnly) {
                mergeLast(candidates);
            }
        }
    }

    private int classId(RawOutput.Tensor tensor, int frame, int row) {
        if (!Float.isFinite(values[CLASS])) {
            throw new FrameOutputException(
                    place(tensor, frame, row)
                            + ": class "
                            + values[CLASS]
                            + ", expected 0 to "
                            + (classes - 1));
        }
        return Math.round(values[CLASS]);
    }

    private void prepare(int rows) {
        // At most half full.
        int size = Integer.highestOneBit(Math.max(1, rows)) * 4;
        if (places.length == size) {
            Arrays.fill(places, 0);
        } else {
            places = new int[size];
        }
    }

    /** Takes the last candidate back if its box is there already, and keeps the better class. */
    private void mergeLast(Candidates candidates) {
        int last = candidates.size - 1;
        int mask = places.length - 1;
        int slot = hash(candidates, last) & mask;
        for (; places[slot] != 0; slot = (slot + 1) & mask) {
            int other = places[slot] - 1;
            if (sameBox(candidates, other, last)) {
                if (candidates.score[last] > candidates.score[other]) {
                    candidates.score[other] = candidates.score[last];
                    candidates.classId[other] = candidates.classId[last];
                }
                candidates.size--;
                return;
            }
        }
        places[slot] = last + 1;
    }

    private static boolean sameBox(Candidates boxes, int a, int b) {
        return boxes.x1[a] == boxes.x1[b]
                && boxes.y1[a] == boxes.y1[b]
                && boxes.x2[a] == boxes.x2[b]
                && boxes.y2[a] == boxes.y2[b];
    }

    private static int hash(Candidates boxes, int i) {
        int hash = bits(boxes.x1[i]);
        hash = 31 * hash + bits(boxes.y1[i]);
        hash = 31 * hash + bits(boxes.x2[i]);
        hash = 31 * hash + bits(boxes.y2[i]);
        // Round coordinates differ in their high bits only: the golden ratio spreads them.
        hash *= 0x9E3779B9;
        return hash ^ hash >>> 16;
    }

    /** The same for both zeros, which are equal. */
    private static int bits(float value) {
        return Float.floatToRawIntBits(value + 0f);
    }
}

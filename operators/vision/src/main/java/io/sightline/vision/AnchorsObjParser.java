// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.RawOutput;
import java.nio.FloatBuffer;

/**
 * [batch, N, 5 + classes]: cx, cy, w, h, objectness, class scores. A row counts if both its
 * objectness and its best class score are above the threshold; the score is their product.
 */
final class AnchorsObjParser extends OutputParser {

    private static final int OBJECTNESS = 4;
    private static final int SCORES = 5;
    private static final int NONE = -1;

    private final boolean multiLabel;
    private final float[] values;

    AnchorsObjParser(int classes, NmsSettings settings) {
        super(classes, settings.confidence());
        multiLabel = settings.multiLabel();
        values = new float[SCORES + classes];
    }

    @Override
    String layout() {
        return "anchors-obj";
    }

    @Override
    void parse(RawOutput output, int frame, Candidates candidates) {
        RawOutput.Tensor tensor = floats(output, 0, frame, ANY, values.length);
        FloatBuffer floats = tensor.floats();
        int rows = tensor.shape()[1];
        int offset = frame * tensor.rowSize();
        for (int row = 0; row < rows; row++, offset += values.length) {
            // Written so that NaN is not passed over.
            if (floats.get(offset + OBJECTNESS) <= confidence) {
                continue;
            }
            floats.get(offset, values);
            requireNumber(tensor, frame, row, values[OBJECTNESS]);
            int best = bestAboveThreshold(tensor, frame, row);
            if (best == NONE) {
                continue;
            }
            if (multiLabel) {
                for (int i = SCORES; i < values.length; i++) {
                    addIfAbove(candidates, tensor, frame, row, i);
                }
            } else {
                addIfAbove(candidates, tensor, frame, row, best);
            }
        }
    }

    /** The place of the best class score, or none. */
    private int bestAboveThreshold(RawOutput.Tensor tensor, int frame, int row) {
        int best = NONE;
        float bestScore = confidence;
        for (int i = SCORES; i < values.length; i++) {
            float score = values[i];
            if (!(score <= bestScore)) {
                requireNumber(tensor, frame, row, score);
                bestScore = score;
                best = i;
            }
        }
        return best;
    }

    private void addIfAbove(
            Candidates candidates, RawOutput.Tensor tensor, int frame, int row, int place) {
        float score = values[OBJECTNESS] * values[place];
        if (score > confidence) {
            addCentred(
                    candidates,
                    tensor,
                    frame,
                    row,
                    values[0],
                    values[1],
                    values[2],
                    values[3],
                    score,
                    place - SCORES);
        }
    }
}

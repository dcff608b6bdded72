// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.RawOutput;
import java.nio.FloatBuffer;

/** [batch, K, 6]: x1, y1, x2, y2, score, class. Each row is one box of one class. */
final class PairsParser extends OutputParser {

    private static final int SCORE = 4;
    private static final int CLASS = 5;

    private final float[] values = new float[6];

    PairsParser(int classes, float confidence) {
        super(classes, confidence);
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
                    Math.round(values[CLASS]));
        }
    }
}

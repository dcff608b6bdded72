// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.InferenceException;
import io.sightline.inference.RawOutput;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;

/**
 * Four outputs: count [batch, 1], boxes [batch, K, 4] as corners, scores [batch, K], classes
 * [batch, K]. Rows from the count on are padding. Counts and classes are integers.
 */
final class End2EndParser extends OutputParser {

    End2EndParser(int classes, float confidence) {
        super(classes, confidence);
    }

    @Override
    String layout() {
        return "end2end";
    }

    @Override
    void parse(RawOutput output, int frame, Candidates candidates) {
        RawOutput.Tensor counts = ints(output, 0, frame, 1);
        RawOutput.Tensor boxes = floats(output, 1, frame, ANY, 4);
        int rows = boxes.shape()[1];
        RawOutput.Tensor scores = floats(output, 2, frame, rows);
        IntBuffer classIds = ints(output, 3, frame, rows).ints();
        int count = counts.ints().get(frame);
        if (count < 0 || count > rows) {
            throw new InferenceException(
                    "output '"
                            + counts.name()
                            + "', frame "
                            + frame
                            + " of the batch: count "
                            + count
                            + ", expected 0 to "
                            + rows);
        }
        FloatBuffer corners = boxes.floats();
        for (int row = 0; row < count; row++) {
            int place = frame * rows + row;
            float score = scores.floats().get(place);
            // Written so that NaN is not passed over.
            if (score <= confidence) {
                continue;
            }
            requireNumber(scores, frame, row, score);
            addCorners(
                    candidates,
                    boxes,
                    frame,
                    row,
                    corners.get(4 * place),
                    corners.get(4 * place + 1),
                    corners.get(4 * place + 2),
                    corners.get(4 * place + 3),
                    score,
                    classIds.get(place));
        }
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.RawOutput;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * [batch, 4 + classes, N]: planes of cx, cy, w, h, then one plane of scores a class. Read plane by
 * plane, as it lies in memory.
 */
final class ChannelsFirstParser extends OutputParser {

    private static final int BOX = 4;

    private final boolean multiLabel;
    private final float[][] box = new float[BOX][];
    private float[] scores = new float[0];
    private float[] bestScores = new float[0];
    private int[] bestClasses = new int[0];

    ChannelsFirstParser(int classes, NmsSettings settings) {
        super(classes, settings.confidence());
        multiLabel = settings.multiLabel();
    }

    @Override
    String layout() {
        return "channels-first";
    }

    @Override
    void parse(RawOutput output, int frame, Candidates candidates) {
        RawOutput.Tensor tensor = floats(output, 0, frame, BOX + classes, ANY);
        FloatBuffer floats = tensor.floats();
        int anchors = tensor.shape()[2];
        int offset = frame * tensor.rowSize();
        if (scores.length != anchors) {
            scores = new float[anchors];
            bestScores = new float[anchors];
            bestClasses = new int[anchors];
            Arrays.setAll(box, i -> new float[anchors]);
        }
        for (float[] plane : box) {
            floats.get(offset, plane);
            offset += anchors;
        }
        Arrays.fill(bestScores, confidence);
        for (int classId = 0; classId < classes; classId++, offset += anchors) {
            floats.get(offset, scores);
            for (int i = 0; i < anchors; i++) {
                float score = scores[i];
                // Written so that NaN is not passed over.
                if (score <= bestScores[i]) {
                    continue;
                }
                requireNumber(tensor, frame, i, score);
                if (multiLabel) {
                    add(candidates, tensor, frame, i, score, classId);
                } else {
                    bestScores[i] = score;
                    bestClasses[i] = classId;
                }
            }
        }
        for (int i = 0; i < anchors && !multiLabel; i++) {
            if (bestScores[i] > confidence) {
                add(candidates, tensor, frame, i, bestScores[i], bestClasses[i]);
            }
        }
    }

    private void add(
            Candidates candidates,
            RawOutput.Tensor tensor,
            int frame,
            int anchor,
            float score,
            int classId) {
        addCentred(
                candidates,
                tensor,
                frame,
                anchor,
                box[0][anchor],
                box[1][anchor],
                box[2][anchor],
                box[3][anchor],
                score,
                classId);
    }
}

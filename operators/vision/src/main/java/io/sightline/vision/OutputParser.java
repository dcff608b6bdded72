// SPDX-License-Identifier: Apache-2.0
package io.sightline.vision;

import io.sightline.inference.FrameOutputException;
import io.sightline.inference.InferenceException;
import io.sightline.inference.RawOutput;
import java.util.Arrays;

/** Finds the candidates in one frame's part of an output. Keeps scratch memory. */
abstract sealed class OutputParser
        permits AnchorsObjParser, ChannelsFirstParser, End2EndParser, PairsParser {

    /** Stands for any size in an expected shape. */
    static final int ANY = -1;

    final int classes;
    final float confidence;

    OutputParser(int classes, float confidence) {
        this.classes = classes;
        this.confidence = confidence;
    }

    /**
     * @param frame index of the frame in the batch
     */
    abstract void parse(RawOutput output, int frame, Candidates candidates);

    /**
     * The output at that index.
     *
     * @param expected its dimensions behind the batch
     * @throws InferenceException if it is not there or has another shape, or has no such frame
     */
    final RawOutput.Tensor tensor(RawOutput output, int index, int frame, int... expected) {
        if (index >= output.tensors().size()) {
            throw new InferenceException(
                    "the model gives "
                            + output.tensors().size()
                            + " outputs: "
                            + layout()
                            + " expects at least "
                            + (index + 1));
        }
        RawOutput.Tensor tensor = output.tensors().get(index);
        int[] shape = tensor.shape();
        boolean fits = shape.length == expected.length + 1 && frame < shape[0];
        for (int i = 0; fits && i < expected.length; i++) {
            fits = expected[i] == ANY || expected[i] == shape[i + 1];
        }
        if (!fits) {
            throw new InferenceException(
                    "output '"
                            + tensor.name()
                            + "' has shape "
                            + Arrays.toString(shape)
                            + ": "
                            + layout()
                            + " with "
                            + classes
                            + " labels expects [at least "
                            + (frame + 1)
                            + shapeText(expected)
                            + "]; check layout and labels in the model's JSON");
        }
        return tensor;
    }

    /** As {@link #tensor}, of floats. */
    final RawOutput.Tensor floats(RawOutput output, int index, int frame, int... expected) {
        RawOutput.Tensor tensor = tensor(output, index, frame, expected);
        if (tensor.floats() == null) {
            throw new InferenceException(
                    "output '" + tensor.name() + "' holds integers: expected float32");
        }
        return tensor;
    }

    /** As {@link #tensor}, of integers. */
    final RawOutput.Tensor ints(RawOutput output, int index, int frame, int... expected) {
        RawOutput.Tensor tensor = tensor(output, index, frame, expected);
        if (tensor.ints() == null) {
            throw new InferenceException(
                    "output '" + tensor.name() + "' holds floats: expected int32 or int64");
        }
        return tensor;
    }

    /** The layout's name, for messages. */
    abstract String layout();

    /**
     * Adds a candidate given by its centre and size.
     *
     * @param row of the output within the frame, for messages
     */
    final void addCentred(
            Candidates candidates,
            RawOutput.Tensor tensor,
            int frame,
            int row,
            float centreX,
            float centreY,
            float width,
            float height,
            float score,
            int classId) {
        addCorners(
                candidates,
                tensor,
                frame,
                row,
                centreX - width / 2,
                centreY - height / 2,
                centreX + width / 2,
                centreY + height / 2,
                score,
                classId);
    }

    /** Adds a candidate given by its corners; its score is known to be above the threshold. */
    final void addCorners(
            Candidates candidates,
            RawOutput.Tensor tensor,
            int frame,
            int row,
            float x1,
            float y1,
            float x2,
            float y2,
            float score,
            int classId) {
        if (!Float.isFinite(x1)
                || !Float.isFinite(y1)
                || !Float.isFinite(x2)
                || !Float.isFinite(y2)) {
            throw new FrameOutputException(
                    place(tensor, frame, row)
                            + ": box "
                            + x1
                            + ", "
                            + y1
                            + ", "
                            + x2
                            + ", "
                            + y2
                            + ", expected finite coordinates");
        }
        requireNumber(tensor, frame, row, score);
        if (classId < 0 || classId >= classes) {
            throw new InferenceException(
                    place(tensor, frame, row)
                            + ": class "
                            + classId
                            + ", expected 0 to "
                            + (classes - 1)
                            + " as the model's JSON has "
                            + classes
                            + " labels");
        }
        candidates.add(x1, y1, x2, y2, score, classId);
    }

    /** Called with scores that a threshold did not stop: NaN is among them. */
    static void requireNumber(RawOutput.Tensor tensor, int frame, int row, float score) {
        if (!Float.isFinite(score)) {
            throw new FrameOutputException(
                    place(tensor, frame, row) + ": score " + score + ", expected 0 to 1");
        }
    }

    static String place(RawOutput.Tensor tensor, int frame, int row) {
        return "output '" + tensor.name() + "', frame " + frame + " of the batch, row " + row;
    }

    private static String shapeText(int[] expected) {
        StringBuilder text = new StringBuilder();
        for (int size : expected) {
            text.append(", ").append(size == ANY ? "any" : size);
        }
        return text.toString();
    }
}

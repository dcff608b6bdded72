// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import io.sightline.inference.GraphTensor.ElementType;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the outputs' shapes say of a detector.
 *
 * @param layout how the outputs are laid out
 * @param classes how many classes, where the shape tells
 * @param rows K of pairs, where the shape tells
 */
record DetectorShape(OutputLayout layout, OptionalInt classes, OptionalInt rows) {

    static final String KNOWN_LAYOUTS =
            "known layouts: anchors-obj [batch,N,5+classes], channels-first [batch,4+classes,N], "
                    + "pairs [batch,K,6], end2end (count [batch,1], boxes [batch,K,4], scores [batch,K], "
                    + "classes [batch,K])";

    /** The shapes do not fit; the message says what is wrong, not in which file. */
    static final class Misfit extends Exception {
        Misfit(String message) {
            super(message);
        }
    }

    /** Checks the outputs against a layout that the user or the JSON names. */
    static DetectorShape of(OutputLayout layout, List<GraphTensor> outputs) throws Misfit {
        if (layout == OutputLayout.END2END) {
            if (!isEnd2End(outputs)) {
                throw misfit(layout, outputs);
            }
            return new DetectorShape(layout, OptionalInt.empty(), OptionalInt.empty());
        }
        // Exports may carry raw maps behind the predictions; only the first output is asked for.
        GraphTensor first = outputs.get(0);
        if (first.rank() != 3 || first.type() != ElementType.FLOAT32) {
            throw misfit(layout, outputs);
        }
        int middle = first.shape()[1];
        int last = first.shape()[2];
        int others =
                switch (layout) {
                    case ANCHORS_OBJ -> last - 5;
                    case CHANNELS_FIRST -> middle - 4;
                    default -> 0;
                };
        int attributes = layout == OutputLayout.CHANNELS_FIRST ? middle : last;
        boolean known = attributes != GraphTensor.DYNAMIC;
        if (known && (layout == OutputLayout.PAIRS ? last != 6 : others < 1)) {
            throw misfit(layout, outputs);
        }
        return layout == OutputLayout.PAIRS
                ? new DetectorShape(layout, OptionalInt.empty(), staticSize(middle))
                : new DetectorShape(
                        layout,
                        known ? OptionalInt.of(others) : OptionalInt.empty(),
                        OptionalInt.empty());
    }

    /** Finds the one layout that the shapes leave. */
    static DetectorShape infer(int width, int height, List<GraphTensor> outputs) throws Misfit {
        if (isEnd2End(outputs)) {
            return of(OutputLayout.END2END, outputs);
        }
        if (outputs.size() != 1
                || outputs.get(0).rank() != 3
                || outputs.get(0).type() != ElementType.FLOAT32) {
            throw new Misfit("its layout cannot be told from its outputs " + outputs);
        }
        int middle = outputs.get(0).shape()[1];
        int last = outputs.get(0).shape()[2];
        Set<Integer> anchors = anchorCounts(width, height);
        List<OutputLayout> readings = new ArrayList<>();
        if (anchors.contains(middle) && last >= 6) {
            if (last - 5 == 79) {
                throw new Misfit(
                        "output "
                                + outputs.get(0)
                                + " reads as 4 coordinates and 80 classes an anchor without objectness,"
                                + " which no layout here has");
            }
            readings.add(OutputLayout.ANCHORS_OBJ);
        }
        if (anchors.contains(last) && middle >= 5) {
            if (middle - 4 == 81) {
                throw new Misfit(
                        "output "
                                + outputs.get(0)
                                + " reads as 4 coordinates, objectness and 80 classes with the anchors last,"
                                + " which no layout here has");
            }
            readings.add(OutputLayout.CHANNELS_FIRST);
        }
        if (last == 6 && middle > 0 && !anchors.contains(middle)) {
            readings.add(OutputLayout.PAIRS);
        }
        if (readings.size() != 1) {
            throw new Misfit(
                    "output "
                            + outputs.get(0)
                            + (readings.isEmpty()
                                    ? " fits no layout at input " + width + "x" + height
                                    : " fits several layouts"));
        }
        return of(readings.get(0), outputs);
    }

    /**
     * How many predictions a detector of that input size makes: one or three anchors a cell over
     * strides 8, 16, 32, or those and 64.
     */
    private static Set<Integer> anchorCounts(int width, int height) {
        Set<Integer> counts = new HashSet<>();
        int cells = 0;
        for (int stride = 8; stride <= 64; stride *= 2) {
            cells += ((width + stride - 1) / stride) * ((height + stride - 1) / stride);
            if (stride >= 32) {
                counts.add(cells);
                counts.add(3 * cells);
            }
        }
        return counts;
    }

    private static boolean isEnd2End(List<GraphTensor> outputs) {
        return outputs.size() == 4
                && outputs.get(0).rank() == 2
                && fits(outputs.get(0).shape()[1], 1)
                && isInteger(outputs.get(0))
                && outputs.get(1).rank() == 3
                && fits(outputs.get(1).shape()[2], 4)
                && outputs.get(1).type() == ElementType.FLOAT32
                && outputs.get(2).rank() == 2
                && outputs.get(2).type() == ElementType.FLOAT32
                && outputs.get(3).rank() == 2
                && isInteger(outputs.get(3));
    }

    private static boolean isInteger(GraphTensor tensor) {
        return tensor.type() == ElementType.INT32 || tensor.type() == ElementType.INT64;
    }

    private static boolean fits(int dimension, int expected) {
        return dimension == expected || dimension == GraphTensor.DYNAMIC;
    }

    private static OptionalInt staticSize(int dimension) {
        return dimension > 0 ? OptionalInt.of(dimension) : OptionalInt.empty();
    }

    private static Misfit misfit(OutputLayout layout, List<GraphTensor> outputs) {
        return new Misfit("outputs " + outputs + " do not fit layout " + layout.label());
    }
}

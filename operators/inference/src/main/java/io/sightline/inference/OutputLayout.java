// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * How a detector lays its predictions out. Box coordinates are in pixels of the letterboxed input.
 */
public enum OutputLayout {
    /** [batch, N, 5 + classes]: cx, cy, w, h, objectness, class scores. YOLOv5, YOLOv6, YOLOv7. */
    ANCHORS_OBJ("anchors-obj"),
    /** [batch, 4 + classes, N]: rows cx, cy, w, h, then one row of scores a class. YOLOv8 style. */
    CHANNELS_FIRST("channels-first"),
    /**
     * [batch, K, 6]: x1, y1, x2, y2, score, class. YOLOv10, and models that Sightline's toolchain
     * prepared.
     */
    PAIRS("pairs"),
    /**
     * Four outputs: count [batch, 1], boxes [batch, K, 4] as corners, scores [batch, K], classes
     * [batch, K].
     */
    END2END("end2end");

    private final String label;

    OutputLayout(String label) {
        this.label = label;
    }

    /** As written in a ModelSpec file and taken by {@code --layout}. */
    public String label() {
        return label;
    }

    /**
     * @throws IllegalArgumentException if no layout has that label; the message lists those that
     *     exist
     */
    public static OutputLayout of(String label) {
        for (OutputLayout layout : values()) {
            if (layout.label.equals(label)) {
                return layout;
            }
        }
        throw new IllegalArgumentException(
                "unknown output layout '"
                        + label
                        + "': expected one of "
                        + Arrays.stream(values())
                                .map(OutputLayout::label)
                                .collect(Collectors.joining(", ")));
    }
}

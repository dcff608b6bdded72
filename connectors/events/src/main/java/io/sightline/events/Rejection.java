// SPDX-License-Identifier: Apache-2.0
package io.sightline.events;

import java.util.Locale;

/**
 * Why a frame became a dead letter, and at which stage. Names and stages are part of the
 * dead-letter contract.
 */
public enum Rejection {
    MISSING_KEY(Stage.RECORD),
    INVALID_KEY(Stage.RECORD),
    MISSING_VALUE(Stage.RECORD),
    MISSING_TIMESTAMP(Stage.RECORD),
    UNSUPPORTED_CONTENT_TYPE(Stage.RECORD),
    FRAME_TOO_LARGE(Stage.DECODE),
    PICTURE_TOO_LARGE(Stage.DECODE),
    UNKNOWN_FORMAT(Stage.DECODE),
    TRUNCATED(Stage.DECODE),
    CORRUPT(Stage.DECODE),
    UNREADABLE_OUTPUT(Stage.INFERENCE);

    /** The step of a frame's way at which it was rejected. */
    public enum Stage {
        /** The Kafka record breaks the contract of the frames topic. */
        RECORD,
        /** The picture cannot, or must not, be decoded. */
        DECODE,
        /** What the network gives for this picture is not numbers. */
        INFERENCE;

        /** As written to the {@code error-stage} header. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private final Stage stage;
    private final String label = name().toLowerCase(Locale.ROOT).replace('_', '-');

    Rejection(Stage stage) {
        this.stage = stage;
    }

    public Stage stage() {
        return stage;
    }

    /**
     * As written to the {@code error-class} header and as metrics name it: {@code frame-too-large}.
     */
    public String label() {
        return label;
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * An input or output as an engine reports it.
 *
 * @param name its name in the graph
 * @param type of its elements
 * @param shape its dimensions; {@link #DYNAMIC} for those that the graph leaves open
 */
public record GraphTensor(String name, ElementType type, int[] shape) {

    /** A dimension that the graph leaves open. */
    public static final int DYNAMIC = -1;

    /** The element types that Sightline can feed and read; every other is {@link #OTHER}. */
    public enum ElementType {
        FLOAT32,
        FLOAT16,
        UINT8,
        INT32,
        INT64,
        OTHER;

        @Override
        public String toString() {
            return switch (this) {
                case FLOAT32 -> "float32";
                case FLOAT16 -> "float16";
                case UINT8 -> "uint8";
                case INT32 -> "int32";
                case INT64 -> "int64";
                case OTHER -> "another type";
            };
        }
    }

    int rank() {
        return shape.length;
    }

    /** As error messages show it: {@code 'outputs' float32 [?,8400,85]}. */
    @Override
    public String toString() {
        return "'"
                + name
                + "' "
                + type
                + Arrays.stream(shape)
                        .mapToObj(d -> d < 0 ? "?" : Integer.toString(d))
                        .collect(Collectors.joining(",", " [", "]"));
    }
}

// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.List;

/**
 * What the network gave for one batch, unparsed; a view of memory that its {@link BatchBuffer}
 * owns.
 *
 * @param tensors the network's outputs in its own order
 */
public record RawOutput(List<Tensor> tensors) {

    public RawOutput {
        tensors = List.copyOf(tensors);
    }

    /**
     * Copies the first values of an int64 output.
     *
     * @param name the output's name in the graph
     * @param longs read by absolute index, as {@code ints} are written
     * @throws InferenceException if a value is none of 32 bits
     */
    public static void narrow(String name, LongBuffer longs, int count, IntBuffer ints) {
        for (int i = 0; i < count; i++) {
            long value = longs.get(i);
            if (value != (int) value) {
                throw new InferenceException(
                        "output '"
                                + name
                                + "' holds "
                                + value
                                + ": expected counts and class numbers");
            }
            ints.put(i, (int) value);
        }
    }

    /**
     * One output. Exactly one of {@code floats} and {@code ints} is there.
     *
     * @param name the output's name in the graph
     * @param shape its dimensions, the batch first
     * @param floats row-major values of a float32 output, position 0; read by absolute index
     * @param ints row-major values of an int32 or int64 output, position 0; read by absolute index
     */
    public record Tensor(String name, int[] shape, FloatBuffer floats, IntBuffer ints) {

        /** Values of one frame: the product of all dimensions but the batch. */
        public int rowSize() {
            int size = 1;
            for (int i = 1; i < shape.length; i++) {
                size *= shape[i];
            }
            return size;
        }
    }
}

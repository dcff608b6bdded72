// SPDX-License-Identifier: Apache-2.0
package io.sightline.inference.tensorrt;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;

/**
 * Whether what the graph quantises is computed in int8.
 *
 * @param quantised convolutions with Q/DQ pairs in the graph
 * @param int8 how many of them read int8 in the engine, in every profile
 * @param exceptions the others, each with what was found
 */
@JsonInclude
public record Int8Report(int quantised, int int8, List<String> exceptions) {

    public Int8Report {
        exceptions = List.copyOf(exceptions);
    }
}
